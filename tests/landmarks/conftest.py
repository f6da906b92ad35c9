"""What the landmark tests share."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def private_cache(tmp_path_factory):
    """Keeps the matrices of random models out of the user's cache folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIEN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield

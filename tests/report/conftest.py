from __future__ import annotations

import pytest

from helpers_browser import open_browser


@pytest.fixture(scope="module")
def browser():
    with open_browser() as driver:
        yield driver

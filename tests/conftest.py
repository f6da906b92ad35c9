"""Where tests find what the repository may not hold: models, media and reference outputs.

One environment variable, ``MIEN_TEST_DATA``, names the folder; it defaults to ``../shared`` beside the
checkout. Tests that need it are skipped, with the reason, where it is missing.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Examples may be slow: the first call of a kernel compiles it, and machines are shared.
settings.register_profile("mien", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("mien")

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("MIEN_TEST_DATA", ROOT.parent / "shared")).resolve()


def _need(folder: Path) -> Path:
    if not folder.is_dir():
        pytest.skip(f"needs {folder}; set MIEN_TEST_DATA to the folder that holds it")
    return folder


@pytest.fixture(scope="session")
def openface_dir() -> Path:
    """OpenFace 2.2.0's model files."""
    return _need(DATA / "models" / "openface-2.2.0")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder that holds all of them, small files that broke things among them."""
    return _need(DATA / "cases").parent


@pytest.fixture(scope="session")
def media_dir() -> Path:
    """Real videos and images."""
    return _need(DATA / "media")


@pytest.fixture(scope="session")
def reference_dir() -> Path:
    """What the original program produced for them."""
    return _need(DATA / "reference")


@pytest.fixture(scope="session")
def open_models_dir() -> Path:
    """Freely licensed networks with golden values."""
    return _need(DATA / "open-models")


@pytest.fixture(scope="session")
def cases_dir() -> Path:
    """Small inputs that have broken something once."""
    return _need(DATA / "cases")


@pytest.fixture(scope="session")
def synthetic_openface(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder without licensed data that recognises `synthetic_face.picture`; not to be written to."""
    from synthetic_models import write_openface

    return write_openface(tmp_path_factory.mktemp("synthetic") / "openface-2.2.0")

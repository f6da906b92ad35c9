"""A symmetric face that is made of numbers, and what measures both of its sides."""

from __future__ import annotations

import numpy as np
import pytest

from mien.models.readers import read_action_units
from mien.models.records import ActionUnitRecord, PdmRecord
from mien.models.store import ModelStore
from sides_faces import symmetric_face


@pytest.fixture(scope="session")
def crooked() -> PdmRecord:
    """A shape model that is not symmetric: a face of right size, with random modes."""
    rng = np.random.default_rng(5)
    mean = symmetric_face() + rng.normal(0, 1.5, (68, 3))
    basis, _ = np.linalg.qr(rng.normal(size=(204, 12)))
    return PdmRecord(
        mean.astype(np.float32),
        basis.reshape(68, 3, 12).astype(np.float32),
        np.linspace(300, 10, 12).astype(np.float32),
    )


@pytest.fixture(scope="session")
def synthetic_record(synthetic_openface) -> ActionUnitRecord:
    """Predictors without licensed data."""
    return read_action_units(ModelStore(synthetic_openface).locate().dynamic_action_units)


@pytest.fixture(scope="session")
def openface_record(openface_dir) -> ActionUnitRecord:
    """OpenFace's predictors."""
    return read_action_units(ModelStore(openface_dir).locate().dynamic_action_units)

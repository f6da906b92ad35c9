"""Reads point distribution models (docs/algorithms/model-files.md#shape-models)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mien.models.readers.fault import refusing
from mien.models.readers.text import TextCursor
from mien.models.records import PdmRecord


@refusing
def read_pdm(path: Path | str) -> PdmRecord:
    """Read a point distribution model.

    Parameters
    ----------
    path
        The text file: mean shape (3n×1), basis (3n×m), eigenvalues (1×m).

    Returns
    -------
    PdmRecord
        Cast to float32.

    Raises
    ------
    ModelFileError
        The file is truncated, has something after its end, or is no shape model.
    """
    cursor = TextCursor.open(path)
    mean = cursor.matrix("mean shape", (None, 1))
    if not mean.size or mean.size % 3:
        raise cursor.fault("a mean shape of 3n numbers", f"{mean.size} numbers")
    points = mean.size // 3
    basis = cursor.matrix("basis", (mean.size, None))
    modes = basis.shape[1]
    eigenvalues = cursor.matrix("eigenvalues", (1, modes))
    if modes == 0 or not (eigenvalues > 0).all():
        raise cursor.fault("positive eigenvalues", str(eigenvalues.min(initial=0)))
    cursor.finish()
    return PdmRecord(
        mean=np.ascontiguousarray(mean.reshape(3, points).T, np.float32),
        basis=np.ascontiguousarray(basis.reshape(3, points, modes).transpose(1, 0, 2), np.float32),
        eigenvalues=eigenvalues.reshape(-1).astype(np.float32),
    )

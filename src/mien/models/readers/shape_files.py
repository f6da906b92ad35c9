"""Reads the text files of a shape: its model, triangles, and the table of early termination.

Formats: docs/algorithms/model-files.md#shape-models and #other-text-files.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.models.readers.fault import refusing
from mien.models.readers.text import TextCursor
from mien.models.readers.views import MOST_LANDMARKS
from mien.models.records import EarlyTermination, PdmRecord


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


@refusing
def read_triangulation(path: Path | str) -> NDArray[np.int32]:
    """Read a file of a single triangulation: (T, 3) int32, 0-based landmarks.

    Raises
    ------
    ModelFileError
        The file is truncated, has something after its end, or holds something else.
    """
    cursor = TextCursor.open(path)
    start = cursor.offset
    values = cursor.matrix("triangles", (None, 3), type_code=4)
    if not ((values == np.trunc(values)) & (values >= 0) & (values < MOST_LANDMARKS)).all():
        raise cursor.fault(f"triangles of landmarks below {MOST_LANDMARKS}", "other numbers", start)
    cursor.finish()
    return values.astype(np.int32)


@refusing
def read_early_termination(path: Path | str, views: int) -> EarlyTermination:
    """Read weights, biases and cut-offs of early termination, one of each per view.

    Raises
    ------
    ModelFileError
        The file does not hold ``3 * views`` numbers.
    """
    cursor = TextCursor.open(path)
    cursor.skip_comments()
    weights, biases, cutoffs = cursor.numbers(3 * views, "weights, biases and cut-offs").reshape(3, views)
    cursor.finish()
    return EarlyTermination(weights, biases, cutoffs)

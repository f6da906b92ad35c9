"""Reads a triangulation and the early-termination table (docs/algorithms/model-files.md#other-text-files)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.models.readers.fault import refusing
from mien.models.readers.text import TextCursor
from mien.models.readers.views import MOST_LANDMARKS
from mien.models.records import EarlyTermination


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

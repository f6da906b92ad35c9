"""Reads SVR patch experts (docs/algorithms/model-files.md#svr-patch-experts)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mien.models.readers.fault import refusing
from mien.models.readers.text import TextCursor
from mien.models.readers.views import LARGEST_SUPPORT, MOST_LANDMARKS, MOST_VIEWS
from mien.models.records import SvrExpert, SvrRecord


@refusing
def read_svr(path: Path | str) -> SvrRecord:
    """Read the SVR patch experts of one scale.

    Parameters
    ----------
    path
        The text file.

    Returns
    -------
    SvrRecord
        View centres in radians; weights transposed, ready for use.

    Raises
    ------
    ModelFileError
        The file is truncated, has something after its end, or holds something else.
    """
    cursor = TextCursor.open(path)
    cursor.skip_comments()
    scale = float(cursor.numbers(1, "scale")[0])
    if scale <= 0:
        raise cursor.fault("a positive scale", str(scale), 0)
    cursor.skip_comments()
    count = cursor.integer("number of views", 1, MOST_VIEWS)
    centers = np.stack([cursor.matrix("view centre", (3, 1))[:, 0] for _ in range(count)])
    flags = [cursor.matrix("visibility", (None, 1), type_code=4)[:, 0] for _ in range(count)]
    landmarks = len(flags[0])
    if not 0 < landmarks <= MOST_LANDMARKS or any(len(row) != landmarks for row in flags):
        raise cursor.fault("the same number of landmarks in every view", str([len(row) for row in flags]))
    experts = tuple(
        tuple(_read_expert(cursor) for _ in range(landmarks)) for _ in range(count)
    )  # views, landmarks, modalities
    cursor.finish()
    return SvrRecord(scale, np.deg2rad(centers), np.stack(flags) == 1, experts)


def _read_expert(cursor: TextCursor) -> tuple[SvrExpert, ...]:
    cursor.skip_comments()
    cursor.integer("tag of an SVR patch expert", 3, 3)
    cursor.integers(2, "width and height of a patch expert")
    return tuple(_read_modality(cursor) for _ in range(cursor.integer("number of modalities", 0, 10)))


def _read_modality(cursor: TextCursor) -> SvrExpert:
    cursor.skip_comments()
    cursor.integer("tag of a modality", 2, 2)
    kind = cursor.integer("type of a modality", 0, 1)
    confidence, scaling, bias = cursor.numbers(3, "confidence, scaling and bias").tolist()
    start = cursor.offset
    weights = cursor.matrix("weights", type_code=5)
    if not all(1 <= size <= LARGEST_SUPPORT for size in weights.shape):
        raise cursor.fault(f"weights of 1 to {LARGEST_SUPPORT} rows and columns", str(weights.shape), start)
    return SvrExpert(kind, confidence, scaling, bias, np.ascontiguousarray(weights.T, np.float32))

"""What all binary patch-expert files begin with (docs/algorithms/model-files.md#ccnf-patch-experts)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.models.readers.binary import ByteCursor

MOST_VIEWS = 100
MOST_LANDMARKS = 1000
LARGEST_SUPPORT = 99


@dataclass(frozen=True, slots=True)
class Views:
    """Scale, view centres (V, 3) rad and visibility (V, n)."""

    scale: float
    centers: NDArray[np.float64]
    visibility: NDArray[np.bool_]


def read_views(cursor: ByteCursor) -> Views:
    """Read scale, number of views, view centres (degrees in the file) and visibility.

    Raises
    ------
    ModelFileError
        The file does not start like a patch-expert file.
    """
    scale = cursor.f64("scale", positive=True)
    count = cursor.i32("number of views", 1, MOST_VIEWS)
    centers = np.deg2rad(cursor.matrices("view centre in degrees", count, (3, 1), "<f8").reshape(count, 3))
    landmarks, _ = cursor.peek_shape("visibility")
    if landmarks > MOST_LANDMARKS:
        raise cursor.fault(f"at most {MOST_LANDMARKS} landmarks", landmarks)
    start = cursor.offset
    flags = cursor.matrices("visibility", count, (landmarks, 1), "<i4").reshape(count, landmarks)
    if ((flags != 0) & (flags != 1)).any():
        raise cursor.fault("visibility of 0 or 1", "other numbers", start)
    return Views(scale, centers, flags == 1)

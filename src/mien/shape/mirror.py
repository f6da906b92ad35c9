"""Which landmarks belong to which side of a face, and which of them expressions hardly move.

Left and right are the subject's: landmark 36 is at the outer corner of the right eye, in the left half of an
unmirrored picture.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIDES = ("left", "right")
"""Names of the sides, the subject's, in the order of all arrays with an axis for them."""

PAIRS: tuple[tuple[int, int], ...] = (
    *((i, 16 - i) for i in range(8)),
    *((17 + i, 26 - i) for i in range(5)),
    (31, 35),
    (32, 34),
    (36, 45),
    (37, 44),
    (38, 43),
    (39, 42),
    (40, 47),
    (41, 46),
    (48, 54),
    (49, 53),
    (50, 52),
    (58, 56),
    (59, 55),
    (60, 64),
    (61, 63),
    (67, 65),
)
"""Landmark on the subject's right, and the one on the left that it is mirrored to."""

MIDLINE: tuple[int, ...] = (8, 27, 28, 29, 30, 33, 51, 57, 62, 66)
"""Landmarks on the midline."""

STABLE: tuple[int, ...] = (27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 39, 42, 45)
"""Landmarks that neither expressions nor a paralysed muscle move much: eye corners and nose."""


def _mirrored() -> NDArray[np.int64]:
    index = np.arange(68)
    for right, left in PAIRS:
        index[right], index[left] = left, right
    return index


MIRRORED: NDArray[np.int64] = _mirrored()
"""(68,) int64: landmark that each one is mirrored to."""

OF_SIDE: NDArray[np.bool_] = np.zeros((2, 68), np.bool_)
"""(2, 68) bool: landmarks of the left and of the right side, without those on the midline."""
OF_SIDE[0, [left for _, left in PAIRS]] = True
OF_SIDE[1, [right for right, _ in PAIRS]] = True


def mirror_landmarks(points: NDArray[np.float32], last: float) -> NDArray[np.float32]:
    """Landmarks of a frame mirrored from left to right.

    Parameters
    ----------
    points
        (68, 2) float32, px.
    last
        Number of the frame's last column: its width less one.

    Returns
    -------
    ndarray
        (68, 2) float32, px, each landmark under the number of its counterpart.
    """
    mirrored = points[MIRRORED]
    mirrored[:, 0] = np.float32(last) - mirrored[:, 0]
    return mirrored

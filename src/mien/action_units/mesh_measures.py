"""What geometry says about an expression: distances on the mesh (docs/algorithms/open-action-units.md).

All lengths are nominal centimetres: the face is scaled so that its outer eye corners would lie 8.89 cm apart
on the canonical face. "Right" and "left" are the subject's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

PHYSICAL = (
    "eye_opening_right",
    "eye_opening_left",
    "lip_gap_cm",
    "mouth_width_cm",
    "brow_inner_right_cm",
    "brow_inner_left_cm",
    "brow_outer_right_cm",
    "brow_outer_left_cm",
    "mouth_corner_right_cm",
    "mouth_corner_left_cm",
)
"""Measures in their own right: eye aspect ratios, lengths, heights over the eyes, corner-to-eye distances."""
ASYMMETRIES = (
    "eye_opening_asymmetry",
    "brow_inner_asymmetry",
    "brow_outer_asymmetry",
    "mouth_corner_asymmetry",
)
"""(left - right) / mean of both, of the pairs among the physical measures."""
RULES = ("AU01", "AU02", "AU06", "AU12", "AU25", "AU26", "AU45")
"""Action units that geometry can follow."""
RAW_NAMES = PHYSICAL + ASYMMETRIES + RULES
"""Order of `raw_measures`."""

_PAIRS = ((0, 1), (4, 5), (6, 7), (8, 9))
_EYE_CORNERS = (33, 133, 362, 263)


def raw_measures(shape: NDArray[np.float64]) -> NDArray[np.float64]:
    """Measure one face.

    Parameters
    ----------
    shape
        (478, 3) float64, nominal cm: the mesh in the canonical face's frame (x to the image's right, y down,
        z away from the camera).

    Returns
    -------
    ndarray
        (21,) float64 in the order of `RAW_NAMES`; larger means more of an action. An asymmetry is NaN where
        both sides are 0.
    """
    physical = _physical(shape)
    pairs = [(physical[right], physical[left]) for right, left in _PAIRS]
    asymmetries = [_asymmetry(right, left) for right, left in pairs]
    return np.array(physical + asymmetries + _rules(shape))


def _asymmetry(right: float, left: float) -> float:
    both = left + right
    return 2 * (left - right) / both if both else math.nan  # both eyes may be shut


def _physical(shape: NDArray[np.float64]) -> list[float]:
    def span(a: int, b: int) -> float:
        return _distance(shape, a, b)

    def height(eye: Sequence[int], brow: Sequence[int]) -> float:
        return _mean_y(shape, eye) - _mean_y(shape, brow)

    return [
        (span(160, 144) + span(158, 153)) / (2 * span(33, 133)),
        (span(385, 380) + span(387, 373)) / (2 * span(362, 263)),
        span(13, 14),
        span(61, 291),
        height((33, 133), (107, 66, 55)),
        height((362, 263), (336, 296, 285)),
        height((33, 133), (70, 63, 46, 53)),
        height((362, 263), (300, 293, 276, 283)),
        span(61, 33),
        span(291, 263),
    ]


def _rules(shape: NDArray[np.float64]) -> list[float]:
    def span(a: int, b: int) -> float:
        return _distance(shape, a, b)

    def below_eyes(*vertices: int) -> float:
        return _mean_y(shape, vertices) - eyes

    eyes = _mean_y(shape, _EYE_CORNERS)
    inner_brow = below_eyes(107, 66, 55, 336, 296, 285, 65, 295)
    outer_brow = below_eyes(70, 63, 46, 53, 300, 293, 276, 283)
    cheek = below_eyes(117, 118, 119, 50, 346, 347, 348, 280)
    lower_lid = below_eyes(145, 153, 374, 380)
    right_eye = (span(159, 145) + span(158, 153)) / 2
    left_eye = (span(386, 374) + span(385, 380)) / 2
    return [
        -inner_brow,
        -outer_brow + 0.3 * below_eyes(107, 336),
        -cheek - 0.5 * lower_lid,
        0.5 * span(61, 291) - (span(61, 33) + span(291, 263)) / 2,
        (span(13, 14) + span(82, 87) + span(312, 317)) / 3,
        _mean_y(shape, (152, 199, 175)) - _mean_y(shape, (2, 98, 327)),
        -min(right_eye, left_eye),
    ]


def _distance(shape: NDArray[np.float64], a: int, b: int) -> float:
    (ax, ay, az), (bx, by, bz) = shape[a].tolist(), shape[b].tolist()
    return float(((ax - bx) ** 2 + (ay - by) ** 2 + (az - bz) ** 2) ** 0.5)


def _mean_y(shape: NDArray[np.float64], vertices: Sequence[int]) -> float:
    return sum(float(shape[vertex, 1]) for vertex in vertices) / len(vertices)

"""What clinicians measure on each side of a face, from landmarks alone (docs/sides-methods.md, with sources).

All of it is computed in the face's own frame, where the plane of symmetry is x = 0 and the face looks
straight ahead: yaw and roll of the head do not enter. Shapes: N frames; sides in the order left, right (the
subject's).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IRIS_DIAMETER_MM = 11.77
"""Mean horizontal diameter of an iris: from person to person it varies by 4 % (one standard deviation)."""

Array = NDArray[np.float64]

_BROW = ((22, 23, 24, 25, 26), (17, 18, 19, 20, 21))
_UPPER_LID = ((42, 43, 44, 45), (36, 37, 38, 39))
_LOWER_LID = ((42, 47, 46, 45), (36, 41, 40, 39))
_EYE = ((42, 43, 44, 45, 46, 47), (36, 37, 38, 39, 40, 41))
_MIDDLE_OF_LIDS = ((43, 44, 46, 47), (37, 38, 40, 41))
_CORNER = (54, 48)
_OUTER_UPPER = (48, 49, 50, 51, 52, 53, 54)
_OUTER_LOWER = (48, 59, 58, 57, 56, 55, 54)
_INNER_UPPER = (60, 61, 62, 63, 64)
_INNER_LOWER = (60, 67, 66, 65, 64)
_INNER_SIDE = ((62, 63, 64, 65, 66), (62, 61, 60, 67, 66))
_INNER_CANTHUS = (42, 39)
_INNER_CORNER = (64, 60)
_CANTHI = (36, 39, 42, 45)
_OUTWARDS = (1.0, -1.0)
"""Sign of x on the left and on the right side."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What one measure is.

    Attributes
    ----------
    name
        Name of its columns, without unit and side.
    unit
        "mm", "mm2" or "deg".
    floor
        Change that counts as a movement, in the unit: below it, ratios of both sides are not given.
    """

    name: str
    unit: str
    floor: float


SIDE_MEASURES: tuple[Measure, ...] = (
    Measure("brow_height", "mm", 1.0),
    Measure("upper_lid_distance", "mm", 0.5),
    Measure("lower_lid_distance", "mm", 0.5),
    Measure("fissure_height", "mm", 0.5),
    Measure("eye_area", "mm2", 10.0),
    Measure("commissure_distance", "mm", 1.0),
    Measure("commissure_lateral", "mm", 1.0),
    Measure("commissure_height", "mm", 1.0),
    Measure("smile_angle", "deg", 2.0),
    Measure("upper_lip_drop", "mm", 1.0),
    Measure("lower_lip_drop", "mm", 1.0),
    Measure("lip_gap", "mm", 1.0),
    Measure("mouth_area", "mm2", 15.0),
    Measure("eye_to_commissure", "mm", 1.0),
    Measure("commissure_to_lip", "mm", 1.0),
)
"""Measures of each side."""

MIDLINE_MEASURES: tuple[Measure, ...] = (
    Measure("nose_deviation", "mm", 1.0),
    Measure("philtrum_deviation", "mm", 1.0),
    Measure("lower_lip_deviation", "mm", 1.0),
    Measure("chin_deviation", "mm", 1.0),
)
"""Distances from the plane of symmetry, positive to the subject's left."""

_MIDLINE_POINTS = (33, 51, 57, 8)
_POWER = {"mm": 1, "mm2": 2, "deg": 0}


def side_measures(face: Array, irises: Array) -> dict[str, Array]:
    """Measure both sides.

    Parameters
    ----------
    face
        (N, 68, 2) x, y of the landmarks in the face's own frame, mm of the shape model.
    irises
        (N, 2, 2) centres of the left and of the right iris, likewise.

    Returns
    -------
    dict
        (2, N) float64 by the names in `SIDE_MEASURES`; lengths in mm of the shape model.
    """
    rows = [_one_side(face, irises[:, side], side) for side in (0, 1)]
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def midline_measures(face: Array) -> dict[str, Array]:
    """Distances (N,) of landmarks of the middle from the plane, by the names in `MIDLINE_MEASURES`."""
    return {
        measure.name: face[:, point, 0]
        for measure, point in zip(MIDLINE_MEASURES, _MIDLINE_POINTS, strict=True)
    }


def in_mm(values: dict[str, Array], mm_per_unit: float) -> dict[str, Array]:
    """The same in true units, from how many mm one mm of the shape model is."""
    units = {measure.name: measure.unit for measure in (*SIDE_MEASURES, *MIDLINE_MEASURES)}
    return {name: value * mm_per_unit ** _POWER[units[name]] for name, value in values.items()}


def scale_from_irises(radii: Array) -> float:
    """How many mm one mm of the shape model is for a person whose irises have these radii (N,); NaN unknown.

    The median over the frames: the size of a head does not change, and one frame's iris is known to a few
    percent only.
    """
    known = radii[np.isfinite(radii) & (radii > 0)]
    return float(IRIS_DIAMETER_MM / (2 * np.median(known))) if len(known) else float("nan")


def _one_side(face: Array, iris: Array, side: int) -> dict[str, Array]:
    out = _OUTWARDS[side]
    pupil_x, pupil_y = iris[:, 0], iris[:, 1]
    corner = face[:, _CORNER[side]]
    eyes = face[:, list(_CANTHI), 1].mean(axis=1)
    middle = height_at(face[:, list(_OUTER_LOWER)], np.zeros(len(face)))
    lateral, rise = out * corner[:, 0], middle - corner[:, 1]
    half, inner = corner[:, 0] / 2, face[:, _INNER_CORNER[side], 0] / 2
    a, b, c, d = _MIDDLE_OF_LIDS[side]
    return {
        "brow_height": pupil_y - height_at(face[:, list(_BROW[side])], pupil_x),
        "upper_lid_distance": pupil_y - height_at(face[:, list(_UPPER_LID[side])], pupil_x),
        "lower_lid_distance": height_at(face[:, list(_LOWER_LID[side])], pupil_x) - pupil_y,
        "fissure_height": (face[:, c, 1] + face[:, d, 1] - face[:, a, 1] - face[:, b, 1]) / 2,
        "eye_area": polygon_area(face[:, list(_EYE[side])]),
        "commissure_distance": np.hypot(lateral, rise),
        "commissure_lateral": lateral,
        "commissure_height": rise,
        "smile_angle": 90.0 + np.degrees(np.arctan2(rise, lateral)),
        "upper_lip_drop": height_at(face[:, list(_OUTER_UPPER)], half) - eyes,
        "lower_lip_drop": height_at(face[:, list(_OUTER_LOWER)], half) - eyes,
        "lip_gap": height_at(face[:, list(_INNER_LOWER)], inner)
        - height_at(face[:, list(_INNER_UPPER)], inner),
        "mouth_area": polygon_area(face[:, list(_INNER_SIDE[side])]),
        "eye_to_commissure": np.linalg.norm(corner - face[:, _INNER_CANTHUS[side]], axis=1),
        "commissure_to_lip": np.linalg.norm(corner - face[:, 57], axis=1),
    }


def height_at(curve: Array, x: Array) -> Array:
    """Height y of curves (N, k, 2), drawn through k points, at x (N,); beyond an end, that end's.

    Points of a curve may lie in any order of x; between neighbours it is straight.
    """
    result = np.where(
        np.abs(curve[:, 0, 0] - x) < np.abs(curve[:, -1, 0] - x), curve[:, 0, 1], curve[:, -1, 1]
    )
    found = np.zeros(len(x), np.bool_)
    for one, two in zip(curve.transpose(1, 0, 2)[:-1], curve.transpose(1, 0, 2)[1:], strict=True):
        width = two[:, 0] - one[:, 0]
        share = np.divide(x - one[:, 0], width, out=np.full(len(x), np.nan), where=width != 0)
        here = (share >= 0) & (share <= 1) & ~found
        result = np.where(here, one[:, 1] + share * (two[:, 1] - one[:, 1]), result)
        found |= here
    return np.where(np.isfinite(x), result, np.nan)


def polygon_area(polygon: Array) -> Array:
    """Area of polygons (N, k, 2), by the shoelace formula."""
    x, y = polygon[..., 0], polygon[..., 1]
    twice = (x * np.roll(y, -1, axis=1) - np.roll(x, -1, axis=1) * y).sum(axis=1)
    return np.asarray(np.abs(twice) / 2)

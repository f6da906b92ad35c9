import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.shape.mirror import MIRRORED
from mien.sides.measures import (
    MIDLINE_MEASURES,
    SIDE_MEASURES,
    height_at,
    in_mm,
    midline_measures,
    polygon_area,
    scale_from_irises,
    side_measures,
)
from sides_faces import symmetric_face

FACE = symmetric_face()[None, :, :2]
IRISES = np.stack([FACE[0, 42:48].mean(axis=0), FACE[0, 36:42].mean(axis=0)])[None]


def mirrored(face, irises):
    return face[:, MIRRORED] * (-1, 1), irises[:, ::-1] * (-1, 1)


def test_both_sides_of_a_symmetric_face_measure_the_same():
    found = side_measures(FACE, IRISES)
    assert set(found) == {measure.name for measure in SIDE_MEASURES}
    for values in found.values():
        assert np.isfinite(values).all()
        assert values[0] == pytest.approx(values[1], abs=1e-9)


def test_sides_of_a_mirrored_face_swap():
    rng = np.random.default_rng(2)
    face, irises = FACE + rng.normal(0, 1, FACE.shape), IRISES + rng.normal(0, 0.3, IRISES.shape)
    straight, turned = side_measures(face, irises), side_measures(*mirrored(face, irises))
    for name, values in straight.items():
        assert values[::-1] == pytest.approx(turned[name], abs=1e-9)
    for name, values in midline_measures(face).items():
        assert values == pytest.approx(-midline_measures(mirrored(face, irises)[0])[name], abs=1e-9)


@pytest.mark.parametrize(
    ("name", "move", "by"),
    [
        ("brow_height", {range(22, 27): (0, -2.0)}, 2.0),
        ("fissure_height", {(43, 44): (0, 1.5)}, -1.5),
        ("commissure_height", {(54,): (0, -3.0)}, 3.0),
        ("commissure_lateral", {(54,): (4.0, 0)}, 4.0),
        ("upper_lid_distance", {range(42, 46): (0, -1.0)}, 1.0),
        ("lower_lid_distance", {(42, 45, 46, 47): (0, 1.0)}, 1.0),
        ("lip_gap", {(64, 65, 66, 67, 60): (0, 5.0)}, 5.0),
    ],
)
def test_a_movement_of_the_left_side_shows_on_the_left_by_its_size(name, move, by):
    face = FACE.copy()
    for points, shift in move.items():
        face[0, list(points)] += shift
    before, after = side_measures(FACE, IRISES)[name], side_measures(face, IRISES)[name]
    # Moving an end of the inner lips moves the middle of its half a little.
    assert after[0] - before[0] == pytest.approx(by, rel=0.55 if name == "lip_gap" else 1e-9)
    if name not in ("lip_gap",):
        assert after[1] == pytest.approx(before[1])


def test_lengths_scale_with_the_iris_areas_with_its_square_and_angles_not():
    units = side_measures(FACE, IRISES)
    mm = in_mm(units, 1.3)
    for measure in SIDE_MEASURES:
        factor = {"mm": 1.3, "mm2": 1.69, "deg": 1.0}[measure.unit]
        assert mm[measure.name] == pytest.approx(units[measure.name] * factor)
    assert {measure.name for measure in MIDLINE_MEASURES} == set(midline_measures(FACE))


def test_the_scale_is_that_of_a_mean_iris():
    assert scale_from_irises(np.array([5.885, np.nan, 5.885, 50.0])) == pytest.approx(1.0)
    assert np.isnan(scale_from_irises(np.array([np.nan])))


@given(st.floats(-3, 3), st.integers(0, 2**31))
def test_heights_on_a_curve_are_those_that_numpy_interpolates(x, seed):
    rng = np.random.default_rng(seed)
    curve = np.stack([np.sort(rng.uniform(-2, 2, 5)), rng.normal(size=5)], axis=1)
    assert height_at(curve[None], np.array([x]))[0] == pytest.approx(np.interp(x, *curve.T), abs=1e-6)
    assert height_at(curve[None, ::-1], np.array([x]))[0] == pytest.approx(np.interp(x, *curve.T), abs=1e-6)


def test_areas_of_polygons():
    square = np.array([[[0, 0], [2, 0], [2, 3], [0, 3]]], float)
    assert polygon_area(square) == pytest.approx([6.0])
    assert polygon_area(square[:, ::-1]) == pytest.approx([6.0])

"""Regions of interest equal MediaPipe's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers_open import GOLDEN, read_golden
from mien.landmarks.face_region import FaceRegion, region_from_box, region_from_points


def as_row(region: FaceRegion) -> list[float]:
    return [region.cx, region.cy, region.side, region.rotation_rad]


@pytest.mark.parametrize("source", ["own", "mp"])
def test_region_of_the_next_frame_equals_the_golden_one(source):
    golden = read_golden(GOLDEN / "astronaut.npz")
    region = region_from_points(golden[f"{source}_landmarks"])
    np.testing.assert_allclose(as_row(region), golden[f"{source}_next_roi"], atol=1e-3, rtol=0)


def test_region_of_a_detection_equals_the_golden_one():
    golden = read_golden(GOLDEN / "astronaut.npz")
    row = golden["mp_det_short"][0]
    box = np.concatenate([row[1:3], row[3:5] - row[1:3]])
    region = region_from_box(box, row[5:9].reshape(2, 2))
    np.testing.assert_allclose(as_row(region), golden["mp_roi"], atol=1e-3, rtol=0)


def test_a_box_without_eyes_gives_an_upright_region():
    assert as_row(region_from_box(np.array([10.0, 20, 40, 60]))) == [30, 50, 90, 0]


finite = st.floats(-1000, 1000)


@given(finite, finite, st.floats(1, 1000), st.floats(-math.pi, math.pi), st.sampled_from([128, 192]))
def test_crop_matrix_takes_the_middle_to_the_centre_and_keeps_the_size(cx, cy, side, angle, size):
    matrix = FaceRegion(cx, cy, side, angle).crop_matrix(size)
    middle = matrix @ [size / 2, size / 2, 1]
    np.testing.assert_allclose(middle, [cx, cy], atol=1e-6)
    assert np.linalg.det(matrix[:, :2]) == pytest.approx((side / size) ** 2)
    right = matrix[:, 0] / (side / size)
    np.testing.assert_allclose(right, [math.cos(angle), math.sin(angle)], atol=1e-9)


@given(finite, finite, st.floats(1, 100))
def test_overlap_is_one_with_itself_and_falls_with_distance(cx, cy, side):
    region = FaceRegion(cx, cy, side, 0.3)
    assert region.overlap(region) == pytest.approx(1)
    assert region.overlap(FaceRegion(cx + side / 2, cy, side, 0)) == pytest.approx(1 / 3)
    assert region.overlap(FaceRegion(cx + 2 * side, cy, side, 0)) == 0

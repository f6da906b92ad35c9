"""Areas around landmarks: the quantised warp equals its definition and OpenCV 4 bit for bit."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers_kernels import area_of_interest, pack_similarity, place_reference, similarity_matrices
from helpers_landmarks import random_parameters, random_pdm
from mien.landmarks import area_kernels
from mien.landmarks.ccnf_kernels import lane_areas
from mien.runtime.lanes import LANES
from mien.shape.model import PointDistributionModel
from oracle import landmarks as oracle
from oracle import shape as shape_oracle

SEEDS = st.integers(0, 2**32 - 1)
SIDES = st.sampled_from([13, 15, 17, 19, 21, 23, 25])  # windows 3, 5 … 15


def noise(seed: int, height: int = 60, width: int = 80) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


@settings(max_examples=60, deadline=None)
@given(
    seed=SEEDS,
    x=st.floats(-40, 120, width=32),
    y=st.floats(-40, 100, width=32),
    a=st.floats(-6, 6, width=32),
    b=st.floats(-6, 6, width=32),
    side=SIDES,
)
def test_area_equals_its_definition(seed, x, y, a, b, side):
    gray = noise(seed)
    expected = oracle.area_of_interest(gray, x, y, a, b, side)
    np.testing.assert_array_equal(area_of_interest(gray, x, y, a, b, side), expected)


@settings(max_examples=200, deadline=None)
@given(
    seed=SEEDS,
    x=st.floats(-40, 120, width=32),
    y=st.floats(-40, 100, width=32),
    a=st.floats(-6, 6, width=32),
    b=st.floats(-6, 6, width=32),
    side=SIDES,
)
def test_area_equals_opencvs_warp(seed, x, y, a, b, side):
    gray = noise(seed)
    expected = cv2.warpAffine(
        gray.astype(np.float32),
        oracle.warp_matrix(x, y, a, b, side),
        (side, side),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    np.testing.assert_array_equal(area_of_interest(gray, x, y, a, b, side), expected)


@pytest.mark.parametrize("side", [13, 19, 25])
def test_centre_of_the_area_is_the_landmark(side):
    gray = noise(1)
    area = area_of_interest(gray, 40, 30, 0.7, -0.4, side)
    assert area[side // 2, side // 2] == gray[30, 40]


def test_unturned_area_at_unit_scale_is_a_crop():
    gray = noise(2)
    np.testing.assert_array_equal(area_of_interest(gray, 40, 30, 1, 0, 19), gray[21:40, 31:50])


def test_pixels_outside_the_image_count_as_zero_one_by_one():
    gray = np.full((40, 40), 200, np.uint8)
    area = area_of_interest(gray, -0.5, 20, 1, 0, 13)
    assert (area[:, :6] == 0).all()
    assert (area[:, 6] == 100).all()
    assert (area[:, 7:] == 200).all()


@pytest.mark.parametrize("place", [-1e3, 1e3, -1e5, 1e5, -1e8, 1e8, -3e38, 3e38, np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("axis", [0, 1])
def test_landmark_far_outside_the_image_gives_a_black_area(place, axis):
    point = [20.0, 20.0]
    point[axis] = place
    assert not area_of_interest(noise(3), *point, 1.0, 0.25, 19).any()


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_similarity_that_is_no_number_reads_nothing_outside_the_image(value):
    area = area_of_interest(noise(4), 20, 20, value, value, 19)
    assert np.isfinite(area).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 2)])
def test_image_smaller_than_the_area_is_padded_with_zeros(shape):
    gray = np.full(shape, 77, np.uint8)
    expected = oracle.area_of_interest(gray, 0.3, 0.6, 0.8, 0.3, 19)
    np.testing.assert_array_equal(area_of_interest(gray, 0.3, 0.6, 0.8, 0.3, 19), expected)


# --- similarity -------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(seed=SEEDS, scale=st.sampled_from([0.25, 0.35, 0.5, 1.0, 1.5]))
def test_reference_frame_equals_kabschs_solution(seed, scale):
    rng = np.random.default_rng(seed)
    record = random_pdm(rng)
    glob, local = random_parameters(rng, record)
    glob[1:4] *= 0.8
    pdm = PointDistributionModel(record)
    base, packed = place_reference(pdm, glob, local, scale)
    image, expected = oracle.place_reference(shape_oracle.model(record), glob, local, scale)
    np.testing.assert_allclose(base, image, atol=2e-4)
    a, b = similarity_matrices(packed)
    np.testing.assert_allclose(a, expected, atol=1e-5 * np.abs(expected).max())
    np.testing.assert_allclose(a @ b, np.eye(2), atol=1e-6)
    np.testing.assert_array_equal(pack_similarity(a, b), packed)


def test_roll_alone_is_undone_by_the_similarity():
    pdm = PointDistributionModel(random_pdm(np.random.default_rng(5)))
    glob = np.array([2, 0, 0, 0.3, 100, 90], np.float32)
    _, packed = place_reference(pdm, glob, np.zeros(pdm.n_modes, np.float32), 0.5)
    back = 0.25 * np.array([[np.cos(0.3), np.sin(0.3)], [-np.sin(0.3), np.cos(0.3)]])
    np.testing.assert_allclose(similarity_matrices(packed)[0], back, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    a=st.floats(-3, 3),
    b=st.floats(-3, 3),
    side=st.sampled_from([13, 15, 19, 25]),
    exact=st.booleans(),
)
def test_areas_of_a_group_are_those_of_its_landmarks_less_a_whole_level(seed, a, b, side, exact):
    """Inside the picture, at its border, outside and nowhere; lanes without a landmark do not matter."""
    rng = np.random.default_rng(seed)
    gray = rng.integers(0, 256, (120, 150)).astype(np.uint8)
    points = rng.uniform([[-20], [-20]], [[170], [140]], (2, LANES)).astype(np.float32)
    points[:, : LANES // 2] = rng.uniform(60, 70, (2, LANES // 2))
    points[rng.integers(2), -1] = rng.choice([np.nan, np.inf, -1e9, 1e6])
    landmarks = rng.permutation(LANES).astype(np.int32)
    landmarks[rng.integers(LANES)] = -1
    similarity = np.array([0, 0, a, b], np.float32)
    areas = np.full(side * side * LANES, np.nan, np.float32)
    lane_areas(gray, points, similarity, side, landmarks, exact, areas)
    assert np.isfinite(areas).all()
    for lane, i in enumerate(landmarks):
        if i >= 0:
            alone = np.empty(side * side, np.float32)
            warp = area_kernels.exact_area_of_interest if exact else area_kernels.area_of_interest
            warp(gray, points[0, i], points[1, i], similarity[2], similarity[3], side, alone)
            level = alone - areas[lane::LANES]
            assert abs(level - np.rint(level[0])).max() <= (1e-4 if exact else 0)

"""Responses of CCNF patch experts equal their definition (docs/algorithms/patch-experts-ccnf.md)."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers_kernels import unpack_responses
from helpers_landmarks import random_ccnf, textured
from mien.errors import ModelFileError
from mien.landmarks import kernels
from mien.landmarks.patch_experts import CcnfPatchExperts, factor_precisions
from mien.models.readers import read_landmark_model
from mien.runtime.lanes import LANES
from oracle import landmarks as oracle

pytestmark = pytest.mark.usefixtures("private_cache")
SEEDS = st.integers(0, 2**32 - 1)
WINDOWS = (3, 5, 7, 9, 11, 13, 15)
TOLERANCE = 1e-4  # of a map's maximum


def respond(experts: CcnfPatchExperts, gray, view, points, b, window) -> np.ndarray:
    """(n, w, w) maps; ``points`` (2, n), ``b`` (2,): B00 and B10."""
    square = b[0] ** 2 + b[1] ** 2
    similarity = np.array([b[0] / square, -b[1] / square, *b], np.float32)
    out = np.full((window**2, points.shape[1]), np.nan, np.float32)
    experts.responses(gray, view, np.ascontiguousarray(points, np.float32), similarity, window, out)
    return unpack_responses(out)


def assert_maps_agree(actual: np.ndarray, expected: np.ndarray) -> None:
    for got, wanted in zip(actual, expected, strict=True):
        assert np.abs(got - wanted).max() <= TOLERANCE * wanted.max()


@settings(max_examples=15, deadline=None)
@given(
    seed=SEEDS,
    window=st.sampled_from(WINDOWS),
    neurons=st.integers(1, 7),
    b=st.tuples(st.floats(-3, 3), st.floats(0.3, 3)),
)
def test_responses_equal_their_definition(seed, window, neurons, b):
    rng = np.random.default_rng(seed)
    record = random_ccnf(rng, 4, neurons=neurons, hidden=((), (2,)))
    gray = textured(rng)
    points = rng.uniform([[-30], [-30]], [[350], [270]], (2, 4)).astype(np.float32)
    for view in range(2):
        expected = oracle.ccnf_responses(
            gray, points, np.float32(b), record, view, window, record.sigma_components
        )
        assert_maps_agree(respond(CcnfPatchExperts(record), gray, view, points, b, window), expected)


@pytest.mark.parametrize("window", WINDOWS)
def test_no_response_is_negative(window):
    rng = np.random.default_rng(window)
    record = random_ccnf(rng, 4)
    maps = respond(
        CcnfPatchExperts(record), textured(rng), 0, rng.uniform(20, 200, (2, 4)), (1.5, 0.2), window
    )
    assert maps.min() >= 0
    assert (maps.max(axis=(1, 2)) > 0).all()


def test_invisible_landmarks_get_zeros():
    rng = np.random.default_rng(7)
    record = random_ccnf(rng, 5, hidden=((), (1, 3)))
    maps = respond(CcnfPatchExperts(record), textured(rng), 1, rng.uniform(20, 200, (2, 5)), (1, 0), 9)
    assert not maps[[1, 3]].any()
    assert (maps[[0, 2, 4]].max(axis=(1, 2)) > 0).all()


def flat_picture(kind: str) -> np.ndarray:
    gray = np.full((240, 320), 255, np.uint8)
    rng = np.random.default_rng(9)
    if kind == "white":
        return gray
    if kind == "black":
        return np.zeros_like(gray)
    if kind == "faint noise":
        return (gray - rng.integers(0, 2, gray.shape)).astype(np.uint8)
    # The landmark itself is dark, everything else nearly flat and bright.
    gray = (gray - (rng.random(gray.shape) < 0.01)).astype(np.uint8)
    gray[100, 100] = 0
    return gray


@pytest.mark.parametrize("kind", ["white", "black", "faint noise", "dark landmark"])
@pytest.mark.parametrize("window", WINDOWS)
def test_flat_pictures_agree_with_the_definition(kind, window):
    """The contrast normalisation must not amplify rounding where there is no contrast."""
    gray = flat_picture(kind)
    record = random_ccnf(np.random.default_rng(10), 3)
    points = np.array([[100.0, 104.25, 150.5], [100.0, 91.5, 60.75]], np.float32)
    expected = oracle.ccnf_responses(gray, points, (1.0, 0.0), record, 0, window, record.sigma_components)
    assert_maps_agree(respond(CcnfPatchExperts(record), gray, 0, points, (1.0, 0.0), window), expected)


@pytest.mark.parametrize("place", [np.nan, np.inf, -1e9, 1e9])
def test_landmark_that_is_nowhere_gets_the_response_of_a_black_picture(place):
    rng = np.random.default_rng(11)
    record = random_ccnf(rng, 3)
    points = np.array([[100, place, 120], [50, 60, place]], np.float32)
    maps = respond(CcnfPatchExperts(record), textured(rng), 0, points, (1.0, 0.3), 9)
    black = respond(CcnfPatchExperts(record), np.zeros((50, 50), np.uint8), 0, points, (1.0, 0.3), 9)
    np.testing.assert_array_equal(maps[1:], black[1:])
    assert np.isfinite(maps).all()


def test_neurons_of_next_to_no_weight_count_in_sigma_only():
    """alpha <= 1e-4 is left out of b, not of the precision."""
    rng = np.random.default_rng(12)
    record = random_ccnf(rng, 3, windows=())
    alphas = np.zeros_like(record.alphas)
    alphas[..., 0] = 1e-4
    alphas[..., 1] = 1.1e-4
    record = dataclasses.replace(record, alphas=alphas)
    gray, points = textured(rng), rng.uniform(50, 200, (2, 3)).astype(np.float32)
    maps = respond(CcnfPatchExperts(record), gray, 0, points, (1, 0), 5)
    assert_maps_agree(maps, oracle.ccnf_responses(gray, points, (1, 0), record, 0, 5, {}))
    # One sigmoid, twice 1.1e-4, divided by twice the sum of both.
    assert maps.max() <= 1.1 / 2.1


def test_window_without_components_only_rescales_the_potential():
    rng = np.random.default_rng(13)
    record = random_ccnf(rng, 3, windows=(7, 9))
    gray, points = textured(rng), rng.uniform(50, 200, (2, 3)).astype(np.float32)
    maps = respond(CcnfPatchExperts(record), gray, 0, points, (1, 0), 5)
    for i in range(3):
        area = oracle.area_of_interest(gray, *points[:, i], 1, 0, 15)
        potential = oracle.ccnf_potential(area, record, 0, i) / (2 * record.alphas[0, i].sum())
        np.testing.assert_allclose(maps[i], potential, rtol=1e-4)


def test_components_of_another_file_may_take_the_place_of_the_own():
    rng = np.random.default_rng(14)
    record = random_ccnf(rng, 3)
    other = {9: 2 * record.sigma_components[9]}
    gray, points = textured(rng), rng.uniform(50, 200, (2, 3)).astype(np.float32)
    maps = respond(CcnfPatchExperts(record, other), gray, 0, points, (1, 0), 9)
    assert_maps_agree(maps, oracle.ccnf_responses(gray, points, (1, 0), record, 0, 9, other))


def test_more_neurons_than_the_kernel_holds_are_refused():
    record = random_ccnf(np.random.default_rng(15), 3, neurons=8)
    experts = CcnfPatchExperts(record)
    with pytest.raises(ModelFileError, match="expected at most 7 neurons per patch expert, got 8"):
        respond(experts, np.zeros((40, 40), np.uint8), 0, np.full((2, 3), 20.0), (1, 0), 5)


# --- views ------------------------------------------------------------------------------------------------


def oriented(*angles):
    """Global parameters of a face that is turned."""
    return np.array([1, *angles, 0, 0], np.float32)


@settings(deadline=None)
@given(angles=st.tuples(*[st.floats(-2, 2, width=32)] * 3), seed=SEEDS)
def test_view_is_the_nearest_one(angles, seed):
    centers = np.random.default_rng(seed).normal(0, 0.7, (7, 3))
    assert kernels.nearest_view(oriented(*angles), centers) == oracle.nearest_view(angles, centers)


def test_first_of_equally_near_views_wins():
    centers = np.array([[0, 1, 0], [0, 0.5, 0], [0, -0.5, 0], [0, 0.5, 0]], float)
    assert kernels.nearest_view(oriented(0, 0, 0), centers) == 1


# --- golden values ----------------------------------------------------------------------------------------


@pytest.mark.models
def test_response_has_the_golden_values(openface_dir):
    """CCNF general, scale 0.35, view 0, landmark 30, window 9, of a synthetic area."""
    model = read_landmark_model(openface_dir / "LandmarkDetector/model/main_clnf_general.txt")
    record = model.patch_experts[1]
    y, x = np.mgrid[:19, :19]
    gray = ((7 * x + 13 * y + x * y) % 256).astype(np.uint8)
    # Around its centre, unturned and at unit scale, the picture is its own area.
    points = np.full((2, 68), 9, np.float32)
    response = respond(CcnfPatchExperts(record), gray, 0, points, (1.0, 0.0), 9)[30]
    np.testing.assert_allclose(response[[0, 2, 8], [0, 5, 8]], [0.000297, 0.018167, 0.000376], atol=1e-6)
    assert response.sum() == pytest.approx(0.184022, rel=1e-4)
    assert np.unravel_index(response.argmax(), (9, 9)) == (2, 5)
    assert record.alphas[0, 30].sum() == pytest.approx(57.865161, rel=1e-6)
    potential = oracle.ccnf_potential(gray.astype(np.float32), record, 0, 30)
    np.testing.assert_allclose(potential[[0, 2, 8], [0, 5, 8]], [0.000054, 3.028383, 0.000934], atol=1e-6)


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS, window=st.sampled_from([7, 9]), components=st.booleans())
def test_factors_of_the_precisions_multiply_to_them(seed, window, components):
    record = random_ccnf(np.random.default_rng(seed), 3, windows=(window,) if components else ())
    landmarks = np.full((1, LANES), -1, np.int32)
    landmarks[0, :3] = 2, 0, 1
    matrices = record.sigma_components.get(window, np.zeros((0, 1, 1), np.float32))
    factor = factor_precisions(landmarks, record, 0, window, matrices)
    assert factor.shape[2] == (3 * window + 1 if components else 1)
    for lane in range(3):
        lower = np.eye(window**2)
        for k in range(1, factor.shape[2]):
            rows = np.arange(window**2 - k)
            lower[rows + k, rows] = factor[0, rows, k, lane]
        precision = lower @ np.diag(1 / factor[0, :, 0, lane].astype(float)) @ lower.T
        sigma = oracle.ccnf_sigma(record, 0, landmarks[0, lane], window, record.sigma_components)
        np.testing.assert_allclose(precision @ sigma, np.eye(window**2), atol=1e-5)

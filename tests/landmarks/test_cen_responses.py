"""Responses of CEN patch experts equal their definition (docs/algorithms/patch-experts-ce-clm.md)."""

from __future__ import annotations

import dataclasses
import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers_cen import random_cen, random_layers
from helpers_kernels import unpack_responses
from helpers_landmarks import textured
from mien.errors import ModelFileError, OptionError
from mien.landmarks import area_kernels, cen_kernels
from mien.landmarks.cen import CenPatchExperts
from mien.landmarks.cen_layout import pack_experts, panel_widths
from mien.landmarks.cen_onnx import CenOnnxPatchExperts
from mien.landmarks.vector_code import ROWS
from mien.models.records import DenseLayer
from mien.runtime.lanes import LANES
from mien.storage.array_cache import ArrayCache
from oracle import cen as oracle
from oracle import landmarks as landmarks_oracle

pytestmark = pytest.mark.usefixtures("private_cache")
SEEDS = st.integers(0, 2**32 - 1)
WINDOWS = (3, 5, 7, 9, 11, 13, 15)
TOLERANCE = 1e-4  # of a map's maximum
SIGMOID, LINEAR, RECTIFIER = 0, 1, 2
N = 5


def respond(experts: CenPatchExperts, gray, view, points, b, window) -> np.ndarray:
    """(n, w, w) maps; ``points`` (2, n), ``b`` (2,): B00 and B10."""
    square = b[0] ** 2 + b[1] ** 2
    similarity = np.array([b[0] / square, -b[1] / square, *b], np.float32)
    out = np.full((window**2, points.shape[1]), np.nan, np.float32)
    experts.responses(gray, view, np.ascontiguousarray(points, np.float32), similarity, window, out)
    return unpack_responses(out)


def assert_maps_agree(actual: np.ndarray, expected: np.ndarray) -> None:
    for got, wanted in zip(actual, expected, strict=True):
        assert np.abs(got - wanted).max() <= TOLERANCE * np.abs(wanted).max()


# --- networks ---------------------------------------------------------------------------------------------


def run_network(layers: tuple[DenseLayer, ...], inputs: np.ndarray) -> np.ndarray:
    """Outputs of a network for rows of inputs, by the kernels; ``inputs`` (rows, 122)."""
    record = dataclasses.replace(random_cen(np.random.default_rng(0), 1), experts=((layers,), ((),), ((),)))
    packed = pack_experts(record)
    x, y = packed.scratch(len(inputs))
    x[: len(inputs), : inputs.shape[1]] = inputs
    rows = -(-len(inputs) // ROWS) * ROWS
    return cen_kernels.cen_network(x, y, rows, packed.weights, 0, packed.tables[0])[: len(inputs), 0].copy()


@settings(max_examples=60, deadline=None)
@given(
    seed=SEEDS,
    shape=st.lists(st.tuples(st.integers(1, 150), st.integers(0, 3)), min_size=0, max_size=4),
    last=st.integers(0, 3),
    rows=st.integers(1, 60),
)
def test_networks_of_any_widths_and_activations_equal_their_definition(seed, shape, last, rows):
    rng = np.random.default_rng(seed)
    widths, activations = zip(*shape, (1, last), strict=True)
    layers = random_layers(rng, widths, activations)
    inputs = rng.normal(0, 0.1, (rows, 122)).astype(np.float32)
    expected = np.array([oracle.dense(layers, row.astype(float)) for row in inputs])
    np.testing.assert_allclose(run_network(layers, inputs), expected, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("activation", [SIGMOID, LINEAR, RECTIFIER, 7])
def test_activation_codes(activation):
    weight = np.zeros((1, 122), np.float32)
    weight[0, 1] = 1
    inputs = np.zeros((5, 122), np.float32)
    inputs[:, 1] = [-100, -1, 0, 1, 100]
    values = run_network((DenseLayer(weight, np.full(1, 0.5, np.float32), activation),), inputs)
    z = inputs[:, 1].astype(float) + 0.5
    expected = {SIGMOID: 0.5 * (1 + np.tanh(z / 2)), RECTIFIER: np.maximum(z, 0)}.get(activation, z)
    np.testing.assert_allclose(values, expected, rtol=1e-6, atol=1e-30)


def test_numbers_that_are_none_stay_none():
    """A rectifier must not turn NaN into zero: a broken expert has to be seen."""
    weight = np.full((1, 122), np.nan, np.float32)
    layers = (DenseLayer(weight, np.zeros(1, np.float32), RECTIFIER),)
    assert np.isnan(run_network(layers, np.ones((3, 122), np.float32))).all()


@pytest.mark.parametrize("outputs", [1, 9, 16, 50, 100, 200, 300, 500])
def test_panels_hold_all_outputs_in_whole_vectors(outputs):
    widths = panel_widths(outputs)
    assert sum(widths) == -(-outputs // LANES) * LANES
    assert all(width % LANES == 0 and width <= 3 * LANES for width in widths)


# --- checkerboard -----------------------------------------------------------------------------------------


def interpolation_by_kernel(window: int) -> np.ndarray:
    """The matrix that the kernel applies, one unit vector at a time; positions column by column."""
    count = (window**2 - 1) // 2
    matrix = np.empty((count, window**2))
    grid = np.empty((window, window), np.float32)
    for k in range(count):
        values = np.zeros((count, 4), np.float32)
        values[k, 0] = 1
        out = np.full((window**2, 1), np.nan, np.float32)
        cen_kernels.cen_spread(values, 0, window, False, 0, grid, out)
        matrix[k] = out.reshape(window, window).T.reshape(-1)
    return matrix


def test_interpolation_of_a_small_window_is_the_golden_one():
    golden = [
        [0.5, 1, 0.5, 0, 0.25, 0, 0, 0, 0],
        [0.5, 0, 0, 1, 0.25, 0, 0.5, 0, 0],
        [0, 0, 0.5, 0, 0.25, 1, 0, 0, 0.5],
        [0, 0, 0, 0, 0.25, 0, 0.5, 1, 0.5],
    ]
    np.testing.assert_array_equal(interpolation_by_kernel(3), golden)
    np.testing.assert_array_equal(oracle.interpolation_matrix(3), golden)


@pytest.mark.parametrize("window", WINDOWS)
def test_interpolation_equals_its_definition(window):
    np.testing.assert_allclose(
        interpolation_by_kernel(window), oracle.interpolation_matrix(window), rtol=1e-6
    )


@pytest.mark.models
def test_interpolation_equals_the_originals(reference_dir):
    with np.load(reference_dir / "ce_clm/stages/interp.npz") as archive:
        for name in archive.files:
            np.testing.assert_allclose(
                interpolation_by_kernel(int(name[1:])), archive[name], rtol=1e-6, err_msg=name
            )


# --- responses --------------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(
    seed=SEEDS,
    window=st.sampled_from(WINDOWS),
    n=st.integers(1, N),
    b=st.tuples(st.floats(-3, 3), st.floats(0.3, 3)),
    last=st.sampled_from([SIGMOID, LINEAR]),
)
def test_responses_equal_their_definition(seed, window, n, b, last):
    rng = np.random.default_rng(seed)
    record = random_cen(rng, n, activations=(RECTIFIER, SIGMOID, last), hidden=((), (0,), ()))
    gray = textured(rng)
    points = rng.uniform([[-30], [-30]], [[350], [270]], (2, n)).astype(np.float32)
    experts = CenPatchExperts(record)
    for view in range(3):
        expected = oracle.responses(gray, points, np.float32(b), record, view, window)
        assert_maps_agree(respond(experts, gray, view, points, b, window), expected)


def test_mirrored_landmark_sees_the_mirrored_picture():
    """A symmetric picture gives both landmarks of a pair mirrored maps, in every view."""
    rng = np.random.default_rng(3)
    half = textured(rng, 240, 160)
    gray = np.ascontiguousarray(np.hstack([half, half[:, ::-1]]))
    points = np.array([[100.0, 219, 120, 199], [90, 90, 150, 150]], np.float32)
    experts = CenPatchExperts(random_cen(rng, 4))
    frontal = respond(experts, gray, 0, points, (1.0, 0.0), 9)
    for left, right in ((0, 1), (2, 3)):
        np.testing.assert_allclose(frontal[left], frontal[right][:, ::-1], rtol=1e-5, atol=1e-6)
    one, other = (respond(experts, gray, view, points, (1.0, 0.0), 9) for view in (1, 2))
    for landmark in range(4):
        np.testing.assert_allclose(one[landmark], other[landmark ^ 1][:, ::-1], rtol=1e-5, atol=1e-6)


def test_invisible_landmarks_get_zeros():
    rng = np.random.default_rng(4)
    experts = CenPatchExperts(random_cen(rng, N, hidden=((), (1,), (0,))))
    for view, hidden in ((1, 1), (2, 0)):
        maps = respond(experts, textured(rng), view, rng.uniform(50, 200, (2, N)), (1.5, 0), 7)
        assert not maps[hidden].any()
        assert (np.delete(np.abs(maps).max(axis=(1, 2)), hidden) > 0).all()


def test_landmark_without_any_expert_is_left_out(caplog):
    """Neither its own nor a mirrored one is stored: it counts as invisible, and the log says so."""
    rng = np.random.default_rng(5)
    record = random_cen(rng, N)
    views = [list(view) for view in record.experts]
    views[1][2] = ()
    with caplog.at_level(logging.WARNING):
        experts = CenPatchExperts(dataclasses.replace(record, experts=tuple(map(tuple, views)), scale=0.5))
    assert "0.5" in caplog.text
    assert "2 of view 1, 3 of view 2" in caplog.text
    assert experts.visibility.sum() == record.visibility.sum() - 2
    maps = respond(experts, textured(rng), 1, rng.uniform(50, 200, (2, N)), (1.5, 0), 7)
    assert not maps[2].any()
    assert np.isfinite(maps).all()


def test_pair_that_has_both_experts_uses_the_later_one_for_both():
    """Landmarks are gone through in order, and every frontal expert serves its mirror too."""
    rng = np.random.default_rng(6)
    record = random_cen(rng, 2)
    full = (random_layers(rng), record.experts[0][1])
    record = dataclasses.replace(record, experts=(full, *record.experts[1:]))
    gray, points = textured(rng), rng.uniform(50, 200, (2, 2)).astype(np.float32)
    expected = oracle.responses(gray, points, np.float32((1.2, 0.1)), record, 0, 7)
    assert_maps_agree(respond(CenPatchExperts(record), gray, 0, points, (1.2, 0.1), 7), expected)


@pytest.mark.parametrize("level", [0, 255])
def test_windows_without_contrast_are_zeros(level):
    """The norm is 0, so it counts as 1: only the constant input is left."""
    rng = np.random.default_rng(7)
    record = random_cen(rng, 3)
    maps = respond(
        CenPatchExperts(record), np.full((240, 320), level, np.uint8), 0, np.full((2, 3), 100.0), (1, 0), 7
    )
    alone = np.zeros(122)
    alone[0] = 1
    for landmark, owner in ((0, 1), (1, 1), (2, 2)):
        np.testing.assert_allclose(maps[landmark], oracle.dense(record.experts[0][owner], alone), rtol=1e-5)


@pytest.mark.parametrize("place", [np.nan, np.inf, -1e9, 1e9])
def test_landmark_that_is_nowhere_gets_the_response_of_a_black_picture(place):
    rng = np.random.default_rng(8)
    experts = CenPatchExperts(random_cen(rng, 3))
    points = np.array([[100, place, 120], [50, 60, place]], np.float32)
    maps = respond(experts, textured(rng), 0, points, (1.0, 0.3), 9)
    black = respond(experts, np.zeros((50, 50), np.uint8), 0, points, (1.0, 0.3), 9)
    np.testing.assert_array_equal(maps[1:], black[1:])
    assert np.isfinite(maps).all()


@pytest.mark.parametrize("threads", [2, 3, 8])
def test_any_number_of_threads_gives_the_same_bits(threads):
    rng = np.random.default_rng(9)
    record = random_cen(rng, N)
    gray, points = textured(rng), rng.uniform(50, 200, (2, N))
    alone, together = CenPatchExperts(record), CenPatchExperts(record, threads=threads)
    for view in (0, 1, 2, 0):
        for window in (5, 9):
            expected = respond(alone, gray, view, points, (1.5, 0.2), window)
            actual = respond(together, gray, view, points, (1.5, 0.2), window)
            np.testing.assert_array_equal(actual, expected)


def test_experts_of_different_shapes_live_together():
    rng = np.random.default_rng(10)
    record = random_cen(rng, 4)
    frontal = list(record.experts[0])
    frontal[3] = random_layers(rng, (70, 33, 17, 1), (RECTIFIER, LINEAR, SIGMOID, LINEAR))
    record = dataclasses.replace(record, experts=(tuple(frontal), *record.experts[1:]))
    gray, points = textured(rng), rng.uniform(50, 200, (2, 4)).astype(np.float32)
    expected = oracle.responses(gray, points, np.float32((1.2, 0.1)), record, 0, 9)
    assert_maps_agree(respond(CenPatchExperts(record), gray, 0, points, (1.2, 0.1), 9), expected)


def test_experts_with_another_support_are_refused():
    rng = np.random.default_rng(11)
    record = random_cen(rng, 1)
    layers = (DenseLayer(np.ones((1, 50), np.float32), np.ones(1, np.float32), 0),)
    with pytest.raises(ModelFileError, match=r"expected networks of 122 inputs.*got 50"):
        CenPatchExperts(dataclasses.replace(record, experts=((layers,), ((),), ((),))))


@pytest.mark.parametrize("window", [0, 4, 8, 17])
def test_windows_without_a_checkerboard_are_refused(window):
    rng = np.random.default_rng(15)
    for experts in (
        CenPatchExperts(random_cen(rng, 2)),
        CenOnnxPatchExperts(random_cen(rng, 2), device="cpu"),
    ):
        with pytest.raises(OptionError, match="expected odd sizes below 16"):
            respond(experts, textured(rng), 0, np.full((2, 2), 100.0), (1, 0), window)


# --- cache ------------------------------------------------------------------------------------------------


def test_packed_weights_are_mapped_and_found_again(tmp_path):
    rng = np.random.default_rng(12)
    record = random_cen(rng, N)
    cache = ArrayCache(tmp_path)
    first = pack_experts(record, cache)
    (path,) = tmp_path.glob("cen-*.npy")
    written = path.stat().st_mtime_ns
    again = pack_experts(record, cache)
    assert path.stat().st_mtime_ns == written
    np.testing.assert_array_equal(first.weights, again.weights)
    base = again.weights
    while base is not None and not isinstance(base, np.memmap):
        base = base.base
    assert base is not None


def test_other_weights_are_packed_anew(tmp_path):
    rng = np.random.default_rng(13)
    record = random_cen(rng, N)
    cache = ArrayCache(tmp_path)
    pack_experts(record, cache)
    layer = record.experts[0][1][0]
    changed = DenseLayer(layer.weight, layer.bias + 1, layer.activation)
    frontal = ((), (changed, *record.experts[0][1][1:]), *record.experts[0][2:])
    pack_experts(dataclasses.replace(record, experts=(frontal, *record.experts[1:])), cache)
    assert len(list(tmp_path.glob("cen-*.npy"))) == 2


def test_window_inputs_begin_with_one_and_go_column_by_column():
    area = landmarks_oracle.area_of_interest(textured(np.random.default_rng(14)), 100, 90, 1.0, 0.0, 13)
    inputs = oracle.window_inputs(area, 1, 0)
    assert inputs.shape == (122,)
    assert inputs[0] == 1
    window = landmarks_oracle.normalised_window(area, 1, 0)
    assert inputs[1 + 11 * 2 + 5] == window[5, 2]


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS, window=st.sampled_from((5, 9)))
def test_responses_without_the_grid_are_those_of_bilinear_areas(seed, window):
    """The exact fit (docs/algorithms/numerical-noise.md): areas by exact interpolation."""
    rng = np.random.default_rng(seed)
    record = random_cen(rng, 2)
    gray, points = textured(rng), rng.uniform(80, 160, (2, 2)).astype(np.float32)
    b = np.float32((1.3, 0.4))
    areas = []
    for x, y in points.T:
        area = np.empty((window + 10, window + 10), np.float32)
        area_kernels.exact_area_of_interest(gray, x, y, *b, window + 10, area.reshape(-1))
        areas.append(area)
    expected = oracle.responses_of_areas(areas, record, 0)
    actual = respond(CenPatchExperts(record, exact=True), gray, 0, points, b, window)
    assert_maps_agree(actual, np.stack([expected[i] for i in range(2)]))
    assert np.abs(actual - respond(CenPatchExperts(record), gray, 0, points, b, window)).max() > 0

"""Mean shifts, NU-RLMS and likelihood equal their definitions (docs/algorithms/fitting-nu-rlms.md)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from helpers_kernels import (
    kernel_table,
    log_likelihood,
    mean_shifts,
    optimise,
    place_reference,
    similarity_matrices,
)
from helpers_landmarks import random_pdm
from mien.shape.model import PointDistributionModel, ShapeParameters
from oracle import landmarks as oracle
from oracle import shape as shape_oracle

SEEDS = st.integers(0, 2**32 - 1)
WINDOWS = st.sampled_from([3, 5, 7, 9, 11, 13, 15])
SIGMAS = st.floats(0.8, 3)
GRID_MARGIN = 3e-4  # px, float32 noise of a position in a map


def random_responses(rng: np.random.Generator, n: int, window: int) -> np.ndarray:
    """(n, w, w) maps with one soft peak each over a low floor."""
    r, c = np.mgrid[:window, :window]
    centers = rng.uniform(0, window - 1, (n, 2, 1, 1))
    peaks = np.exp(-((r - centers[:, 0]) ** 2 + (c - centers[:, 1]) ** 2) / rng.uniform(1, 8, (n, 1, 1)))
    return (peaks + 0.05 * rng.random((n, window, window))).astype(np.float32)


# --- kernel and mean shift --------------------------------------------------------------------------------


@settings(deadline=None)
@given(window=WINDOWS, sigma=SIGMAS)
def test_kernel_table_holds_a_gaussian_on_a_grid_of_a_tenth(window, sigma):
    table = kernel_table(window, sigma)
    assert table.shape == (window, 10 * window)
    place = np.arange(10 * window) / 10 - np.arange(window)[:, None]
    np.testing.assert_allclose(table, np.exp(-(place**2) / (2 * sigma**2)), rtol=2e-5, atol=1e-30)


@settings(deadline=None, max_examples=50)
@given(seed=SEEDS, window=WINDOWS, sigma=SIGMAS)
def test_mean_shifts_equal_their_definition(seed, window, sigma):
    rng = np.random.default_rng(seed)
    responses = random_responses(rng, 6, window)
    positions = rng.uniform(-3, window + 3, (2, 6)).astype(np.float32)
    visible = np.array([True, True, False, True, True, True])
    shifts = mean_shifts(responses, positions, visible, kernel_table(window, sigma))
    expected = oracle.mean_shifts(responses, positions, visible, sigma)
    np.testing.assert_allclose(shifts, expected, atol=2e-5)


@pytest.mark.parametrize("window", [3, 9, 15])
@pytest.mark.parametrize("offset", [-1e-4, 0.0, 1e-4])
def test_grid_rounds_half_a_step_up_like_the_original(window, offset):
    """The kernel's centre jumps at odd multiples of 0.05; float32 decides on which side a position is."""
    rng = np.random.default_rng(window)
    places = (np.arange(0.05, window, 0.1) + offset).astype(np.float32)
    responses = random_responses(rng, len(places), window)
    positions = np.stack([places, places[::-1]])
    visible = np.ones(len(places))
    shifts = mean_shifts(responses, positions, visible, kernel_table(window, 1.5))
    np.testing.assert_allclose(shifts, oracle.mean_shifts(responses, positions, visible, 1.5), atol=2e-5)


def test_kernel_moves_by_tenths_but_the_subtracted_position_does_not():
    responses = random_responses(np.random.default_rng(1), 1, 9)
    table = kernel_table(9, 1.5)
    first, second = (
        mean_shifts(responses, np.array([[x], [4.0]]), np.ones(1), table)[0, 0] for x in (3.26, 3.34)
    )
    assert first - second == pytest.approx(0.08, abs=1e-5)


@pytest.mark.parametrize("place", [-1e9, -0.1, 1e9, np.inf, -np.inf])
def test_positions_outside_the_map_are_clamped(place):
    responses = random_responses(np.random.default_rng(2), 1, 7)
    table = kernel_table(7, 1.5)
    border = 0.0 if place < 0 else np.float32(7) - np.float32(0.1)
    expected = mean_shifts(responses, np.array([[border], [3.0]]), np.ones(1), table)
    actual = mean_shifts(responses, np.array([[place], [3.0]]), np.ones(1), table)
    np.testing.assert_array_equal(actual, expected)


def test_nan_position_reads_nothing_outside_the_table():
    """Only its own landmark may suffer."""
    responses = random_responses(np.random.default_rng(3), 3, 7)
    table = kernel_table(7, 1.5)
    positions = np.array([[3.0, np.nan, 2.0], [1.0, np.nan, 5.0]])
    shifts = mean_shifts(responses, positions, np.ones(3), table)
    expected = oracle.mean_shifts(responses[::2], positions[:, ::2], np.ones(2), 1.5)
    np.testing.assert_allclose(shifts[:, ::2], expected, atol=2e-5)


def test_column_is_x_and_row_is_y():
    responses = np.zeros((1, 9, 9), np.float32)
    responses[0, 2, 6] = 1
    shift = mean_shifts(responses, np.array([[4.0], [4.0]]), np.ones(1), kernel_table(9, 2.0))
    np.testing.assert_allclose(shift[:, 0], [2, -2], atol=1e-5)


# --- NU-RLMS ----------------------------------------------------------------------------------------------


@dataclass
class Problem:
    """A random model at a random place, with the responses around it."""

    pdm: PointDistributionModel
    model: shape_oracle.Model
    start: ShapeParameters
    base: np.ndarray
    similarity: np.ndarray
    responses: np.ndarray
    visible: np.ndarray
    weights: np.ndarray
    sigma: float
    regularisation: float

    def kernel(self, *, rigid: bool, iterations: int = 1) -> tuple[ShapeParameters, int, np.ndarray]:
        return optimise(
            self.pdm,
            self.start,
            self.base,
            self.similarity,
            self.responses,
            kernel_table(self.responses.shape[1], self.sigma),
            self.weights * self.visible,
            self.regularisation,
            rigid=rigid,
            iterations=iterations,
        )

    def oracle(self, *, rigid: bool, iterations: int = 1):
        a, _ = similarity_matrices(self.similarity)
        return oracle.optimise(
            self.model,
            self.start.global_params,
            self.start.local_params,
            self.base,
            a,
            self.responses,
            self.sigma,
            self.weights,
            self.visible,
            self.regularisation,
            rigid,
            iterations,
        )


def problem(seed: int, window: int = 9, weighted: bool = False, hidden: int = 0, n: int = 16) -> Problem:
    rng = np.random.default_rng(seed)
    record = random_pdm(rng, n, 4)
    pdm = PointDistributionModel(record)
    glob = np.array([rng.uniform(0.4, 3), *rng.uniform(-0.6, 0.6, 3), *rng.uniform(100, 500, 2)], np.float32)
    local = rng.normal(0, np.sqrt(record.eigenvalues)).astype(np.float32)
    base, similarity = place_reference(pdm, glob, local, float(rng.choice([0.25, 0.35, 0.5, 1.0])))
    # The state has moved on since the responses were computed.
    moved = glob + np.array([0, *rng.normal(0, 0.01, 3), *rng.normal(0, 1, 2)], np.float32)
    visible = np.ones(n, bool)
    visible[rng.choice(n, hidden, replace=False)] = False
    return Problem(
        pdm=pdm,
        model=shape_oracle.model(record),
        start=ShapeParameters(moved.astype(np.float32), local),
        base=base,
        similarity=similarity,
        responses=random_responses(rng, n, window),
        visible=visible,
        weights=(rng.uniform(0.3, 3, n) if weighted else np.ones(n)).astype(np.float32),
        sigma=float(rng.uniform(1, 2.5)),
        regularisation=float(rng.choice([0.001, 0.5, 10, 25])),
    )


@settings(deadline=None, max_examples=60)
@given(
    seed=SEEDS,
    window=WINDOWS,
    rigid=st.booleans(),
    weighted=st.booleans(),
    hidden=st.integers(0, 8),
)
def test_one_iteration_equals_its_definition(seed, window, rigid, weighted, hidden):
    case = problem(seed, window, weighted, hidden)
    params, count, position = case.kernel(rigid=rigid)
    glob, local, expected_count, expected_position = case.oracle(rigid=rigid)
    assert count == expected_count == 1
    np.testing.assert_allclose(position, expected_position, atol=GRID_MARGIN)
    assume(not near_the_grid(expected_position))
    expected = shape_oracle.project(case.model, glob, local).T
    np.testing.assert_allclose(case.pdm.points(params), expected, atol=1e-3)


def near_the_grid(positions: np.ndarray) -> bool:
    """Whether rounding may choose another kernel: some position is next to an odd multiple of 0.05."""
    return bool((np.abs((10 * positions) % 1 - 0.5) < 10 * GRID_MARGIN).any())


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("rigid", [True, False])
def test_whole_call_equals_its_definition(seed, rigid):
    case = problem(seed, weighted=seed % 2 == 1)
    for iterations in range(1, 6):
        params, count, _ = case.kernel(rigid=rigid, iterations=iterations)
        glob, local, expected_count, positions = case.oracle(rigid=rigid, iterations=iterations)
        assert count == expected_count
        if bool((np.abs((10 * positions) % 1 - 0.5) < 1e-4).any()):
            return  # Where rounding chooses the kernel, the two may part.
        expected = shape_oracle.project(case.model, glob, local).T
        np.testing.assert_allclose(case.pdm.points(params), expected, atol=1e-3 * glob[0])


def test_rigid_call_leaves_the_shape_alone():
    case = problem(21)
    params, _, _ = case.kernel(rigid=True, iterations=5)
    np.testing.assert_array_equal(params.local_params, case.start.local_params)
    assert not np.array_equal(params.global_params, case.start.global_params)


@pytest.mark.parametrize("rigid", [True, False])
def test_modes_are_clamped_to_three_deviations(rigid):
    """Even a rigid call clamps: its start may come from a fit to landmarks, which does not."""
    case = problem(22)
    case.start.local_params[:] = 50 * np.sqrt(case.pdm.eigenvalues)
    params, _, _ = case.kernel(rigid=rigid)
    bound = 3 * np.sqrt(case.pdm.eigenvalues)
    assert (np.abs(params.local_params) <= bound * (1 + 1e-6)).all()
    if rigid:
        np.testing.assert_allclose(params.local_params, bound, rtol=1e-6)


def test_call_ends_when_the_shape_stands_still():
    case = problem(23)
    flat = np.ones_like(case.responses)
    r, c = np.mgrid[:9, :9]
    # Responses whose mean is where the landmarks already are.
    flat *= np.exp(-((r - 4) ** 2 + (c - 4) ** 2) / 4)
    case.responses = flat.astype(np.float32)
    case.start = ShapeParameters(case.start.global_params, np.zeros(4, np.float32))
    case.base = np.ascontiguousarray(case.pdm.points(case.start).T)
    _, count, _ = case.kernel(rigid=True, iterations=50)
    assert count == 1


def test_first_iteration_always_runs_and_none_at_zero():
    case = problem(24)
    assert case.kernel(rigid=False, iterations=1)[1] == 1
    params, count, _ = case.kernel(rigid=False, iterations=0)
    assert count == 0
    np.testing.assert_array_equal(params.global_params, case.start.global_params)


@pytest.mark.parametrize("rigid", [True, False])
def test_nothing_visible_means_no_step(rigid):
    """The system is singular, so the update is zero, as in the original."""
    case = problem(25, hidden=16)
    case.start = ShapeParameters(case.start.global_params, np.zeros(4, np.float32))
    params, _, _ = case.kernel(rigid=rigid, iterations=3)
    np.testing.assert_allclose(params.global_params, case.start.global_params, rtol=1e-6)
    np.testing.assert_array_equal(params.local_params, case.start.local_params)


def test_equal_weights_other_than_one_change_only_the_balance_with_the_prior():
    case = problem(26)
    case.regularisation = 0.0
    plain = case.pdm.points(case.kernel(rigid=False)[0])
    case.weights = np.full_like(case.weights, 2.5)
    np.testing.assert_allclose(case.pdm.points(case.kernel(rigid=False)[0]), plain, atol=2e-2)
    case.regularisation = 25.0
    assert np.abs(case.pdm.points(case.kernel(rigid=False)[0]) - plain).max() > 1e-3


# --- likelihood -------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=50)
@given(seed=SEEDS, window=WINDOWS, sigma=SIGMAS, hidden=st.integers(0, 5))
def test_likelihood_equals_its_definition(seed, window, sigma, hidden):
    rng = np.random.default_rng(seed)
    responses = random_responses(rng, 6, window)
    positions = rng.uniform(-4, window + 4, (2, 6)).astype(np.float32)
    visible = np.arange(6) >= hidden
    value = log_likelihood(responses, positions, visible, sigma)
    assert value == pytest.approx(oracle.log_likelihood(responses, positions, visible, sigma), abs=1e-5)


def test_likelihood_far_from_the_map_is_that_of_nothing():
    responses = random_responses(np.random.default_rng(4), 2, 7)
    value = log_likelihood(responses, np.full((2, 2), 1e6), np.ones(2), 1.5)
    assert value == pytest.approx(np.log(1e-8), abs=1e-3)


def test_likelihood_is_evaluated_at_the_positions_before_the_last_update():
    case = problem(27)
    _, count, position = case.kernel(rigid=False, iterations=5)
    before, _, _ = case.kernel(rigid=False, iterations=count - 1)
    a, _ = similarity_matrices(case.similarity)
    expected = oracle.positions_in_maps(
        case.model, before.global_params, before.local_params, case.base, a, 9
    )
    np.testing.assert_allclose(position, expected, atol=2e-4)

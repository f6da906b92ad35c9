"""The fit without the original's grids: exact kernel positions, exact warps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import helpers_kernels as kernels
from helpers_kernels import kernel_table
from mien.errors import OptionError
from mien.landmarks import kernels as landmark_kernels
from mien.landmarks.options import FitOptions, part_options


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), window=st.sampled_from([3, 5, 9]))
def test_the_mean_shift_kernel_stands_exactly_at_the_landmark(seed, window):
    rng = np.random.default_rng(seed)
    responses = rng.random((4, window, window)).astype(np.float32) + 0.01
    positions = rng.uniform(-1, window + 1, (2, 4)).astype(np.float32)
    sigma = 1.7
    shifts = kernels.mean_shifts(
        responses, positions, np.ones(4), kernel_table(window, sigma), exact_sigma=sigma
    )
    grid = np.arange(window)
    for i in range(4):
        x, y = np.clip(positions[:, i], 0, np.float32(window) - np.float32(0.1))
        weights = responses[i] * np.exp(-((grid[:, None] - y) ** 2 + (grid - x) ** 2) / (2 * sigma**2))
        expected = ((weights * grid).sum() / weights.sum() - x, (weights.T * grid).sum() / weights.sum() - y)
        np.testing.assert_allclose(shifts[:, i], expected, atol=2e-5)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    x=st.floats(-20, 60),
    y=st.floats(-20, 60),
    a=st.floats(-3, 3),
    b=st.floats(-3, 3),
)
def test_the_exact_warp_is_bilinear_interpolation_with_zeros_outside(seed, x, y, a, b):
    gray = np.random.default_rng(seed).integers(0, 256, (40, 44), dtype=np.uint8)
    side = 13
    out = np.full(side * side, np.nan, np.float32)
    landmark_kernels.exact_area_of_interest(gray, x, y, a, b, side, out)
    padded = np.zeros((400, 400))
    padded[180:220, 180:224] = gray
    v, u = np.mgrid[:side, :side] - (side - 1) / 2
    px, py = x + a * u - b * v, y + b * u + a * v
    ix, iy = np.floor(px).astype(int), np.floor(py).astype(int)
    fx, fy = px - ix, py - iy
    at = lambda dy, dx: padded[iy + dy + 180, ix + dx + 180]  # noqa: E731
    expected = (1 - fy) * ((1 - fx) * at(0, 0) + fx * at(0, 1)) + fy * ((1 - fx) * at(1, 0) + fx * at(1, 1))
    np.testing.assert_allclose(out.reshape(side, side), expected, atol=1e-3)


def test_exactness_reaches_the_parts_and_nothing_else_does():
    assert part_options("inner", exact=True).exact
    assert part_options("inner", exact=False) == part_options("inner", exact=False)
    assert not part_options("an unknown part", exact=False).adapt_to_scale


def test_redetection_every_zero_frames_is_refused():
    with pytest.raises(OptionError, match="redetect_every"):
        FitOptions(redetect_every=0)

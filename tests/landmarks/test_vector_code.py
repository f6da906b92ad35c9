"""The vector code computes what its readable twins say."""

from __future__ import annotations

import numpy as np
import pytest

from mien.landmarks import vector_code, vector_loops
from mien.landmarks.vector_code import (
    NEURONS,
    POSITIONS,
    ROWS,
    SUPPORT,
    bilinear_lanes,
    dense_block_1,
    dense_block_2,
    dense_block_3,
    neuron_sums,
    subtract_product,
)
from mien.runtime.jit import part
from mien.runtime.lanes import LANES

SEEDS = range(5)


@part
def call_neuron_sums(area, row_step, offsets, weights, neurons, mean, inverse_norm, out):
    neuron_sums(
        area.ctypes.data,
        row_step,
        offsets.ctypes.data,
        weights.ctypes.data,
        neurons.ctypes.data,
        mean.ctypes.data,
        inverse_norm.ctypes.data,
        out.ctypes.data,
    )


@part
def call_subtract_product(target, factor, source):
    subtract_product(target.ctypes.data, factor.ctypes.data, source.ctypes.data)


@part
def call_bilinear_lanes(pixels, row_x, row_y, column_x, column_y, levels, out):
    bilinear_lanes(
        pixels.ctypes.data,
        pixels.shape[1],
        row_x.ctypes.data,
        row_y.ctypes.data,
        column_x,
        column_y,
        levels.ctypes.data,
        out.ctypes.data,
    )


def dense_caller(block):
    @part
    def call(inputs, count, panel, bias, floor, out):
        block(
            inputs.ctypes.data,
            inputs.shape[1],
            count,
            panel.ctypes.data,
            bias.ctypes.data,
            out.ctypes.data,
            out.shape[1],
            floor,
            panel.ctypes.data,
            64,
        )

    return call


DENSE = {k: dense_caller(block) for k, block in ((1, dense_block_1), (2, dense_block_2), (3, dense_block_3))}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("size", [0.3, 300.0])
def test_neuron_sums_equal_their_twin(seed, size):
    rng = np.random.default_rng(seed)
    side = SUPPORT + POSITIONS
    area = rng.normal(size=side * side * LANES).astype(np.float32)
    offsets = (rng.permutation(POSITIONS) * LANES).astype(np.int64)
    weights = rng.normal(size=(SUPPORT**2, NEURONS, LANES)).astype(np.float32)
    neurons = rng.normal(size=(4, NEURONS, LANES)).astype(np.float32) * np.float32(size)
    mean, inverse_norm = rng.uniform(0, 0.1, (2, POSITIONS, LANES)).astype(np.float32)
    actual, expected = np.full((2, POSITIONS, LANES), np.nan, np.float32)
    arguments = (area, side * LANES, offsets, weights, neurons, mean, inverse_norm)
    call_neuron_sums(*arguments, actual)
    vector_loops.neuron_sums(
        *(v.astype(float) if v is not offsets and np.ndim(v) else v for v in arguments), expected
    )
    np.testing.assert_allclose(actual, expected, atol=2e-4 * max(1.0, size))


@pytest.mark.parametrize("seed", SEEDS)
def test_products_are_subtracted(seed):
    target, factor, source = np.random.default_rng(seed).normal(size=(3, LANES)).astype(np.float32)
    expected = target.copy()
    vector_loops.subtract_product(expected, factor, source)
    call_subtract_product(target, factor, source)
    np.testing.assert_allclose(target, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_pixels_are_interpolated_exactly(seed):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (50, 70), dtype=np.uint8)
    row_x, row_y = rng.integers(0, 1024 * 20, (2, LANES), dtype=np.int32)
    levels = rng.integers(0, 256, LANES).astype(np.float32)
    actual, expected = np.full((2, LANES), np.nan, np.float32)
    column_x, column_y = rng.integers(0, 1024 * 20, 2, dtype=np.int32)
    vector_loops.bilinear_lanes(pixels, row_x, row_y, int(column_x), int(column_y), levels, expected)
    call_bilinear_lanes(pixels, row_x, row_y, column_x, column_y, levels, actual)
    np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("vectors", DENSE)
@pytest.mark.parametrize("floor", [0.0, -np.inf])
def test_dense_blocks_equal_their_twin(vectors, floor):
    rng = np.random.default_rng(vectors)
    count, outputs = 37, vectors * LANES
    inputs = rng.normal(size=(ROWS, count + 3)).astype(np.float32)
    panel = rng.normal(size=(count, outputs)).astype(np.float32)
    bias = rng.normal(size=outputs).astype(np.float32)
    inputs[0, 5], bias[1] = np.nan, np.inf
    actual, expected = np.full((2, ROWS, outputs + 2), np.nan, np.float32)
    DENSE[vectors](inputs, count, panel, bias, np.float32(floor), actual)
    vector_loops.dense_block(inputs, count, panel, bias, floor, expected)
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4)


def test_every_piece_of_vector_code_has_a_twin():
    written = {name for name in vars(vector_code) if callable(getattr(vector_code, name))}
    twins = {name for name in vars(vector_loops) if callable(getattr(vector_loops, name))} - {"Any"}
    assert {name.rstrip("_123") for name in written if not name.startswith("_")} - {
        "Any",
        "intrinsic",
    } == twins

"""What the vector code computes, as ordinary loops: the readable twins of `mien.landmarks.vector_code`.

Arrays stand in place of addresses; everything else is the same. The tests compare the two.
"""

from __future__ import annotations

import math
from typing import Any

from mien.landmarks.vector_code import (
    AMPLITUDE,
    BIAS,
    GAIN,
    LIMIT,
    NEURONS,
    POSITIONS,
    ROWS,
    SUPPORT,
    WEIGHT_SUM,
)
from mien.runtime.lanes import LANES


def neuron_sums(
    area: Any, row_step: int, offsets: Any, weights: Any, neurons: Any, mean: Any, inverse_norm: Any, out: Any
) -> None:
    """Sum of the neurons of `LANES` experts at `POSITIONS` positions of their windows.

    All experts have the same shape but weights of their own, so side by side they fill vectors whatever the
    size of the response map. ``area`` flat float32: grey levels by lanes, ``row_step`` floats from one row to
    the next; ``offsets`` (POSITIONS,) int64: upper left corner of each window, in floats; ``weights`` (121,
    7, LANES), rows of the filter one after the other; ``neurons`` (4, 7, LANES); ``mean``, ``inverse_norm``,
    ``out`` (POSITIONS, LANES).
    """
    for p in range(POSITIONS):
        for lane in range(LANES):
            total = 0.0
            for j in range(NEURONS):
                match = 0.0
                for row in range(SUPPORT):
                    for column in range(SUPPORT):
                        pixel = area[offsets[p] + row * row_step + column * LANES + lane]
                        match += pixel * weights[row * SUPPORT + column, j, lane]
                match = (match - mean[p, lane] * neurons[WEIGHT_SUM, j, lane]) * inverse_norm[p, lane]
                z = neurons[GAIN, j, lane] * match + neurons[BIAS, j, lane]
                total += neurons[AMPLITUDE, j, lane] / (1.0 + math.exp(min(max(-z, -LIMIT), LIMIT)))
            out[p, lane] = total


def subtract_product(target: Any, factor: Any, source: Any) -> None:
    """Target -= factor * source, (LANES,) float32 each."""
    for lane in range(LANES):
        target[lane] -= factor[lane] * source[lane]


def bilinear_lanes(
    pixels: Any, row_x: Any, row_y: Any, column_x: int, column_y: int, levels: Any, out: Any
) -> None:
    """One pixel of the areas of interest of `LANES` landmarks, on the 1/32-px grid, less a level.

    ``pixels`` (H, W) uint8; ``row_x``, ``row_y`` (LANES,) int32 and ``column_x``, ``column_y``: the place in
    1/1024 px is their sum; ``levels``, ``out`` (LANES,) float32.
    """
    for lane in range(LANES):
        x, y = (int(row_x[lane]) + column_x) >> 5, (int(row_y[lane]) + column_y) >> 5
        u, v, fx, fy = x >> 5, y >> 5, x & 31, y & 31
        value = 0
        for dy in range(2):
            for dx in range(2):
                weight = (fx if dx else 32 - fx) * (fy if dy else 32 - fy)
                value += weight * int(pixels[v + dy, u + dx])
        out[lane] = value / 1024.0 - levels[lane]


def dense_block(inputs: Any, count: int, panel: Any, bias: Any, floor: float, out: Any) -> None:
    """out[r, o] = max(bias[o] + sum_k inputs[r, k] * panel[k, o], floor), `ROWS` rows; NaN stays NaN.

    ``inputs`` (ROWS, count or more), ``panel`` (count, O), ``bias`` (O,), ``out`` (ROWS, O or more); O is one
    to three times `LANES`.
    """
    for r in range(ROWS):
        for o in range(len(bias)):
            total = bias[o]
            for k in range(count):
                total += inputs[r, k] * panel[k, o]
            out[r, o] = floor if total < floor else total

"""Kernels of CEN patch experts: dense networks on a checkerboard (docs/algorithms/patch-experts-ce-clm.md).

Windows and activations lie in rows, one per position that is evaluated, so that outputs run along vectors.
Weights are one flat array (`mien.landmarks.cen_layout`). The layers of an expert follow each other; a layer
is a sequence of panels of up to three vectors of outputs, each its bias, then one row of weights per input,
so that they are read once and in order.
"""

from __future__ import annotations

import numpy as np

from mien.landmarks.area_kernels import (
    SUPPORT,
    TAPS,
    area_of_interest,
    exact_area_of_interest,
    window_statistics,
)
from mien.landmarks.math_kernels import exp32
from mien.landmarks.vector_code import ROWS, dense_block_1, dense_block_2, dense_block_3
from mien.runtime.jit import fast_kernel, fast_part, part
from mien.runtime.lanes import LANES

SIGMOID = 0
RECTIFIER = 2
INPUTS = 1 + TAPS
PIXELS = 16
"""Pixels of a column that are written at a time: whole vectors."""
_AHEAD = 128 * 1024
"""Bytes between the weights that are used and those that are fetched (measured: 96 to 256 kB do equally)."""
_NO_FLOOR = np.float32(-np.inf)


@part
def vectors_of_panel(left):
    """Vectors in the next panel of a layer that has ``left`` vectors left: 3, but never 1 after 3."""
    if left == 4:
        return 2
    return min(left, 3)


@fast_part
def _turn(area, side, flip, out):
    """Transpose an area, and mirror it left to right before, into ``out``."""
    for v in range(side):
        for u in range(side):
            out[(side - 1 - u if flip else u) * side + v] = area[v * side + u]


@fast_part
def _write_windows(columns, side, window, mean, inverse_norm, out):
    """Contrast-normalised windows with odd row + column as rows of ``out``: 1, then pixels by columns.

    ``columns`` is the transposed area, with `PIXELS` floats after it: sixteen pixels are written at a time,
    of which the next column, or padding, replaces five. ``mean[c, r]`` is that of the window at row r,
    column c.
    """
    position = 0
    for c in range(window):
        for r in range((c + 1) % 2, window, 2):
            row = out[position]
            m = mean[c, r]
            scale = inverse_norm[c, r]
            row[0] = np.float32(1.0)
            for u in range(SUPPORT):
                first, target = (c + u) * side + r, 1 + u * SUPPORT
                for k in range(PIXELS):
                    row[target + k] = (columns[first + k] - m) * scale
            position += 1


@fast_part
def cen_windows(gray, x, y, similarity, window, flip, exact, area, turned, mean, inverse_norm, out):
    """Windows of one landmark at the positions that are evaluated, (w² - 1) / 2 rows of ``out``.

    ``exact`` warps without the 1/32-px grid. ``area``, ``turned`` (side² + 16,); ``mean``,
    ``inverse_norm`` (w, 16); ``out`` (rows, >= 128).
    """
    side = window + SUPPORT - 1
    if exact:
        exact_area_of_interest(gray, x, y, similarity[2], similarity[3], side, area)
    else:
        area_of_interest(gray, x, y, similarity[2], similarity[3], side, area)
    _turn(area, side, flip, turned)
    window_statistics(turned, side, window, mean, inverse_norm)
    _write_windows(turned, side, window, mean, inverse_norm, out)


@fast_part
def _dense_layer(x, rows, inputs, outputs, weights, offset, floor, ahead, line, out):
    """max(x W + b, floor) for ``rows`` rows, a multiple of `ROWS`; returns where its weights end.

    ``ahead``, ``line``: address up to which weights have been fetched, and how many bytes more each step of
    the innermost loop fetches; the new address is returned, too.
    """
    step = x.shape[1]
    left = (outputs + LANES - 1) // LANES
    first = 0
    while left > 0:
        vectors = vectors_of_panel(left)
        width = vectors * LANES
        bias = weights.ctypes.data + 4 * offset
        panel = bias + 4 * width
        for c in range(0, rows, ROWS):
            source = x.ctypes.data + 4 * c * step
            target = out.ctypes.data + 4 * (c * step + first)
            if vectors == 3:
                dense_block_3(source, step, inputs, panel, bias, target, step, floor, ahead, line)
            elif vectors == 2:
                dense_block_2(source, step, inputs, panel, bias, target, step, floor, ahead, line)
            else:
                dense_block_1(source, step, inputs, panel, bias, target, step, floor, ahead, line)
            ahead += inputs * line
        offset += width * (inputs + 1)
        first += width
        left -= vectors
    return offset, ahead


@fast_part
def _sigmoids(rows, outputs, values):
    """1 / (1 + e^-z) of the first ``outputs`` numbers of the first rows."""
    for c in range(rows):
        row = values[c]
        for o in range(outputs):
            row[o] = np.float32(1.0) / (np.float32(1.0) + exp32(-row[o]))


@fast_part
def cen_spread(values, first, window, flip, landmark, grid, out):
    """Write one landmark's map: evaluated positions, then the others as means of their neighbours.

    ``values`` (rows, ...), the first column from row ``first`` on; ``grid`` (w, w); ``out`` (w², n).
    """
    k = first
    for c in range(window):
        for r in range((c + 1) % 2, window, 2):
            grid[r, c] = values[k, 0]
            k += 1
    for c in range(window):
        for r in range(c % 2, window, 2):
            total = np.float32(0.0)
            count = 0
            if r > 0:
                total += grid[r - 1, c]
                count += 1
            if r + 1 < window:
                total += grid[r + 1, c]
                count += 1
            if c > 0:
                total += grid[r, c - 1]
                count += 1
            if c + 1 < window:
                total += grid[r, c + 1]
                count += 1
            grid[r, c] = total / np.float32(count)
    for r in range(window):
        for c in range(window):
            out[r * window + c, landmark] = grid[r, window - 1 - c if flip else c]


@fast_part
def _fetch_rate(rows, layers):
    """Bytes to fetch in each step of the innermost loop, so that an expert's weights come in evenly.

    The experts of a scale do not fit the processor's own cache, and its guesses end at every page.
    """
    size = 0
    steps = 1
    for depth in range(layers.shape[0]):
        inputs = layers[depth, 0]
        vectors = (layers[depth, 1] + LANES - 1) // LANES
        size += 4 * LANES * vectors * (inputs + 1)
        steps += (vectors + 2) // 3 * inputs * (rows // ROWS)
    return size // steps + 1


@fast_part
def cen_network(x, y, rows, weights, offset, layers):
    """Run one expert on ``rows`` rows of ``x``; returns the buffer, x or y, whose first column is the result.

    ``layers`` (L, 3) int64: inputs, outputs (0 ends the list), activation.
    """
    ahead = weights.ctypes.data + 4 * offset + _AHEAD
    line = _fetch_rate(rows, layers)
    for depth in range(layers.shape[0]):
        inputs = layers[depth, 0]
        outputs = layers[depth, 1]
        activation = layers[depth, 2]
        if outputs == 0:
            break
        floor = np.float32(0.0) if activation == RECTIFIER else _NO_FLOOR
        offset, ahead = _dense_layer(x, rows, inputs, outputs, weights, offset, floor, ahead, line, y)
        if activation == SIGMOID:
            _sigmoids(rows, outputs, y)
        x, y = y, x
    return x


@fast_kernel
def cen_responses(gray, points, similarity, window, exact, jobs, weights, layers, x, y, out):
    """Response maps of the landmarks of some jobs into ``out`` (w², n).

    ``jobs`` (J, 6) int64: layer table, offset of the weights, landmark, whether it is flipped, and a second
    landmark that shares the expert (-1: none) with its flip.
    ``layers`` (T, L, 3) int64 as in `cen_network`. ``x``, ``y`` scratch as `mien.landmarks.cen_layout`
    measures it.
    """
    side = window + SUPPORT - 1
    evaluated = (window * window - 1) // 2
    area = np.zeros(side * side + PIXELS, np.float32)
    turned = np.zeros(side * side + PIXELS, np.float32)
    mean = np.empty((window, 16), np.float32)
    inverse_norm = np.empty((window, 16), np.float32)
    grid = np.empty((window, window), np.float32)
    for j in range(jobs.shape[0]):
        shared = 2 if jobs[j, 4] >= 0 else 1
        for k in range(shared):
            i = jobs[j, 2 + 2 * k]
            flip = jobs[j, 3 + 2 * k] != 0
            px, py = points[0, i], points[1, i]
            target = x[k * evaluated :]
            cen_windows(
                gray, px, py, similarity, window, flip, exact, area, turned, mean, inverse_norm, target
            )
        rows = (shared * evaluated + ROWS - 1) // ROWS * ROWS
        result = cen_network(x, y, rows, weights, jobs[j, 1], layers[jobs[j, 0]])
        for k in range(shared):
            cen_spread(result, k * evaluated, window, jobs[j, 3 + 2 * k] != 0, jobs[j, 2 + 2 * k], grid, out)


@fast_kernel
def cen_all_windows(gray, points, similarity, window, exact, jobs, out):
    """Windows of all landmarks of all jobs: rows of ``out`` (J, w² - 1, >= 128), those of the second last."""
    side = window + SUPPORT - 1
    evaluated = (window * window - 1) // 2
    area = np.zeros(side * side + PIXELS, np.float32)
    turned = np.zeros(side * side + PIXELS, np.float32)
    mean = np.empty((window, 16), np.float32)
    inverse_norm = np.empty((window, 16), np.float32)
    for j in range(jobs.shape[0]):
        for k in range(2):
            i = jobs[j, 2 + 2 * k]
            if i >= 0:
                flip = jobs[j, 3 + 2 * k] != 0
                x, y = points[0, i], points[1, i]
                target = out[j, k * evaluated :]
                cen_windows(
                    gray, x, y, similarity, window, flip, exact, area, turned, mean, inverse_norm, target
                )


@fast_kernel
def cen_all_maps(values, window, jobs, out):
    """Maps of all landmarks of all jobs into ``out`` (w², n), from the networks' outputs (J, w² - 1, 1)."""
    evaluated = (window * window - 1) // 2
    grid = np.empty((window, window), np.float32)
    for j in range(jobs.shape[0]):
        for k in range(2):
            i = jobs[j, 2 + 2 * k]
            if i >= 0:
                cen_spread(values[j], k * evaluated, window, jobs[j, 3 + 2 * k] != 0, i, grid, out)

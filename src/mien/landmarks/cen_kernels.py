"""Kernels of the CEN patch experts: small dense networks evaluated on a checkerboard (landmarks.md §5.5).

Weights are one flat array. The layers of an expert follow each other, each as panels of seven outputs,
(panels, inputs, 7), and then its bias, padded to whole panels, so that they are read once and in order.
"""

from __future__ import annotations

import numpy as np

from mien.landmarks.kernels import SUPPORT, TAPS, area_of_interest, window_statistics
from mien.runtime.jit import fast_kernel
from mien.runtime.vector_math import LANES, ROWS, block_product, exp32

SIGMOID = 0
RECTIFIER = 2


@fast_kernel
def _flip_rows(area, side):
    """Mirror an area left to right in place."""
    for v in range(side):
        for u in range(side // 2):
            left = v * side + u
            right = v * side + side - 1 - u
            area[left], area[right] = area[right], area[left]


@fast_kernel
def _window_columns(area, side, window, mean, inverse_norm, first, out):
    """Contrast-normalised windows with odd row + column as columns of ``out`` (122, C) from ``first`` on.

    Row 0 is the constant 1, then the pixels column by column; positions are numbered column by column.
    """
    column = first
    for c in range(window):
        for r in range((c + 1) % 2, window, 2):
            out[0, column] = np.float32(1.0)
            m = mean[r, c]
            scale = inverse_norm[r, c]
            for u in range(SUPPORT):
                for v in range(SUPPORT):
                    value = area[(r + v) * side + c + u]
                    out[1 + u * SUPPORT + v, column] = (value - m) * scale
            column += 1


@fast_kernel
def _dense_layer(x, weights, offset, inputs, outputs, activation, out):
    """activation(W x + b) for the columns of ``x`` (>= inputs, C) into ``out`` (>= outputs padded, C)."""
    columns = x.shape[1]
    padded = (outputs + ROWS - 1) // ROWS * ROWS
    for o in range(0, padded, ROWS):
        panel = weights.ctypes.data + 4 * (offset + o * inputs)
        for c in range(0, columns, LANES):
            block_product(
                x.ctypes.data + 4 * c,
                inputs,
                columns,
                1,
                0,
                panel,
                ROWS,
                out.ctypes.data + 4 * (o * columns + c),
                columns,
            )
    bias = weights[offset + padded * inputs : offset + padded * inputs + padded]
    for o in range(outputs):
        b = bias[o]
        row = out[o]
        if activation == RECTIFIER:
            for c in range(columns):
                row[c] = max(row[c] + b, np.float32(0.0))
        elif activation == SIGMOID:
            for c in range(columns):
                row[c] = np.float32(1.0) / (np.float32(1.0) + exp32(-(row[c] + b)))
        else:
            for c in range(columns):
                row[c] += b


@fast_kernel
def _spread(values, first, window, flip, landmark, out):
    """Write one landmark's map: evaluated positions, then the others as means of their neighbours."""
    grid = np.empty((window, window), np.float32)
    k = first
    for c in range(window):
        for r in range((c + 1) % 2, window, 2):
            grid[r, c] = values[k]
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


@fast_kernel
def cen_responses(gray, points, similarity, window, jobs, first_job, last_job, weights, layers, out):
    """Response maps of the landmarks of some jobs into ``out`` (w², n); §5.5.

    ``jobs`` (J, 6) int64: layer table, offset of the weights, landmark, whether it is flipped, and a second
    landmark that shares the expert (-1: none) with its flip; jobs ``first_job`` to ``last_job`` are done.
    ``layers`` (T, L, 3) int64: inputs, outputs (0 ends the list), activation; L includes an ending row.
    """
    side = window + SUPPORT - 1
    evaluated = (window * window - 1) // 2
    widest = TAPS + 1
    for t in range(layers.shape[0]):
        for k in range(layers.shape[1]):
            widest = max(widest, layers[t, k, 1])
    capacity = (2 * evaluated + LANES - 1) // LANES * LANES
    area = np.empty(side * side, np.float32)
    mean = np.empty((window, LANES), np.float32)
    inverse_norm = np.empty((window, LANES), np.float32)
    buffers = np.zeros((2, (widest + ROWS) * capacity), np.float32)
    for j in range(first_job, last_job):
        shared = 2 if jobs[j, 4] >= 0 else 1
        columns = (shared * evaluated + LANES - 1) // LANES * LANES
        x = buffers[0, : (widest + ROWS) * columns].reshape((widest + ROWS, columns))
        y = buffers[1, : (widest + ROWS) * columns].reshape((widest + ROWS, columns))
        for k in range(shared):
            i = jobs[j, 2 + 2 * k]
            area_of_interest(gray, points[0, i], points[1, i], similarity[2], similarity[3], side, area)
            if jobs[j, 3 + 2 * k] != 0:
                _flip_rows(area, side)
            window_statistics(area, side, window, mean, inverse_norm)
            _window_columns(area, side, window, mean, inverse_norm, k * evaluated, x)
        table = jobs[j, 0]
        offset = jobs[j, 1]
        depth = 0
        while layers[table, depth, 1] > 0:
            inputs = layers[table, depth, 0]
            outputs = layers[table, depth, 1]
            _dense_layer(x, weights, offset, inputs, outputs, layers[table, depth, 2], y)
            offset += (outputs + ROWS - 1) // ROWS * ROWS * (inputs + 1)
            x, y = y, x
            depth += 1
        for k in range(shared):
            _spread(x[0], k * evaluated, window, jobs[j, 3 + 2 * k] != 0, jobs[j, 2 + 2 * k], out)

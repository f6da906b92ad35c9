"""Kernels of the picture around a landmark: its warp and its contrast (docs/algorithms/response-maps.md)."""

from __future__ import annotations

import math

import numpy as np

from mien.runtime.jit import fast_part, part

SUPPORT = 11
"""Side of the windows that patch experts see, px."""
TAPS = SUPPORT * SUPPORT


@part
def grid_start(x, y, b00, b10, side):
    """Where the upper left pixel of an area of interest lies, px; float32, left to right as written."""
    half = np.float32(side - 1.0) / np.float32(2.0)
    a = np.float32(b00)
    b = np.float32(b10)
    start_x = np.float64((np.float32(x) - a * half) + b * half)
    start_y = np.float64((np.float32(y) - a * half) - b * half)
    return start_x, start_y


@part
def grid_columns(b00, b10, column_x, column_y):
    """Steps from the first pixel of a row to each of its pixels, in 1/1024 px, into int32 arrays (side,)."""
    for u in range(column_x.shape[0]):
        column_x[u] = np.int32(np.rint(1024.0 * np.float64(np.float32(b00)) * u))
        column_y[u] = np.int32(np.rint(1024.0 * np.float64(np.float32(b10)) * u))


@part
def grid_row(start_x, start_y, b00, b10, v):
    """Where row ``v`` of an area begins, in 1/1024 px and half a 1/32 px further on: shifts then round."""
    x = np.int32(np.rint(1024.0 * (-np.float64(np.float32(b10)) * v + start_x))) + np.int32(16)
    y = np.int32(np.rint(1024.0 * (np.float64(np.float32(b00)) * v + start_y))) + np.int32(16)
    return x, y


@part
def area_of_interest(gray, x, y, b00, b10, side, out):
    """Warp a ``side`` x ``side`` area centred on (x, y) into the first side² of ``out`` float32.

    ``gray`` (H, W) uint8. The 1/32-px grid makes every value a multiple of 1/1024, so integer sums are exact.
    """
    height, width = gray.shape
    start_x, start_y = grid_start(x, y, b00, b10, side)
    column_x = np.empty(side, np.int32)
    column_y = np.empty(side, np.int32)
    grid_columns(b00, b10, column_x, column_y)
    index = np.empty(side, np.int32)
    part_x = np.empty(side, np.int32)
    part_y = np.empty(side, np.int32)
    for v in range(side):
        row_x, row_y = grid_row(start_x, start_y, b00, b10, v)
        x_first, x_last = (row_x + column_x[0]) >> 10, (row_x + column_x[side - 1]) >> 10
        y_first, y_last = (row_y + column_y[0]) >> 10, (row_y + column_y[side - 1]) >> 10
        row = out[v * side : (v + 1) * side]
        if (
            min(x_first, x_last) >= 0
            and max(x_first, x_last) < width - 1
            and min(y_first, y_last) >= 0
            and max(y_first, y_last) < height - 1
        ):
            for u in range(side):
                px = (row_x + column_x[u]) >> np.int32(5)
                py = (row_y + column_y[u]) >> np.int32(5)
                index[u] = (py >> np.int32(5)) * np.int32(width) + (px >> np.int32(5))
                part_x[u] = px & np.int32(31)
                part_y[u] = py & np.int32(31)
            _interpolate_row(gray.reshape(-1), width, index, part_x, part_y, row)
        else:
            for u in range(side):
                row[u] = _sample_with_border(gray, (row_x + column_x[u]) >> 5, (row_y + column_y[u]) >> 5)


@part
def _interpolate_row(pixels, width, index, part_x, part_y, out):
    """Bilinear samples at flat indices of the upper left neighbours; all neighbours lie in the image."""
    below = np.uint32(width)
    one = np.uint32(1)
    for u in range(out.shape[0]):
        k = np.uint32(index[u])
        fx = part_x[u]
        fy = part_y[u]
        upper = (np.int32(32) - fx) * np.int32(pixels[k]) + fx * np.int32(pixels[k + one])
        lower = (np.int32(32) - fx) * np.int32(pixels[k + below]) + fx * np.int32(pixels[k + below + one])
        out[u] = np.float32((np.int32(32) - fy) * upper + fy * lower) * np.float32(1.0 / 1024.0)


@part
def _sample_with_border(gray, px, py):
    """One bilinear sample at 1/32-px coordinates; every neighbour outside the image counts as 0."""
    height, width = gray.shape
    ix = px >> 5
    iy = py >> 5
    fx = px & 31
    fy = py & 31
    total = 0
    for dy in range(2):
        for dx in range(2):
            if 0 <= ix + dx < width and 0 <= iy + dy < height:
                weight = (fx if dx else 32 - fx) * (fy if dy else 32 - fy)
                total += weight * np.int64(gray[iy + dy, ix + dx])
    return np.float32(total) * np.float32(1.0 / 1024.0)


@part
def exact_area_of_interest(gray, x, y, b00, b10, side, out):
    """Warp like `area_of_interest`, but with exact bilinear weights: without the grid."""
    height, width = gray.shape
    half = 0.5 * (side - 1)
    for v in range(side):
        for u in range(side):
            px = x + b00 * (u - half) - b10 * (v - half)
            py = y + b10 * (u - half) + b00 * (v - half)
            value = 0.0
            if -1.0 < px < width and -1.0 < py < height:
                ix = math.floor(px)
                iy = math.floor(py)
                fx = px - ix
                fy = py - iy
                for dy in range(2):
                    for dx in range(2):
                        if 0 <= ix + dx < width and 0 <= iy + dy < height:
                            weight = (fx if dx else 1.0 - fx) * (fy if dy else 1.0 - fy)
                            value += weight * gray[iy + dy, ix + dx]
            out[v * side + u] = np.float32(value)


@fast_part
def window_statistics(area, side, window, mean, inverse_norm):
    """Mean and 1 / L2 norm (1 where it is 0) of every 11 x 11 window of an area.

    ``mean``, ``inverse_norm`` (w, 16) float32, the row's first w entries are set. Sums are float64, in which
    they are exact, so neither the sliding sums nor the cancellation in the norm lose anything.
    """
    sums = np.zeros(side)
    squares = np.zeros(side)
    for k in range(SUPPORT):
        row = area[k * side : (k + 1) * side]
        for c in range(side):
            v = np.float64(row[c])
            sums[c] += v
            squares[c] += v * v
    for r in range(window):
        for c in range(window):
            s = 0.0
            s2 = 0.0
            for k in range(SUPPORT):
                s += sums[c + k]
                s2 += squares[c + k]
            m = s / TAPS
            norm2 = s2 - s * m
            mean[r, c] = np.float32(m)
            inverse_norm[r, c] = np.float32(1.0 / math.sqrt(norm2)) if norm2 > 0.0 else np.float32(1.0)
        if r + 1 < window:
            leaving = area[r * side : (r + 1) * side]
            entering = area[(r + SUPPORT) * side : (r + SUPPORT + 1) * side]
            for c in range(side):
                old = np.float64(leaving[c])
                new = np.float64(entering[c])
                sums[c] += new - old
                squares[c] += new * new - old * old

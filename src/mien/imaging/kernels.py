"""Image primitives that reproduce OpenCV 4's arithmetic bit for bit (docs/algorithms/image-arithmetic.md).

OpenCV 5 samples at exact positions; the program this library follows samples on a grid of 1/32 px, and
its results move visibly when that grid is left out. So the primitives are written here and OpenCV is
needed by the tests only. All kernels write into ``out`` and allocate at most a few lines of weights.
"""

from __future__ import annotations

import numpy as np

from mien.runtime.jit import kernel, part

_LEVEL = np.float32(1 / 1024)


@kernel
def bgr_to_gray(bgr, out):
    """Convert a colour image to grey in 15-bit fixed point (docs/algorithms/image-arithmetic.md#grey).

    ``bgr`` (H, W, 3) uint8 and ``out`` (H, W) uint8, both C-contiguous.
    """
    source = bgr.reshape(-1)
    target = out.reshape(-1)
    for i in range(target.size):
        weighted = (
            np.uint32(3735) * source[3 * i]
            + np.uint32(19235) * source[3 * i + 1]
            + np.uint32(9798) * source[3 * i + 2]
        )
        target[i] = np.uint8((weighted + np.uint32(16384)) >> np.uint32(15))


@part
def sample_inside(source, x32, y32):
    """Interpolate ``source`` (uint8) at (x32/32, y32/32) px; all four neighbours lie inside the image.

    Returns the value in units of 1/1024 as an integer. Its float32 sums would be exact for grey levels, so
    both forms are equal.
    """
    fx, fy = x32 & 31, y32 & 31
    # Unsigned indices spare the test for negative ones.
    x, y = np.uint64(x32 >> 5), np.uint64(y32 >> 5)
    right, below = x + np.uint64(1), y + np.uint64(1)
    upper = np.int64(source[y, x]) * (32 - fx) + np.int64(source[y, right]) * fx
    lower = np.int64(source[below, x]) * (32 - fx) + np.int64(source[below, right]) * fx
    return upper * (32 - fy) + lower * fy


@part
def sample_zero_border(source, x32, y32):
    """Interpolate as `sample_inside`; each neighbour outside the image counts as 0."""
    height, width = source.shape
    x, y = x32 >> 5, y32 >> 5
    if 0 <= x < width - 1 and 0 <= y < height - 1:
        return sample_inside(source, x32, y32)
    fx, fy = x32 & 31, y32 & 31
    total = 0
    for dy in range(2):
        weight_y = fy if dy else 32 - fy
        for dx in range(2):
            if 0 <= x + dx < width and 0 <= y + dy < height:
                weight_x = fx if dx else 32 - fx
                total += np.int64(source[y + dy, x + dx]) * weight_x * weight_y
    return total


@kernel
def warp_affine(source, matrix, out):
    """Warp a grey image on a grid of 1/32 px, border 0 (docs/algorithms/image-arithmetic.md#affine-warp).

    ``source`` (H, W) uint8; ``matrix`` (2, 3) float64 maps a pixel (u, v) of ``out`` to a
    position (x, y) of the source; ``out`` (h, w) float32.
    """
    source_height, source_width = source.shape
    height, width = out.shape
    step_x, step_y = np.empty(width, np.int64), np.empty(width, np.int64)
    for u in range(width):
        step_x[u] = np.int64(np.rint(1024.0 * (matrix[0, 0] * u)))
        step_y[u] = np.int64(np.rint(1024.0 * (matrix[1, 0] * u)))
    last = width - 1
    for v in range(height):
        row_x = np.int64(np.rint(1024.0 * (matrix[0, 1] * v + matrix[0, 2]))) + 16
        row_y = np.int64(np.rint(1024.0 * (matrix[1, 1] * v + matrix[1, 2]))) + 16
        # The rounded coordinates are monotonic along a row: its ends are the extremes.
        low_x, high_x = min(row_x, row_x + step_x[last]), max(row_x, row_x + step_x[last])
        low_y, high_y = min(row_y, row_y + step_y[last]), max(row_y, row_y + step_y[last])
        columns_inside = low_x >= 0 and (high_x >> 10) < source_width - 1
        if columns_inside and low_y >= 0 and (high_y >> 10) < source_height - 1:
            for u in range(width):
                value = sample_inside(source, (row_x + step_x[u]) >> 5, (row_y + step_y[u]) >> 5)
                out[v, u] = np.float32(np.int32(value)) * _LEVEL
        else:
            for u in range(width):
                value = sample_zero_border(source, (row_x + step_x[u]) >> 5, (row_y + step_y[u]) >> 5)
                out[v, u] = np.float32(np.int32(value)) * _LEVEL


@kernel
def remap(source, map_x, map_y, out):
    """Sample a grey image on a grid of 1/32 px, border 0 (docs/algorithms/image-arithmetic.md#remap).

    ``source`` (H, W) uint8; ``map_x``, ``map_y`` (h, w) float32, px; ``out`` (h, w) float32.
    Positions that are not finite give 0.
    """
    for v in range(out.shape[0]):
        for u in range(out.shape[1]):
            x, y = map_x[v, u], map_y[v, u]
            value = 0
            if abs(x) < 32768 and abs(y) < 32768:
                x32 = np.int64(np.rint(np.float32(32) * x))
                y32 = np.int64(np.rint(np.float32(32) * y))
                value = sample_zero_border(source, x32, y32)
            out[v, u] = np.float32(np.int32(value)) * _LEVEL


@part
def linear_taps(first, count, limit, index, weight):
    """Find the taps of a linear resize along one axis (docs/algorithms/image-arithmetic.md#linear-resize).

    The samples ``first`` … ``first + count - 1`` of an axis of ``limit`` samples are resized to as many
    as ``index`` has columns; edges are replicated, samples off the axis are 0. Result i is
    ``weight[0, i] * samples[index[0, i]] + weight[1, i] * samples[index[1, i]]``.

    ``index`` (2, n) int64 and ``weight`` (2, n) float32 are filled; the indices always lie on the axis.
    """
    size = index.shape[1]
    step = 1.0 / (size / count)
    for i in range(size):
        position = np.float32((i + 0.5) * step - 0.5)
        low = np.int64(np.floor(position))
        fraction = position - np.float32(low)
        if low < 0:
            low, fraction = 0, np.float32(0)
        elif low >= count - 1:
            low, fraction = count - 1, np.float32(0)
        weight[0, i], weight[1, i] = np.float32(1) - fraction, fraction
        for tap in range(2):
            at = first + min(low + tap, count - 1)
            if at < 0 or at >= limit:
                at, weight[tap, i] = 0, np.float32(0)
            index[tap, i] = at


@kernel
def resize_linear(image, out):
    """Resize linearly, edges replicated, no filter (docs/algorithms/image-arithmetic.md#linear-resize).

    ``image`` (H, W, C) uint8 or float32; ``out`` (h, w, C) float32.
    """
    height, width, channels = out.shape
    columns, weight_x = np.empty((2, width), np.int64), np.empty((2, width), np.float32)
    rows, weight_y = np.empty((2, height), np.int64), np.empty((2, height), np.float32)
    linear_taps(0, image.shape[1], image.shape[1], columns, weight_x)
    linear_taps(0, image.shape[0], image.shape[0], rows, weight_y)
    for v in range(height):
        upper, lower = image[rows[0, v]], image[rows[1, v]]
        top, bottom = weight_y[0, v], weight_y[1, v]
        for u in range(width):
            x0, x1 = np.uint64(columns[0, u]), np.uint64(columns[1, u])
            left, right = weight_x[0, u], weight_x[1, u]
            for c in range(channels):
                above = np.float32(upper[x0, c]) * left + np.float32(upper[x1, c]) * right
                below = np.float32(lower[x0, c]) * left + np.float32(lower[x1, c]) * right
                out[v, u, c] = above * top + below * bottom

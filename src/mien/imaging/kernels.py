"""Image primitives that reproduce OpenCV 4's arithmetic bit for bit (docs/algorithms/image-arithmetic.md).

OpenCV 5 samples at exact positions; the program this library follows samples on a grid of 1/32 px, and
its results move visibly when that grid is left out. So the primitives are written here and OpenCV is
needed by the tests only.
"""

from __future__ import annotations

import numpy as np

from mien.runtime.jit import kernel, part


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
def sample_zero_border(source, x32, y32):
    """Interpolate ``source`` (uint8) at (x32/32, y32/32) px; each neighbour outside the image counts as 0.

    Returns the value in units of 1/1024 as an integer. Its float32 sums would be exact for grey levels, so
    both forms are equal.
    """
    height, width = source.shape
    fx, fy = x32 & 31, y32 & 31
    x, y = x32 >> 5, y32 >> 5
    if 0 <= x < width - 1 and 0 <= y < height - 1:
        # Unsigned indices spare the test for negative ones.
        left, above = np.uint64(x), np.uint64(y)
        right, below = left + np.uint64(1), above + np.uint64(1)
        upper = np.int64(source[above, left]) * (32 - fx) + np.int64(source[above, right]) * fx
        lower = np.int64(source[below, left]) * (32 - fx) + np.int64(source[below, right]) * fx
        return upper * (32 - fy) + lower * fy
    total = 0
    for dy in range(2):
        weight_y = fy if dy else 32 - fy
        for dx in range(2):
            if 0 <= x + dx < width and 0 <= y + dy < height:
                weight_x = fx if dx else 32 - fx
                total += np.int64(source[y + dy, x + dx]) * weight_x * weight_y
    return total


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

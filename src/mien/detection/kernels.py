"""Kernels of the face detector: network inputs, suppression (docs/algorithms/face-detection.md)."""

from __future__ import annotations

import numpy as np

from mien.imaging.kernels import linear_taps
from mien.runtime.jit import kernel, part


@kernel
def network_inputs(bgr, windows, out):
    """Resize windows of an image linearly and normalise them for the networks.

    ``bgr`` (H, W, 3) uint8, C-contiguous; ``windows`` (N, 4) int64: first column, first row, columns,
    rows, px; pixels of a window outside the image are 0; ``out`` (N, 3, h, w) float32: planes red,
    green, blue of (value - 127.5) / 128.
    """
    height, width = out.shape[2], out.shape[3]
    columns, weight_x = np.empty((2, width), np.int64), np.empty((2, width), np.float32)
    rows, weight_y = np.empty((2, height), np.int64), np.empty((2, height), np.float32)
    offset, gain = np.float32(127.5), np.float32(0.0078125)
    for n in range(windows.shape[0]):
        linear_taps(windows[n, 0], windows[n, 2], bgr.shape[1], columns, weight_x)
        linear_taps(windows[n, 1], windows[n, 3], bgr.shape[0], rows, weight_y)
        for v in range(height):
            upper, lower = bgr[rows[0, v]].reshape(-1), bgr[rows[1, v]].reshape(-1)
            top, bottom = weight_y[0, v], weight_y[1, v]
            red, green, blue = out[n, 0, v], out[n, 1, v], out[n, 2, v]
            for u in range(width):
                x0, x1 = np.uint64(3 * columns[0, u]), np.uint64(3 * columns[1, u])
                left, right = weight_x[0, u], weight_x[1, u]
                blue[u] = (_mix(upper, lower, x0, x1, left, right, top, bottom) - offset) * gain
                x0, x1 = x0 + np.uint64(1), x1 + np.uint64(1)
                green[u] = (_mix(upper, lower, x0, x1, left, right, top, bottom) - offset) * gain
                x0, x1 = x0 + np.uint64(1), x1 + np.uint64(1)
                red[u] = (_mix(upper, lower, x0, x1, left, right, top, bottom) - offset) * gain


@part
def _mix(upper, lower, x0, x1, left, right, top, bottom):
    above = np.float32(upper[x0]) * left + np.float32(upper[x1]) * right
    below = np.float32(lower[x0]) * left + np.float32(lower[x1]) * right
    return above * top + below * bottom


@kernel
def suppress(boxes, order, threshold, by_smaller, kept):
    """Greedy non-maximum suppression.

    Walk through the boxes in ``order`` and keep each one that no kept box overlaps by more than
    ``threshold`` of the union of both, or of the smaller of both if ``by_smaller``.

    ``boxes`` (N, 4) int64: x, y, width, height; ``order`` (N,) int64; ``kept`` (N,) int64 receives the
    indices of the kept boxes. Returns how many there are.
    """
    count = 0
    for i in order:
        area = boxes[i, 2] * boxes[i, 3]
        alone = True
        for k in range(count):
            j = kept[k]
            columns = _shared(boxes[i, 0], boxes[i, 2], boxes[j, 0], boxes[j, 2])
            rows = _shared(boxes[i, 1], boxes[i, 3], boxes[j, 1], boxes[j, 3])
            shared = columns * rows
            other = boxes[j, 2] * boxes[j, 3]
            whole = min(area, other) if by_smaller else area + other - shared
            # An empty pair divides 0 by 0 and suppresses nothing.
            if np.float32(shared) / np.float32(whole) > np.float32(threshold):
                alone = False
                break
        if alone:
            kept[count] = i
            count += 1
    return count


@part
def _shared(start, length, other_start, other_length):
    return max(min(start + length, other_start + other_length) - max(start, other_start), 0)

"""Kernel of the validator: the face warped to its mean shape, normalised (docs/algorithms/validator.md)."""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np

from mien.imaging.kernels import sample_zero_border
from mien.runtime.jit import kernel, part

_MARGIN_PX = np.float32(3)
_LEVEL = np.float32(1 / 1024)


@kernel
def validation_input(gray, points, triangles, alpha, beta, pixels, positions, normalisation, out):
    """Build the network's input from an image and the landmarks found in it.

    ``gray`` (H, W) uint8; ``points`` (n, 2) float32, px; ``triangles`` (T, 3) int32; ``alpha``, ``beta``
    (T, 3) float32; ``pixels`` (N, 2) int32: index into ``out`` and triangle of each pixel in the
    mask; ``positions`` (2, N) float32: x and y of these pixels in the frame of the mean shape;
    ``normalisation`` (2, N) float32: mean and standard deviation of each pixel over the training faces;
    ``out`` (3600,) float32, zeros; only the mask's pixels are written.

    Returns False, and leaves ``out`` alone, where the landmarks leave nothing of the image to look at.
    """
    height, width = gray.shape
    x_low, x_high, y_low, y_high = points[0, 0], points[0, 0], points[0, 1], points[0, 1]
    for i in range(points.shape[0]):
        if not (abs(points[i, 0]) < 1e6 and abs(points[i, 1]) < 1e6):
            return False
        x_low, x_high = min(x_low, points[i, 0]), max(x_high, points[i, 0])
        y_low, y_high = min(y_low, points[i, 1]), max(y_high, points[i, 1])
    x0, x1 = max(int(x_low - _MARGIN_PX), 0), min(int(x_high + _MARGIN_PX), width - 1)
    y0, y1 = max(int(y_low - _MARGIN_PX), 0), min(int(y_high + _MARGIN_PX), height - 1)
    if x1 - x0 <= 1 or y1 - y0 <= 1:
        return False
    maps = np.empty((triangles.shape[0], 6), np.float32)
    _affine_maps(points, np.float32(x0), np.float32(y0), triangles, alpha, beta, maps)
    count = pixels.shape[0]
    x32, y32 = np.empty(count, np.int32), np.empty(count, np.int32)
    for k in range(count):
        t = np.uint64(pixels[k, 1])
        x = (maps[t, 0] + maps[t, 1] * positions[0, k]) + maps[t, 2] * positions[1, k]
        y = (maps[t, 3] + maps[t, 4] * positions[0, k]) + maps[t, 5] * positions[1, k]
        x32[k], y32[k] = np.int32(np.rint(np.float32(32) * x)), np.int32(np.rint(np.float32(32) * y))
    values = np.empty(count, np.float32)
    crop = gray[y0:y1, x0:x1]
    total = total_squares = 0  # Integers: exact in any order.
    for k in range(count):
        value = sample_zero_border(crop, np.int64(x32[k]), np.int64(y32[k]))
        values[k] = np.float32(np.int32(value)) * _LEVEL
        total += value
        total_squares += value * value
    mean = total / 1024.0 / count
    deviation = np.sqrt(max(total_squares / 1048576.0 / count - mean * mean, 0.0))
    offset, gain = np.float32(mean), np.float32(1.0 / deviation if deviation > 0 else 1.0)
    for k in range(count):
        values[k] = ((values[k] - offset) * gain - normalisation[0, k]) / normalisation[1, k]
    for k in range(count):
        out[np.uint64(pixels[k, 0])] = values[k]
    return True


@part
def _affine_maps(points, x0, y0, triangles, alpha, beta, maps):
    """Affine map of each triangle from the mean shape to the crop that starts at (x0, y0)."""
    for t in range(triangles.shape[0]):
        i, j, k = triangles[t]
        for axis in range(2):
            origin = x0 if axis == 0 else y0
            start = points[i, axis] - origin
            to_j = (points[j, axis] - origin) - start
            to_k = (points[k, axis] - origin) - start
            for n in range(3):
                base = start if n == 0 else np.float32(0)
                maps[t, 3 * axis + n] = (base + to_j * alpha[t, n]) + to_k * beta[t, n]

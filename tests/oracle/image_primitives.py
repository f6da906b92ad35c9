"""Slow, obvious twins of `mien.imaging.kernels`, pixel by pixel (docs/algorithms/image-arithmetic.md)."""

from __future__ import annotations

import math

import numpy as np

F = np.float32


def gray(bgr: np.ndarray) -> np.ndarray:
    b, g, r = (bgr[..., c].astype(int) for c in range(3))
    return ((3735 * b + 19235 * g + 9798 * r + 16384) >> 15).astype(np.uint8)


def sample(image: np.ndarray, x32: int, y32: int) -> np.float32:
    """Bilinear sample on the 1/32 px grid in float32; what is outside counts as 0."""
    ix, iy = x32 >> 5, y32 >> 5
    fx, fy = F(x32 & 31) / F(32), F(y32 & 31) / F(32)

    def tap(x: int, y: int) -> np.float32:
        inside = 0 <= x < image.shape[1] and 0 <= y < image.shape[0]
        return F(image[y, x]) if inside else F(0)

    one = F(1)
    return (
        tap(ix, iy) * ((one - fy) * (one - fx))
        + tap(ix + 1, iy) * ((one - fy) * fx)
        + tap(ix, iy + 1) * (fy * (one - fx))
        + tap(ix + 1, iy + 1) * (fy * fx)
    )


def warp_affine(image: np.ndarray, matrix: np.ndarray, width: int, height: int) -> np.ndarray:
    out = np.empty((height, width), F)
    for v in range(height):
        for u in range(width):
            x32, y32 = (
                (round(1024 * (row[1] * v + row[2])) + 16 + round(1024 * (row[0] * u))) >> 5 for row in matrix
            )
            out[v, u] = sample(image, x32, y32)
    return out


def remap(image: np.ndarray, map_x: np.ndarray, map_y: np.ndarray) -> np.ndarray:
    out = np.zeros(map_x.shape, F)
    for at in np.ndindex(map_x.shape):
        x, y = float(map_x[at]), float(map_y[at])
        if math.isfinite(x) and math.isfinite(y):
            out[at] = sample(image, round(32 * x), round(32 * y))
    return out


def _tap(destination: int, size_in: int, size_out: int) -> tuple[int, int, np.float32]:
    position = F((destination + 0.5) * (1 / (size_out / size_in)) - 0.5)
    low = math.floor(position)
    fraction = F(position - F(low))
    if low < 0:
        return 0, 0, F(0)
    if low >= size_in - 1:
        return size_in - 1, size_in - 1, F(0)
    return low, low + 1, fraction


def resize_linear(image: np.ndarray, width: int, height: int) -> np.ndarray:
    image = image.astype(F)
    out = np.empty((height, width, image.shape[2]), F)
    for v in range(height):
        y0, y1, fy = _tap(v, image.shape[0], height)
        for u in range(width):
            x0, x1, fx = _tap(u, image.shape[1], width)
            upper = image[y0, x0] * (F(1) - fx) + image[y0, x1] * fx
            lower = image[y1, x0] * (F(1) - fx) + image[y1, x1] * fx
            out[v, u] = upper * (F(1) - fy) + lower * fy
    return out

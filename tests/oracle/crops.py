"""Slow, obvious twin of the affine crop, one pixel at a time (docs/algorithms/open-detection.md#crops)."""

from __future__ import annotations

import math

import numpy as np


def crop_affine(bgr: np.ndarray, matrix: np.ndarray, clamp_edges: bool, size: int) -> np.ndarray:
    """The crop as (size, size, 3) uint8, RGB."""
    out = np.zeros((size, size, 3), np.uint8)
    for i in range(size):
        for j in range(size):
            x, y = (int(np.rint(32 * (row[0] * j + row[1] * i + row[2]))) for row in matrix)
            left, top = math.floor(x / 32), math.floor(y / 32)
            fx, fy = x - 32 * left, y - 32 * top
            total = np.full(3, 512)
            for dx, wx in ((0, 32 - fx), (1, fx)):
                for dy, wy in ((0, 32 - fy), (1, fy)):
                    total = total + wx * wy * _tap(bgr, left + dx, top + dy, clamp_edges)
            out[i, j] = (total >> 10)[::-1]
    return out


def _tap(bgr: np.ndarray, x: int, y: int, clamp_edges: bool) -> np.ndarray:
    height, width = bgr.shape[:2]
    if clamp_edges:
        x, y = min(max(x, 0), width - 1), min(max(y, 0), height - 1)
    elif not (0 <= x < width and 0 <= y < height):
        return np.zeros(3, np.int64)
    return bgr[y, x].astype(np.int64)

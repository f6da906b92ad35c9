"""Slow, obvious twin of the drawing of composites: every pixel by itself, in floating point."""

from __future__ import annotations

import numpy as np


def draw(vertices, origins, triangles, frame, wanted):
    """What `mien.sides.kernels.draw` draws, not yet rounded: (h, w, 3), NaN where nothing is drawn."""
    out = np.full((*wanted.shape, 3), np.nan)
    for y, x in np.argwhere(wanted):
        for triangle in triangles:
            weights = barycentric(vertices[triangle], x, y)
            if weights is not None and weights.min() >= -1e-9:
                out[y, x] = bilinear(frame, *(weights @ origins[triangle]))
                break
    return out


def barycentric(corners, x, y):
    """Weights (3,) of a triangle's corners at a point; None for one without an area."""
    a, b, c = corners
    area = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])
    if not abs(area) > 1e-9:
        return None
    wb = ((x - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (y - a[1])) / area
    wc = ((b[0] - a[0]) * (y - a[1]) - (x - a[0]) * (b[1] - a[1])) / area
    return np.array([1 - wb - wc, wb, wc])


def bilinear(frame, u, v):
    """Colour at a position rounded to 1/64 px; beyond the frame all is black."""
    u, v = np.floor(u * 64 + 0.5) / 64, np.floor(v * 64 + 0.5) / 64
    ix, iy = int(np.floor(u)), int(np.floor(v))
    total = np.zeros(3)
    for px, wx in ((ix, ix + 1 - u), (ix + 1, u - ix)):
        for py, wy in ((iy, iy + 1 - v), (iy + 1, v - iy)):
            if 0 <= px < frame.shape[1] and 0 <= py < frame.shape[0]:
                total += wx * wy * frame[py, px]
    return total

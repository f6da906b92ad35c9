"""Slow, obvious twin of the validator's network input (docs/algorithms/validator.md)."""

from __future__ import annotations

import numpy as np

from mien.models.records import ValidatorView
from oracle import image_primitives

F = np.float32


def network_input(view: ValidatorView, gray: np.ndarray, points: np.ndarray) -> np.ndarray | None:
    x0, y0 = (max(int(points[:, axis].min() - F(3)), 0) for axis in range(2))
    x1 = min(int(points[:, 0].max() + F(3)), gray.shape[1] - 1)
    y1 = min(int(points[:, 1].max() + F(3)), gray.shape[0] - 1)
    if x1 - x0 <= 1 or y1 - y0 <= 1:
        return None
    shifted = points - np.array([x0, y0], F)
    alpha, beta = view.alpha.astype(F), view.beta.astype(F)
    map_x, map_y = np.full(view.mask.shape, -1, F), np.full(view.mask.shape, -1, F)
    for row, column in np.argwhere(view.mask):
        t = view.triangle_ids[row, column]
        x, y = F(column) + F(view.min_x), F(row) + F(view.min_y)
        for axis, target in ((0, map_x), (1, map_y)):
            i, j, k = shifted[view.triangles[t], axis]
            c = (np.array([i, 0, 0], F) + (j - i) * alpha[t]) + (k - i) * beta[t]
            target[row, column] = (c[0] + c[1] * x) + c[2] * y
    warped = image_primitives.remap(gray[y0:y1, x0:x1], map_x, map_y)
    inside = view.mask.T != 0
    z = warped.T[inside]
    deviation = z.astype(float).std()
    z = (z - F(z.astype(float).mean())) * F(1 / deviation if deviation > 1e-9 else 1)
    z = (z - view.mean_image.astype(F)) / view.std_image.astype(F)
    out = np.zeros(view.mask.T.shape, F)
    out[inside] = z
    return out.T

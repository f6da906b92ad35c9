"""Slow, obvious twins of the alignment and of FHOG (docs/algorithms/alignment-and-fhog.md)."""

from __future__ import annotations

import numpy as np

RIGID = [1, 2, 3, 4, 12, 13, 14, 15, 27, 28, 29, 31, 32, 33, 34, 35, 36, 39, 40, 41, 42, 45, 46, 47]
RAISED = [0, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26]
UNIT_VECTORS = [
    (1, 0),
    (0.9397, 0.3420),
    (0.7660, 0.6428),
    (0.5, 0.8660),
    (0.1736, 0.9848),
    (-0.1736, 0.9848),
    (-0.5, 0.8660),
    (-0.7660, 0.6428),
    (-0.9397, 0.3420),
]


def similarity(points, mean, tx, ty, size, scale):
    """Warp matrix (2, 3) in exact arithmetic, as far as float64 goes."""
    source = np.asarray(points, float)[RIGID]
    target = np.asarray(mean, float)[RIGID, :2] * scale
    source, target = source - source.mean(0), target - target.mean(0)
    size_a, size_b = (np.sqrt((v**2).sum() / len(RIGID)) for v in (source, target))
    u, _, vt = np.linalg.svd((source / size_a).T @ (target / size_b))
    sign = 1 if np.linalg.det(vt.T @ u.T) > 0 else -1
    q = size_b / size_a * vt.T @ np.diag([1, sign]) @ u.T
    return np.column_stack([q, size // 2 - q @ [tx, ty]])


def warp(frame, matrix, size):
    """The whole (size, size, 3) picture, pixel by pixel."""
    (w00, w01, w02), (w10, w11, w12) = np.asarray(matrix, float).tolist()
    det = 1 / (w00 * w11 - w01 * w10)
    a, b, d, e = w11 * det, -w01 * det, -w10 * det, w00 * det
    c, f = -a * w02 - b * w12, -d * w02 - e * w12
    padded = np.zeros((frame.shape[0] + 4, frame.shape[1] + 4, 3), int)
    padded[2:-2, 2:-2] = frame
    out = np.empty((size, size, 3), np.uint8)
    for y in range(size):
        for x in range(size):
            sx = (round(1024 * (b * y + c)) + 16 + round(1024 * a * x)) // 32
            sy = (round(1024 * (e * y + f)) + 16 + round(1024 * d * x)) // 32
            ix = min(max(sx // 32, -2), frame.shape[1]) + 2
            iy = min(max(sy // 32, -2), frame.shape[0]) + 2
            fx, fy = sx % 32, sy % 32
            weights = np.array([(32 - fx) * (32 - fy), fx * (32 - fy), (32 - fx) * fy, fx * fy])
            four = padded[[iy, iy, iy + 1, iy + 1], [ix, ix + 1, ix, ix + 1]]
            out[y, x] = (32 * (weights @ four) + 16384) // 32768
    return out


def _side(x, y, a, b):
    """Sign of the side of the line from a to b on which (x, y) lies."""
    return np.sign((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]))


def mask(points, triangles, size):
    """(size, size) bool: which pixels lie in a triangle."""
    y, x = np.mgrid[:size, :size].astype(float)
    covered = np.zeros((size, size), bool)
    for corners in np.asarray(points, float)[triangles]:
        (left, top), (right, bottom) = corners.min(0), corners.max(0)
        inside = (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
        for k in range(3):
            a, b, opposite = corners[k - 2], corners[k - 1], corners[k]
            inside &= _side(x, y, a, b) * _side(*opposite, a, b) >= 0
        covered |= inside
    return covered


def raised_landmarks(points, matrix, scale):
    """Where the mask's triangles have their corners."""
    warped = np.asarray(points, float) @ np.asarray(matrix, float)[:, :2].T + np.asarray(matrix, float)[:, 2]
    warped[RAISED, 1] -= 30 * scale / 0.7
    return warped


def strongest_gradient(image, y, x, grouped):
    """(gx, gy) of the channel that wins; ties as in docs/algorithms/alignment-and-fhog.md#fhog."""
    picture = image.astype(int)
    gradients = [
        (picture[y, x + 1, k] - picture[y, x - 1, k], picture[y + 1, x, k] - picture[y - 1, x, k])
        for k in range(3)
    ]
    order = [0, 1, 2] if grouped else [2, 1, 0]
    return gradients[max(order, key=lambda k: gradients[k][0] ** 2 + gradients[k][1] ** 2)]


def orientation(gx, gy):
    """Bin 0-17 of a gradient."""
    best, which = 0.0, 0
    for o, (cx, cy) in enumerate(UNIT_VECTORS):
        dot = gx * cx + gy * cy
        if dot > best:
            best, which = dot, o
        if -dot > best:
            best, which = -dot, o + 9
    return which


def histogram(image):
    """(rows, columns, 18) votes of every cell."""
    height, width = image.shape[:2]
    rows, columns = int(height / 8 + 0.5), int(width / 8 + 0.5)
    cells = np.zeros((rows + 2, columns + 2, 18))
    grouped_until = 0
    while grouped_until + 1 < min(columns * 8, width) - 8:
        grouped_until += 8
    for y in range(1, min(rows * 8, height) - 1):
        for x in range(1, min(columns * 8, width) - 1):
            gx, gy = strongest_gradient(image, y, x, x <= grouped_until)
            magnitude, o = np.hypot(gx, gy), orientation(gx, gy)
            py, px = (y + 0.5) / 8 - 0.5, (x + 0.5) / 8 - 0.5
            iy, ix = int(np.floor(py)), int(np.floor(px))
            for dy, wy in ((0, 1 - (py - iy)), (1, py - iy)):
                for dx, wx in ((0, 1 - (px - ix)), (1, px - ix)):
                    cells[iy + dy + 1, ix + dx + 1, o] += magnitude * wy * wx
    return cells[1:-1, 1:-1]


def fhog(image):
    """Descriptor of an (h, w, 3) picture in float64."""
    cells = histogram(image)
    energy = ((cells[:, :, :9] + cells[:, :, 9:]) ** 2).sum(-1)
    described = []
    for y in range(1, len(cells) - 1):
        for x in range(1, cells.shape[1] - 1):
            blocks = [energy[y + dy : y + dy + 2, x + dx : x + dx + 2] for dx in (0, -1) for dy in (0, -1)]
            norms = [np.sqrt(block.sum() + 0.0001) for block in blocks]
            signed, unsigned = cells[y, x], cells[y, x, :9] + cells[y, x, 9:]
            shares = [0.5 * np.minimum(signed / norm, 0.2) for norm in norms]
            described.append(sum(shares))
            described.append(sum(0.5 * np.minimum(unsigned / norm, 0.2) for norm in norms))
            described.append([0.4714 * share.sum() for share in shares])
    return np.concatenate(described)

"""Slow, obvious twins of the face detector's kernels (docs/algorithms/face-detection.md)."""

from __future__ import annotations

import numpy as np

from oracle import image_primitives


def suppress(boxes: np.ndarray, scores: np.ndarray, threshold: float, by_smaller: bool) -> list[int]:
    """Indices of the kept boxes, best first."""
    boxes = [tuple(round(float(v)) for v in box) for box in boxes]
    remaining = list(range(len(boxes)))
    kept = []
    while remaining:
        best = max(remaining, key=lambda i: (scores[i], i))
        kept.append(best)
        remaining = [
            i for i in remaining if i != best and not _overlap(boxes[best], boxes[i], by_smaller) > threshold
        ]
    return kept


def _overlap(a: tuple, b: tuple, by_smaller: bool) -> float:
    columns = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    rows = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(columns, 0) * max(rows, 0)
    areas = a[2] * a[3], b[2] * b[3]
    whole = min(areas) if by_smaller else sum(areas) - shared
    return float(np.float32(shared) / np.float32(whole)) if whole else float("nan")


def network_input(bgr: np.ndarray, window: tuple[int, int, int, int], size: tuple[int, int]) -> np.ndarray:
    """(3, height, width): the window pasted on zeros, resized, normalised, as planes red, green, blue."""
    left, top, columns, rows = window
    pasted = np.zeros((rows, columns, 3), np.float32)
    for y in range(rows):
        for x in range(columns):
            if 0 <= top + y < bgr.shape[0] and 0 <= left + x < bgr.shape[1]:
                pasted[y, x] = bgr[top + y, left + x]
    resized = image_primitives.resize_linear(pasted, size[1], size[0])
    return ((resized - np.float32(127.5)) * np.float32(0.0078125))[..., ::-1].transpose(2, 0, 1)

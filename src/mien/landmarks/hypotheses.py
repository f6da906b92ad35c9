"""Landmarks from a face box, trying several head orientations (landmarks.md §6.9)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.landmarks.detector import Detection, LandmarkDetector

FRONTAL: tuple[tuple[float, float, float], ...] = ((0.0, 0.0, 0.0),)
ORIENTATIONS: tuple[tuple[float, float, float], ...] = (
    (0.0, 0.0, 0.0),
    (0.0, -0.5236, 0.0),
    (0.0, 0.5236, 0.0),
    (0.0, -0.96, 0.0),
    (0.0, 0.96, 0.0),
    (0.0, 0.0, 0.5236),
    (0.0, 0.0, -0.5236),
    (0.0, -1.57, 0.0),
    (0.0, 1.57, 0.0),
    (0.0, -1.22, 0.698),
    (0.0, 1.22, -0.698),
)
"""Head orientations that are tried, pitch, yaw, roll in rad."""


def landmarks_from_box(
    detector: LandmarkDetector,
    gray: NDArray[np.uint8],
    box: NDArray[np.float32],
    *,
    multi_view: bool,
) -> tuple[Detection, bool]:
    """Fit the landmarks of the face in a box.

    Parameters
    ----------
    detector
        The landmark detector.
    gray
        (H, W) uint8 image.
    box
        (4,) float32: x, y, width, height, px, tight around the landmarks.
    multi_view
        Try eleven head orientations instead of the frontal one only.

    Returns
    -------
    detection
        The hypothesis with the highest likelihood, the first on ties.
    returned
        What the original's search returns; without early termination the detection's success.
    """
    orientations = ORIENTATIONS if multi_view else FRONTAL
    return _best_hypothesis(detector, gray, box, orientations)


def _best_hypothesis(
    detector: LandmarkDetector,
    gray: NDArray[np.uint8],
    box: NDArray[np.float32],
    orientations: tuple[tuple[float, float, float], ...],
) -> tuple[Detection, bool]:
    """§6.9 (a): the winner depends on the main fit alone, so only the winner is refined and validated."""
    windows = detector.options.windows_initial
    best: Detection | None = None
    for orientation in orientations:
        start = detector.pdm.from_box(box, orientation)
        candidate = detector.detect(gray, start, windows, complete=False)
        if best is None or candidate.likelihood > best.likelihood:
            best = candidate
    if best is None:
        raise ValueError("expected at least one head orientation")
    result = detector.complete(gray, best)
    return result, result.success

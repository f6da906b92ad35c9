"""Landmarks from a face box, trying several head orientations (docs/algorithms/hypotheses.md)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mien.landmarks.detector import Detection, LandmarkDetector
from mien.models.records import EarlyTermination
from mien.shape.model import ShapeParameters

Orientations = tuple[tuple[float, float, float], ...]
FRONTAL: Orientations = ((0.0, 0.0, 0.0),)
ORIENTATIONS: Orientations = (
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
_COMPLETED = 3


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
    if detector.early_termination is None:
        return _best_hypothesis(detector, gray, box, orientations)
    return _early_terminating_search(detector, detector.early_termination, gray, box, orientations)


def _best_hypothesis(
    detector: LandmarkDetector,
    gray: NDArray[np.uint8],
    box: NDArray[np.float32],
    orientations: Orientations,
) -> tuple[Detection, bool]:
    """CLNF: the winner depends on the main fit alone, so only the winner is refined and validated."""
    windows = detector.options.windows_initial
    best: Detection | None = None
    for orientation in orientations:
        start = detector.pdm.from_box(box, orientation)
        best = _likelier(best, detector.detect(gray, start, windows, complete=False))
    if best is None:
        raise ValueError("expected at least one head orientation")
    result = detector.complete(gray, best)
    return result, result.success


def _early_terminating_search(
    detector: LandmarkDetector,
    table: EarlyTermination,
    gray: NDArray[np.uint8],
    box: NDArray[np.float32],
    orientations: Orientations,
) -> tuple[Detection, bool]:
    """CE-CLM: accept the first hypothesis whose coarse fit is good enough, else complete the best three."""
    first, *rest = detector.options.windows_initial
    coarse_windows, fine_windows = (first, *(0 for _ in rest)), (0, *rest)
    tried: list[tuple[float, ShapeParameters]] = []
    for orientation in orientations:
        start = detector.pdm.from_box(box, orientation)
        coarse = detector.detect(gray, start, coarse_windows, complete=False)
        view = coarse.view
        score = float(table.weights[view] * coarse.likelihood + table.biases[view])
        if score > table.cutoffs[view]:
            result = detector.detect(gray, coarse.params, fine_windows)
            return result, result.success
        tried.append((score, coarse.params))
    return _complete_best(detector, gray, tried, fine_windows)


def _complete_best(
    detector: LandmarkDetector,
    gray: NDArray[np.uint8],
    tried: list[tuple[float, ShapeParameters]],
    windows: tuple[int, ...],
) -> tuple[Detection, bool]:
    """Complete the three best coarse fits and keep the likeliest (docs/algorithms/hypotheses.md).

    Three peculiarities of the original are reproduced: the local parameters of all hypotheses but the last
    are lost, and the returned flag and the certainty are those of the last candidate, not of the best.
    """
    last = len(tried) - 1
    ranked = sorted(range(len(tried)), key=lambda k: _rank(tried[k][0]), reverse=True)
    best: Detection | None = None
    candidate: Detection | None = None
    for k in ranked[:_COMPLETED]:
        params = tried[k][1]
        local = params.local_params if k == last else np.zeros_like(params.local_params)
        candidate = detector.detect(gray, ShapeParameters(params.global_params, local), windows)
        best = _likelier(best, candidate)
    if best is None or candidate is None:
        raise ValueError("expected at least one head orientation")
    return replace(best, certainty=candidate.certainty), candidate.success


def _likelier(best: Detection | None, candidate: Detection) -> Detection:
    """The likelier of two fits, the first on ties. A fit without a number never wins against one with it.

    (In the original a likelihood that is NaN stays the best once it is the first.)
    """
    if best is None or candidate.likelihood > best.likelihood or np.isnan(best.likelihood):
        return candidate
    return best


def _rank(score: float) -> float:
    return -np.inf if np.isnan(score) else score

"""Several detectors asked for the faces of one image: one after the other, or all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import FaceBoxes
from mien.detection.blazeface import KEYPOINTS, box_overlaps

_SAME_FACE = 0.3


class FaceDetector(Protocol):
    """Anything that finds faces in an image."""

    def detect(self, bgr: NDArray[np.uint8]) -> FaceBoxes:
        """Find the faces of an image (H, W, 3) uint8, C-contiguous; most certain first."""
        ...


class FirstSuccess:
    """Asks one detector after the other until one finds a face.

    The short-range network is quick and keeps very large faces; the full-range network finds the small
    faces it misses (docs/algorithms/open-detection.md#blazeface).

    Parameters
    ----------
    detectors
        In the order in which they are asked.
    """

    def __init__(self, detectors: Sequence[FaceDetector]) -> None:
        self._detectors = tuple(detectors)

    def detect(self, bgr: NDArray[np.uint8]) -> FaceBoxes:
        """Find the faces of an image: the first detector's that finds any; empty where none does."""
        faces = FaceBoxes(np.empty((0, 4), np.float32), np.empty(0, np.float32))
        for detector in self._detectors:
            faces = detector.detect(bgr)
            if len(faces):
                break
        return faces


class Together:
    """Asks all of several detectors; a face that several find is that of the first.

    Parameters
    ----------
    detectors
        In the order of trust.
    """

    def __init__(self, detectors: Sequence[FaceDetector]) -> None:
        self._detectors = tuple(detectors)

    def detect(self, bgr: NDArray[np.uint8]) -> FaceBoxes:
        """Find the faces of an image.

        Parameters
        ----------
        bgr
            (H, W, 3) uint8, C-contiguous.

        Returns
        -------
        FaceBoxes
            In the order of the detectors, each one's most certain face first; ``keypoints`` (N, 6, 2) are
            NaN where the detector gives none.
        """
        boxes, scores, keypoints = np.empty((0, 4), np.float32), [], []
        for detector in self._detectors:
            faces = detector.detect(bgr)
            for number in np.flatnonzero(_unlike(faces.boxes, boxes)):
                boxes = np.concatenate([boxes, faces.boxes[number : number + 1]])
                scores.append(faces.scores[number])
                given = faces.keypoints
                keypoints.append(np.full((KEYPOINTS, 2), np.nan) if given is None else given[number])
        shape = (len(boxes), KEYPOINTS, 2)
        return FaceBoxes(
            boxes, np.array(scores, np.float32), keypoints=np.array(keypoints, np.float32).reshape(shape)
        )


def _unlike(boxes: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which boxes (N, 4) x, y, width, height overlap none of the others (M, 4)."""
    corners = _corners(others)
    return np.array(
        [not (box_overlaps(box, corners) > _SAME_FACE).any() for box in _corners(boxes)], dtype=np.bool_
    )


def _corners(boxes: NDArray[np.float32]) -> NDArray[np.float64]:
    exact = boxes.astype(np.float64)
    return np.concatenate([exact[:, :2], exact[:, :2] + exact[:, 2:]], axis=1)

"""Faces of still pictures, which have nothing to do with one another (docs/algorithms/pictures.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from mien.datatypes import FaceLandmarks, Frame, TrackedFace
from mien.landmarks.detector import LandmarkDetector
from mien.landmarks.hypotheses import landmarks_from_box
from mien.landmarks.tracker import Detect


class PictureTracker:
    """Takes every frame for a video of its own, and so remembers nothing.

    Parameters
    ----------
    find
        Finds the faces of a picture.
    widest_only
        Keep only the widest face of each.
    """

    def __init__(
        self, find: Callable[[Frame], Sequence[FaceLandmarks]], *, widest_only: bool = False
    ) -> None:
        self._find = find
        self._widest_only = widest_only

    def reset(self) -> None:
        """Nothing is remembered."""

    def lose(self) -> None:
        """Nothing is remembered."""

    def track(self, frame: Frame) -> tuple[TrackedFace, ...]:
        """Faces of a picture, numbered in the order in which they are found."""
        faces = self._find(frame)
        if self._widest_only and faces:
            faces = [max(faces, key=_width)]
        return tuple(TrackedFace(number, landmarks) for number, landmarks in enumerate(faces))


class ImageLandmarker:
    """Landmarks of every face in a picture: one head orientation is tried, or eleven with ``multi_view``.

    Parameters
    ----------
    detector
        Fits the landmarks.
    detect
        Face detector.
    """

    def __init__(self, detector: LandmarkDetector, detect: Detect) -> None:
        self._detector = detector
        self._detect = detect

    def find(self, frame: Frame) -> list[FaceLandmarks]:
        """Find the faces of a picture.

        Parameters
        ----------
        frame
            The picture; its ``boxes`` replace detection.

        Returns
        -------
        list of FaceLandmarks
            One per box, in the order of the boxes or of the detector; faces whose fit is not valid, which is
            what ``success`` says, are among them.
        """
        detector = self._detector
        boxes = self._detect(frame.bgr).boxes if frame.boxes is None else frame.boxes
        multi_view = detector.options.multi_view
        found = (landmarks_from_box(detector, frame.gray, box, multi_view=multi_view)[0] for box in boxes)
        return [detector.describe(detection, detection.success) for detection in found]


def _width(face: FaceLandmarks) -> float:
    width = float(np.ptp(face.points[:, 0]))
    return width if np.isfinite(width) else 0.0

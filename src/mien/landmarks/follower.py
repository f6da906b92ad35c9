"""Landmarks of any number of faces with one model: the caller keeps what each face needs to be followed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import FaceBoxes, FollowedFace, Frame
from mien.landmarks.detector import Detection, LandmarkDetector
from mien.landmarks.hypotheses import landmarks_from_box
from mien.shape.model import ShapeParameters

_TRANSLATION = slice(4, 6)
_FAST_MM = 10.0
"""Motion per frame from which on a face is fast, mm of the face."""


class LandmarkFollower:
    """Fits and follows faces with a constrained local model.

    A face is found from the front, or else, like the single face of a video, with eleven head orientations.
    It is followed as in docs/algorithms/tracker.md, but for a fast one, whose fit begins where the last
    frame's motion would bring it. Searching for a lost face is left to the caller.

    Parameters
    ----------
    detector
        Fits the landmarks.
    """

    def __init__(self, detector: LandmarkDetector) -> None:
        self._detector = detector

    def start(self, frame: Frame, faces: FaceBoxes, number: int) -> FollowedFace:
        """Fit a detected face.

        Parameters
        ----------
        frame
            The frame.
        faces
            What a detector found in it; boxes are tight around the landmarks.
        number
            Which face.
        """
        detector, box = self._detector, faces.boxes[number]
        found, _ = landmarks_from_box(detector, frame.gray, box, multi_view=False)
        if not found.success:
            found, _ = landmarks_from_box(detector, frame.gray, box, multi_view=True)
        return FollowedFace(detector.describe(found, found.success), _Memory(found))

    def follow(self, frame: Frame, face: FollowedFace) -> FollowedFace:
        """Fit a face of the frame before."""
        memory: _Memory = face.memory
        found = self._detector.follow(frame.gray, memory.predicted())
        here, there = memory.detection.params.global_params, found.params.global_params
        motion = there[_TRANSLATION] - here[_TRANSLATION] if found.success else None
        return FollowedFace(self._detector.describe(found, found.success), _Memory(found, motion))


@dataclass(frozen=True, slots=True)
class _Memory:
    """The last fit of a face, and how far it moved in the last frame, px, if it was there."""

    detection: Detection
    motion: NDArray[np.float32] | None = None

    def predicted(self) -> Detection:
        """From where the next frame is fitted: a fast face goes on moving."""
        params = self.detection.params
        if self.motion is None or np.abs(self.motion).max() < _FAST_MM * params.scale:
            return self.detection
        moved = params.global_params.copy()
        moved[_TRANSLATION] += self.motion
        return replace(self.detection, params=ShapeParameters(moved, params.local_params))

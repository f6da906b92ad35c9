"""Following one face through a video, finding it again when it is lost (docs/algorithms/tracker.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import FaceBoxes, FaceLandmarks, Frame, TrackedFace
from mien.landmarks.detector import Detection, LandmarkDetector
from mien.landmarks.hypotheses import landmarks_from_box

Detect = Callable[[NDArray[np.uint8]], FaceBoxes]
"""Face detection on a BGR picture."""

_RETRY_EVERY_WITHOUT_FACE = 6
_GIVE_UP_AFTER = 100


@dataclass(frozen=True, slots=True)
class TrackerState:
    """What the tracker remembers between frames (docs/algorithms/tracker.md#state).

    ``failures`` counts frames without success since the last one, starting at -1.
    """

    detection: Detection
    tracking: bool = False
    failures: int = -1


class FaceTracker:
    """Landmarks of one face, frame by frame.

    Parameters
    ----------
    detector
        Fits the landmarks.
    detect
        Face detector, called on the frames where the face must be found.
    """

    def __init__(self, detector: LandmarkDetector, detect: Detect) -> None:
        self.detector = detector
        self._detect = detect
        self.reset()

    def reset(self) -> None:
        """Forget the face; the next frame starts with face detection."""
        self.state = TrackerState(self.detector.nothing())

    def lose(self) -> None:
        """The next frame has another shape, and starts with face detection."""
        self.reset()

    def track(self, frame: Frame) -> tuple[TrackedFace]:
        """One face, number 0, whether it was found or not; see `follow`."""
        return (TrackedFace(0, self.follow(frame)),)

    def follow(self, frame: Frame) -> FaceLandmarks:
        """Landmarks of the face in the next frame.

        Parameters
        ----------
        frame
            The frame; its predecessor must have been given before.

        Returns
        -------
        FaceLandmarks
            The tracker's current state, whether the frame succeeded or not.
        """
        success = self._advance(frame)
        return self.detector.describe(self.state.detection, success)

    def _advance(self, frame: Frame) -> bool:
        """Steps 1 to 7 of docs/algorithms/tracker.md; returns what the original's tracker returns."""
        first = not self.state.tracking
        if not first:
            found = self.detector.follow(frame.gray, self.state.detection)
            failures = -1 if found.success else self.state.failures + 1
            self.state = replace(self.state, detection=found, failures=failures)
        if self._wants_detection():
            box = _widest(self._detect(frame.bgr))
            if box is not None:
                return self._start_again(frame, box, first)
        if not self.state.tracking:
            self.state = replace(self.state, failures=self.state.failures + 1)
        if self.state.failures > _GIVE_UP_AFTER:
            self.state = replace(self.state, tracking=False)
        return self.state.detection.success

    def _wants_detection(self) -> bool:
        state, every = self.state, self.detector.options.redetect_every
        if not state.tracking:
            return (state.failures + 1) % (_RETRY_EVERY_WITHOUT_FACE * every) == 0
        return not state.detection.success and every > 0 and state.failures % every == 0

    def _start_again(self, frame: Frame, box: NDArray[np.float32], first: bool) -> bool:
        """Fit from a detected face; a rejected fit replaces the old one only at a first detection."""
        before = self.state.detection
        found, success = landmarks_from_box(self.detector, frame.gray, box, multi_view=True)
        if success or first:
            self.state = TrackerState(found, tracking=True, failures=-1)
            return True
        # Parameters and landmarks go back; certainty, success flag and parts are those of the failed attempt.
        restored = replace(
            found, params=before.params, points=before.points, likelihood=before.likelihood, view=before.view
        )
        self.state = replace(self.state, detection=restored, tracking=True)
        return False


def _widest(faces: FaceBoxes) -> NDArray[np.float32] | None:
    """The widest face, the first on ties (docs/algorithms/face-detection.md)."""
    return faces.boxes[int(np.argmax(faces.boxes[:, 2]))] if len(faces) else None

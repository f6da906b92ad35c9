"""A tracker that is faster than the original's and not quite the same: only for those who ask for it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import FaceLandmarks, Frame
from mien.landmarks.detector import LandmarkDetector
from mien.landmarks.tracker import Detect, FaceTracker
from mien.shape.model import ShapeParameters

_TRANSLATION = slice(4, 6)


@dataclass(frozen=True, slots=True)
class Approximations:
    """What is left out.

    Attributes
    ----------
    iterations
        Limit of each optimisation, of the face and of its parts; None leaves them as they are (5).
    predict_motion
        Begin a fit where the face would be if it went on moving as in the last two frames.
    reuse_repeated
        Give a frame that equals the one before, pixel by pixel, that one's landmarks. The exact tracker
        cannot: it begins each fit where the last one ended, so that a standing picture still changes.
    parts
        Whether inner face and eyes are refined by models of their own.
    """

    iterations: int | None = None
    predict_motion: bool = False
    reuse_repeated: bool = False
    parts: bool = True


FAST = Approximations(iterations=3, reuse_repeated=True)
"""What ``--fast`` stands for; docs/performance.md says what it costs."""


class ApproximateTracker(FaceTracker):
    """Follows a face as `FaceTracker` does, with less work.

    Parameters
    ----------
    detector
        Fits the landmarks; from now on with what is left of its iterations and parts.
    detect
        See `FaceTracker`.
    approximations
        What to leave out.
    """

    def __init__(self, detector: LandmarkDetector, detect: Detect, approximations: Approximations) -> None:
        self.approximations = approximations
        if not approximations.parts:
            detector.parts = ()
        if approximations.iterations is not None:
            for model in (detector.model, *(part.model for part in detector.parts)):
                limit = min(model.options.iterations, approximations.iterations)
                model.options = replace(model.options, iterations=limit)
        super().__init__(detector, detect)

    def reset(self) -> None:
        """Forget the face; the next frame starts with face detection."""
        super().reset()
        self._previous: NDArray[np.float32] | None = None
        self._last: tuple[NDArray[np.uint8], FaceLandmarks] | None = None

    def follow(self, frame: Frame) -> FaceLandmarks:
        """Landmarks of the face in the next frame; see `FaceTracker.follow`."""
        if self.approximations.reuse_repeated and self._last is not None:
            gray, landmarks = self._last
            if landmarks.valid and np.array_equal(gray, frame.gray):
                return landmarks
        before = self.state.detection
        here = before.params.global_params[_TRANSLATION].copy() if before.success else None
        if self.approximations.predict_motion and here is not None and self._previous is not None:
            self._move_start(here - self._previous)
        landmarks = super().follow(frame)
        self._previous = here
        self._last = (frame.gray, landmarks)
        return landmarks

    def _move_start(self, motion: NDArray[np.float32]) -> None:
        """Shift the parameters from which the next fit begins."""
        params = self.state.detection.params
        moved = params.global_params.copy()
        moved[_TRANSLATION] += motion
        start = replace(self.state.detection, params=ShapeParameters(moved, params.local_params))
        self.state = replace(self.state, detection=start)

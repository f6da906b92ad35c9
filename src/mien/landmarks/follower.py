"""Landmarks of any number of faces with one model: the caller keeps what each face needs to be followed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import FaceBoxes, FollowedFace, Frame
from mien.landmarks.accelerator import Accelerator
from mien.landmarks.detector import Validate
from mien.landmarks.hypotheses import landmarks_from_box
from mien.landmarks.options import FitOptions
from mien.landmarks.tracker import FaceTracker, TrackerState
from mien.models.records import LandmarkModelRecord
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
    record
        The landmark model.
    validate
        Landmark validator, as in `FaceTracker`; None accepts all.
    options
        Fitting parameters; by default the original's.
    threads, device
        As in `FaceTracker`.
    """

    def __init__(
        self,
        record: LandmarkModelRecord,
        validate: Validate | None,
        *,
        options: FitOptions | None = None,
        threads: int = 1,
        device: str | Accelerator = "cpu",
    ) -> None:
        options = replace(options or FitOptions(), redetect_every=-1)
        self._tracker = FaceTracker(
            record, _no_detection, validate, options=options, threads=threads, device=device
        )

    @property
    def networks(self) -> dict[str, str]:
        """Where the networks of the patch experts run, by name."""
        return self._tracker.detector.networks

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
        detector, box = self._tracker.detector, faces.boxes[number]
        found, _ = landmarks_from_box(detector, frame.gray, box, multi_view=False)
        if not found.success:
            found, _ = landmarks_from_box(detector, frame.gray, box, multi_view=True)
        landmarks = self._tracker.describe(found, found.success)
        return FollowedFace(landmarks, _Memory(TrackerState(found, tracking=True)))

    def follow(self, frame: Frame, face: FollowedFace) -> FollowedFace:
        """Fit a face of the frame before."""
        memory: _Memory = face.memory
        here = memory.state.detection.params.global_params
        self._tracker.state = memory.predicted()
        landmarks = self._tracker.track(frame)
        there = landmarks.global_params
        motion = there[_TRANSLATION] - here[_TRANSLATION] if landmarks.valid else None
        return FollowedFace(replace(landmarks, success=landmarks.valid), _Memory(self._tracker.state, motion))


@dataclass(frozen=True, slots=True)
class _Memory:
    """What the tracker remembers of a face, and how far it moved in the last frame, px, if it was there."""

    state: TrackerState
    motion: NDArray[np.float32] | None = None

    def predicted(self) -> TrackerState:
        """The state from which the next frame is fitted: a fast face goes on moving."""
        params = self.state.detection.params
        if self.motion is None or np.abs(self.motion).max() < _FAST_MM * params.scale:
            return self.state
        moved = params.global_params.copy()
        moved[_TRANSLATION] += self.motion
        start = replace(self.state.detection, params=ShapeParameters(moved, params.local_params))
        return replace(self.state, detection=start)


def _no_detection(_: Any) -> FaceBoxes:
    raise RuntimeError("a follower never detects")

"""Landmarks of any number of faces with one model: the caller keeps what each face needs to be followed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mien.datatypes import FaceBoxes, FollowedFace, Frame
from mien.landmarks.detector import Validate
from mien.landmarks.hypotheses import landmarks_from_box
from mien.landmarks.options import FitOptions
from mien.landmarks.tracker import FaceTracker, TrackerState
from mien.models.records import LandmarkModelRecord


class LandmarkFollower:
    """Fits and follows faces with a constrained local model.

    A face is found like the single face of a video, with eleven head orientations, and followed like it
    (landmarks.md §8.2); searching for a lost face is left to the caller.

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
        device: str = "cpu",
    ) -> None:
        options = replace(options or FitOptions(), redetect_every=-1)
        self._tracker = FaceTracker(
            record, _no_detection, validate, options=options, threads=threads, device=device
        )

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
        detector = self._tracker.detector
        found, _ = landmarks_from_box(detector, frame.gray, faces.boxes[number], multi_view=True)
        landmarks = self._tracker.describe(found, found.success)
        return FollowedFace(landmarks, TrackerState(found, tracking=True))

    def follow(self, frame: Frame, face: FollowedFace) -> FollowedFace:
        """Fit a face of the frame before."""
        self._tracker.state = face.memory
        landmarks = self._tracker.track(frame)
        return FollowedFace(replace(landmarks, success=landmarks.valid), self._tracker.state)


def _no_detection(_: Any) -> FaceBoxes:
    raise RuntimeError("a follower never detects")

"""Following one face through a video, finding it again when it is lost (docs/algorithms/tracker.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import EyeShape, FaceBoxes, FaceLandmarks, Frame
from mien.geometry.kernels import euler_to_matrix
from mien.landmarks.accelerator import Accelerator
from mien.landmarks.detector import Detection, LandmarkDetector, Validate
from mien.landmarks.hypotheses import landmarks_from_box
from mien.landmarks.options import FitOptions
from mien.landmarks.parts import PartFit
from mien.models.records import LandmarkModelRecord
from mien.shape.model import PointDistributionModel

Detect = Callable[[NDArray[np.uint8]], FaceBoxes]
"""Face detection on a BGR picture."""

EYE_PARTS = ("left_eye_28", "right_eye_28")
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
    record
        The landmark model.
    detect
        Face detector, called on the frames where the face must be found.
    validate
        Landmark validator: orientation (3,), grey image, points (68, 2) to certainty; None accepts all.
    options
        Fitting parameters; by default the original's.
    threads
        Threads for the patch experts where they are costly enough to share (CEN).
    device
        Where CEN patch experts run: see `LandmarkDetector`.
    """

    def __init__(
        self,
        record: LandmarkModelRecord,
        detect: Detect,
        validate: Validate | None,
        *,
        options: FitOptions | None = None,
        threads: int = 1,
        device: str | Accelerator = "cpu",
    ) -> None:
        self.detector = LandmarkDetector(
            record, options or FitOptions(), validate, threads=threads, device=device
        )
        self._detect = detect
        self._eyes = {p.name: p.model.pdm for p in self.detector.parts if p.name in EYE_PARTS}
        self.reset()

    @property
    def networks(self) -> dict[str, str]:
        """Where the networks of the patch experts run, by name."""
        return self.detector.networks

    def reset(self) -> None:
        """Forget the face; the next frame starts with face detection."""
        pdm = self.detector.pdm
        nothing = Detection(
            params=pdm.mean_parameters(),
            points=np.zeros((pdm.n_points, 2), np.float32),
            parts=_unfitted_eyes(self._eyes),
            likelihood=-10.0,
            certainty=0.0,
            success=False,
            view=0,
        )
        self.state = TrackerState(nothing)

    def track(self, frame: Frame) -> FaceLandmarks:
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
        return self.describe(self.state.detection, success)

    def track_box(self, frame: Frame, box: NDArray[np.float32]) -> FaceLandmarks:
        """Landmarks of the face in a given box, which is followed (docs/algorithms/tracker.md#a-given-box).

        Parameters
        ----------
        frame
            The frame.
        box
            (4,) float32: x, y, width, height, px, tight around the landmarks.

        Returns
        -------
        FaceLandmarks
            As from `track`.
        """
        self.reset()
        start = replace(self.state.detection, params=self.detector.pdm.from_box(box))
        self.state = replace(self.state, detection=start, tracking=True)
        return self.track(frame)

    def _advance(self, frame: Frame) -> bool:
        """Steps 1 to 7 of docs/algorithms/tracker.md; returns what the original's tracker returns."""
        first = not self.state.tracking
        if not first:
            self._continue(frame)
        if self._wants_detection():
            box = _widest(self._detect(frame.bgr))
            if box is not None:
                return self._start_again(frame, box, first)
        if not self.state.tracking:
            self.state = replace(self.state, failures=self.state.failures + 1)
        if self.state.failures > _GIVE_UP_AFTER:
            self.state = replace(self.state, tracking=False)
        return self.state.detection.success

    def _continue(self, frame: Frame) -> None:
        """Fit from the previous frame's result, with small windows if that was good."""
        options = self.detector.options
        last = self.state.detection
        windows = options.windows_tracking if last.success else options.windows_initial
        found = self.detector.detect(frame.gray, last.params, windows)
        failures = -1 if found.success else self.state.failures + 1
        self.state = replace(self.state, detection=found, failures=failures)

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

    def describe(self, detection: Detection, success: bool) -> FaceLandmarks:
        """Convert a detection to what later stages take."""
        params = detection.params
        return FaceLandmarks(
            points=detection.points,
            object_shape=self.detector.pdm.object_shape(params),
            global_params=params.global_params,
            local_params=params.local_params,
            eyes=tuple(
                _eye_shape(self._eyes[name], part)
                for name in EYE_PARTS
                for part in detection.parts
                if part.name == name
            ),
            confidence=detection.certainty,
            success=success,
            valid=detection.success,
        )


def _widest(faces: FaceBoxes) -> NDArray[np.float32] | None:
    """The widest face, the first on ties (docs/algorithms/face-detection.md)."""
    return faces.boxes[int(np.argmax(faces.boxes[:, 2]))] if len(faces) else None


def _unfitted_eyes(models: dict[str, PointDistributionModel]) -> tuple[PartFit, ...]:
    """Eyes before any detection: mean shapes at unit scale, points at 0."""
    return tuple(
        PartFit(name, pdm.mean_parameters(), np.zeros((pdm.n_points, 2), np.float32), False, None)
        for name, pdm in models.items()
    )


def _eye_shape(pdm: PointDistributionModel, part: PartFit) -> EyeShape:
    rotation = np.empty((3, 3))
    euler_to_matrix(part.params.orientation.astype(np.float64), rotation)
    depth = pdm.object_shape(part.params) @ rotation[2].astype(np.float32)
    return EyeShape(part.points, depth, part.params.scale)

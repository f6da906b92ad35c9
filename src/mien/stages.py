"""What the pipeline expects of its stages, whichever model pack they come from.

A frame has any number of faces: a tracker of one face gives one, a picture is a video of one frame, whose
tracker remembers nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import (
    ActionUnits,
    ActionUnitSeries,
    AlignedFace,
    Appearance,
    Camera,
    FaceLandmarks,
    Frame,
    Gaze,
    HeadPose,
    TrackedFace,
)


class Tracker(Protocol):
    """Finds faces and follows their landmarks from frame to frame."""

    def track(self, frame: Frame) -> Sequence[TrackedFace]:
        """Faces of the next frame, each under its identity."""
        ...

    def lose(self) -> None:
        """Forget where faces are, but not who is who: the next frame has another shape."""
        ...

    def reset(self) -> None:
        """Forget everything: the next frame starts another video."""
        ...


class PoseEstimator(Protocol):
    """Head pose and 3D landmarks from the fitted landmarks of one frame."""

    def estimate(self, landmarks: FaceLandmarks, camera: Camera) -> tuple[HeadPose, NDArray[np.float32]]:
        """Pose, and the landmarks as (68, 3) float32, mm, camera frame."""
        ...


class GazeEstimator(Protocol):
    """Direction of gaze from the eye landmarks of one frame."""

    def estimate(
        self, landmarks: FaceLandmarks, landmarks_3d: NDArray[np.float32], pose: HeadPose, camera: Camera
    ) -> Gaze:
        """Gaze of both eyes; zeros where the face was not found."""
        ...


class Aligner(Protocol):
    """Aligns faces to one size."""

    def align(self, bgr: NDArray[np.uint8], points: NDArray[np.float32], tx: float, ty: float) -> AlignedFace:
        """Align one face."""
        ...


class AppearanceExtractor(Protocol):
    """Aligns faces and describes how they look, for action units and for outputs."""

    def extract(self, frame: Frame, landmarks: FaceLandmarks) -> Appearance:
        """Describe one face."""
        ...

    def aligner(self, size: int, scale: float, mask: bool) -> Aligner:
        """Aligner of the same faces to another size (px), scale (px per mm) or without mask."""
        ...


class ActionUnitAnalyzer(Protocol):
    """Action units, frame by frame and, at the end, for the whole video."""

    def analyze(self, face: TrackedFace, appearance: Appearance | None) -> ActionUnits:
        """Live values of one of the faces of a frame; of its appearance where there is such a stage."""
        ...

    def finish(self) -> ActionUnitSeries | None:
        """Values of all faces analysed so far, in that order; None where the live values are final."""
        ...

    def reset(self) -> None:
        """Forget everybody: the next frame starts another video."""
        ...


class RunsNetworks(Protocol):
    """Anything that evaluates neural networks."""

    @property
    def networks(self) -> dict[str, str]:
        """Device on which each network runs, by the network's name; those that were needed so far."""
        ...


Refit = Callable[[NDArray[np.uint8], NDArray[np.float32]], FaceLandmarks | None]
"""Fits the landmarks of a face in a grey picture (H, W), from where they are expected there, (68, 2) px. None
where they do not fit. Not while the same stages track a frame."""
NetworkReport = Callable[[], dict[str, str]]


def networks_of(*owners: RunsNetworks) -> NetworkReport:
    """Make what says, whenever it is asked, where all networks of some owners run."""
    return lambda: {name: device for owner in owners for name, device in owner.networks.items()}


@dataclass(frozen=True, slots=True)
class Stages:
    """The stages of an analysis, ready to run.

    Attributes
    ----------
    tracker, pose, gaze, appearance, action_units
        The stages; ``gaze``, ``appearance`` and ``action_units`` are None where they are not wanted, or the
        pack has no such thing.
    camera_for
        Intrinsics of frames of a width and height in px.
    pack
        Name of the model pack.
    landmark_model
        Name of the landmark model within the pack.
    model_files
        Every model file that was read, for provenance.
    networks
        Says where networks run, by name.
    refit
        Fits landmarks in other pictures than the tracker's; None where the pack can't.
    """

    tracker: Tracker
    pose: PoseEstimator
    gaze: GazeEstimator | None
    appearance: AppearanceExtractor | None
    action_units: ActionUnitAnalyzer | None
    camera_for: Callable[[int, int], Camera]
    pack: str
    landmark_model: str
    model_files: tuple[Path, ...] = ()
    networks: NetworkReport = dict
    refit: Refit | None = None

"""What the pipeline expects of its stages, whichever model pack they come from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import ActionUnits, Camera, FaceLandmarks, Frame, Gaze, HeadPose, TrackedFace


class Tracker(Protocol):
    """Finds a face and follows its landmarks from frame to frame."""

    def track(self, frame: Frame) -> FaceLandmarks:
        """Landmarks of the face in the next frame of the video."""
        ...

    def reset(self) -> None:
        """Forget the face: the next frame starts another video."""
        ...


class FacesTracker(Protocol):
    """Finds several faces and follows them from frame to frame."""

    def track(self, frame: Frame) -> Sequence[TrackedFace]:
        """All faces of the next frame of the video, each under its identity."""
        ...

    def reset(self) -> None:
        """Forget all faces: the next frame starts another video."""
        ...


class FaceFinder(Protocol):
    """Finds the faces of pictures that have nothing to do with one another."""

    def find(self, frame: Frame, boxes: NDArray[np.float32] | None = None) -> Sequence[FaceLandmarks]:
        """All faces of a picture, or those in given boxes (N, 4): x, y, width, height."""
        ...


class PoseEstimator(Protocol):
    """Head pose and 3D landmarks from the fitted landmarks of one frame."""

    def estimate(self, landmarks: FaceLandmarks) -> tuple[HeadPose, NDArray[np.float32]]:
        """Pose, and the landmarks as (68, 3) float32, mm, camera frame."""
        ...


class GazeEstimator(Protocol):
    """Direction of gaze from the eye landmarks of one frame."""

    def estimate(self, landmarks: FaceLandmarks, landmarks_3d: NDArray[np.float32], pose: HeadPose) -> Gaze:
        """Gaze of both eyes; zeros where the face was not found."""
        ...


class ActionUnitSeries(Protocol):
    """Action units of a whole video, after post-processing: one row per analysed frame."""

    @property
    def intensity(self) -> NDArray[np.float64]:
        """(N, 17) float64, 0 to 5; NaN where not measured."""
        ...

    @property
    def presence(self) -> NDArray[np.float64]:
        """(N, 18) float64, 0 or 1; NaN where not measured."""
        ...


class ActionUnitAnalyzer(Protocol):
    """Action units of one person, frame by frame and, at the end, for the whole video."""

    def analyze(self, frame: Frame, landmarks: FaceLandmarks) -> ActionUnits:
        """Live values: what is known at this frame."""
        ...

    def finish(self) -> ActionUnitSeries:
        """Values of all frames analysed so far, given the whole of them."""
        ...

    def reset(self) -> None:
        """Forget the person: the next frame starts another video."""
        ...


class FacesAnalyzer(Protocol):
    """Action units of several faces, frame by frame and, at the end, for the whole video."""

    def analyze(self, frame: Frame, face: TrackedFace) -> ActionUnits:
        """Live values of one of the faces of a frame."""
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


NetworkReport = Callable[[], dict[str, str]]


def networks_of(*owners: RunsNetworks) -> NetworkReport:
    """Make what says, whenever it is asked, where all networks of some owners run."""
    return lambda: {name: device for owner in owners for name, device in owner.networks.items()}


@dataclass(frozen=True, slots=True)
class Stages:
    """The stages of one analysis, ready to run.

    Attributes
    ----------
    tracker, pose, gaze, action_units
        The stages; ``gaze`` and ``action_units`` are None where they are not wanted.
    camera
        Intrinsics that pose and gaze were built with.
    pack
        Name of the model pack.
    landmark_model
        Name of the landmark model within the pack.
    model_files
        Every model file that was read, for provenance.
    networks
        Says where networks run, by name.
    """

    tracker: Tracker
    pose: PoseEstimator
    gaze: GazeEstimator | None
    action_units: ActionUnitAnalyzer | None
    camera: Camera
    pack: str
    landmark_model: str
    model_files: tuple[Path, ...] = ()
    networks: NetworkReport = dict


@dataclass(frozen=True, slots=True)
class ManyStages:
    """The stages of an analysis of several faces, ready to run.

    Attributes
    ----------
    tracker, action_units
        Stages that take several faces per frame; ``action_units`` is None where they are not wanted.
    pose, gaze, camera, pack, landmark_model, model_files, networks
        As in `Stages`.
    """

    tracker: FacesTracker
    pose: PoseEstimator
    gaze: GazeEstimator | None
    action_units: FacesAnalyzer | None
    camera: Camera
    pack: str
    landmark_model: str
    model_files: tuple[Path, ...] = ()
    networks: NetworkReport = dict


@dataclass(frozen=True, slots=True)
class PictureStages:
    """The stages of an analysis of independent pictures, ready to run.

    Attributes
    ----------
    finder, action_units
        The stages; ``action_units`` is None where they are not wanted.
    pose_for, gaze_for
        Make the stages for a picture's camera; ``gaze_for`` is None where gaze is not wanted.
    pack, landmark_model, model_files, networks
        As in `Stages`.
    """

    finder: FaceFinder
    pose_for: Callable[[Camera], PoseEstimator]
    gaze_for: Callable[[Camera], GazeEstimator] | None
    action_units: FacesAnalyzer | None
    pack: str
    landmark_model: str
    model_files: tuple[Path, ...] = ()
    networks: NetworkReport = dict

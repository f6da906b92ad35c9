"""The stages of OpenFace's own models, put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import Camera, FaceBoxes
from mien.errors import OptionError
from mien.models.packs import Pack
from mien.models.store import ModelStore, OpenFaceFiles
from mien.options import AnalysisOptions
from mien.stages import ManyStages, PictureStages, Stages

if TYPE_CHECKING:
    from mien.landmarks.detector import Validate
    from mien.landmarks.options import FitOptions
    from mien.models.records import ActionUnitRecord, LandmarkModelRecord


@dataclass(frozen=True, slots=True)
class _Models:
    """What all analyses read."""

    files: OpenFaceFiles
    landmarks: LandmarkModelRecord
    detect: Callable[[NDArray[np.uint8]], FaceBoxes]
    validate: Validate | None

    def used(self, pack: Pack, predictors: Path) -> dict[str, Any]:
        """How stages name their models."""
        files = (*self.landmarks.files, *_below(pack, self.files.detector), *_below(pack, predictors))
        return {"pack": pack.name, "landmark_model": self.files.landmarks, "model_files": files}


def build_stages(pack: Pack, options: AnalysisOptions, camera: Camera, *, live: bool = False) -> Stages:
    """Stages for the one face of a video.

    Parameters
    ----------
    pack
        The complete pack.
    options
        How the video is analysed.
    camera
        Intrinsics of the source.
    live
        Whether the source is a camera.

    Raises
    ------
    ModelsMissingError, ModelFileError, OptionError, ProviderError
        See `mien.packs.build_stages`.
    """
    from mien.action_units.analyzer import ActionUnitAnalyzer
    from mien.gaze.estimator import GazeEstimator
    from mien.landmarks.tracker import FaceTracker
    from mien.pose.estimator import HeadPoseEstimator

    models = _read(pack, options)
    fit = _fit_arguments(options)
    tracker = FaceTracker(models.landmarks, models.detect, models.validate, **fit)
    if options.fast or "parts" in options.skip:
        from mien.landmarks.approximate_tracker import FAST, ApproximateTracker, Approximations

        less = replace(FAST if options.fast else Approximations(), parts="parts" not in options.skip)
        tracker = ApproximateTracker(models.landmarks, models.detect, models.validate, less)
    record, predictors = _predictors(models, options.action_units)
    return Stages(
        tracker=tracker,
        pose=HeadPoseEstimator(camera),
        gaze=GazeEstimator(camera),
        action_units=ActionUnitAnalyzer(record, camera_source=live, keep_scores=options.keep_scores),
        camera=camera,
        **models.used(pack, predictors),
    )


def build_many_stages(pack: Pack, options: AnalysisOptions, camera: Camera) -> ManyStages:
    """Stages for all faces of a video: people, or the original's places where compatibility is wanted.

    Parameters
    ----------
    pack, options, camera
        As for `build_stages`.

    Raises
    ------
    ModelsMissingError, ModelFileError, OptionError, ProviderError
        See `mien.packs.build_stages`.
    """
    from mien.action_units.analyzer import ActionUnitAnalyzer, StaticActionUnitAnalyzer
    from mien.action_units.identities import IdentityAnalyzers, IndependentFaces
    from mien.action_units.predictors import PredictorSet
    from mien.gaze.estimator import GazeEstimator
    from mien.landmarks.follower import LandmarkFollower
    from mien.landmarks.multi_face import MultiFaceTracker
    from mien.people.tracker import PeopleOptions, PeopleTracker
    from mien.pose.estimator import HeadPoseEstimator

    _refuse_approximations(options)
    models = _read(pack, options)
    fit = _fit_arguments(options)
    tracker: MultiFaceTracker | PeopleTracker
    units: IdentityAnalyzers | IndependentFaces
    if options.compat == "openface":
        record, predictors = _predictors(models, "static")
        tracker = MultiFaceTracker(models.landmarks, models.detect, models.validate, **fit)
        units = IndependentFaces(StaticActionUnitAnalyzer(record))
    else:
        record, predictors = _predictors(models, options.action_units)
        follower = LandmarkFollower(models.landmarks, models.validate, **fit)
        tracker = PeopleTracker(follower, models.detect, PeopleOptions(most_faces=options.most_faces))
        make = partial(ActionUnitAnalyzer, record, predictors=PredictorSet(record.predictors))
        units = IdentityAnalyzers(make, extractor=make().extractor)
    return ManyStages(
        tracker=tracker,
        pose=HeadPoseEstimator(camera),
        gaze=GazeEstimator(camera),
        action_units=units,
        camera=camera,
        **models.used(pack, predictors),
    )


def build_picture_stages(pack: Pack, options: AnalysisOptions) -> PictureStages:
    """Stages for all faces of independent pictures.

    Parameters
    ----------
    pack, options
        As for `build_stages`.

    Raises
    ------
    ModelsMissingError, ModelFileError, OptionError, ProviderError
        See `mien.packs.build_stages`.
    """
    from mien.action_units.analyzer import StaticActionUnitAnalyzer
    from mien.action_units.identities import IndependentFaces
    from mien.gaze.estimator import GazeEstimator
    from mien.landmarks.images import ImageLandmarker
    from mien.pose.estimator import HeadPoseEstimator

    _refuse_approximations(options)
    models = _read(pack, options)
    record, predictors = _predictors(models, "static")
    fit = _fit_arguments(options)
    return PictureStages(
        finder=ImageLandmarker(models.landmarks, models.detect, models.validate, **fit),
        pose_for=HeadPoseEstimator,
        gaze_for=partial(GazeEstimator, always=True),
        action_units=IndependentFaces(StaticActionUnitAnalyzer(record)),
        **models.used(pack, predictors),
    )


def _read(pack: Pack, options: AnalysisOptions) -> _Models:
    from mien.detection.mtcnn import MtcnnDetector
    from mien.landmarks.validator import LandmarkValidator
    from mien.models.readers import read_landmark_model, read_mtcnn

    files = ModelStore(pack.folder).locate(options.landmarks)
    landmarks = read_landmark_model(files.landmark_model)
    detector = MtcnnDetector(read_mtcnn(files.detector), device=options.device)
    validate = None
    if landmarks.validator is not None:
        validate = LandmarkValidator(landmarks.validator, device=options.device).certainty
    return _Models(files, landmarks, detector.detect, validate)


def _fit_arguments(options: AnalysisOptions) -> dict[str, Any]:
    from mien.landmarks.options import FitOptions

    fit: FitOptions = FitOptions(exact=options.fit == "exact", multi_view=options.multi_view)
    return {"options": fit, "threads": options.threads_used, "device": options.device}


def _predictors(models: _Models, kind: str) -> tuple[ActionUnitRecord, Path]:
    """Predictors of action units, and their entry file."""
    from mien.models.readers import read_action_units

    files = models.files
    entry = files.static_action_units if kind == "static" else files.dynamic_action_units
    return read_action_units(entry), entry


def _refuse_approximations(options: AnalysisOptions) -> None:
    if options.fast or "parts" in options.skip:
        raise OptionError("fast and skip parts are for videos of one face; leave them out")


def _below(pack: Pack, entry: Path) -> list[Path]:
    """Files of a pack in the folder of an entry file, and in folders below."""
    paths = (pack.folder / name for name in pack.files)
    return [path for path in paths if path.is_relative_to(entry.parent)]

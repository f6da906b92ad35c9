"""From a model pack to stages that are ready to run. Only this module knows what the packs are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mien.datatypes import Camera
from mien.errors import OptionError
from mien.geometry.camera import default_camera
from mien.models.packs import Pack, choose_pack
from mien.options import AnalysisOptions
from mien.stages import Stages
from mien.video.source import SourceInfo

if TYPE_CHECKING:
    from mien.action_units.predictors import PredictorSet

__all__ = ["build_stages", "choose_pack", "read_predictors"]


def build_stages(pack: Pack, options: AnalysisOptions, source: SourceInfo) -> Stages:
    """Read a pack's models and build the stages for one source.

    Parameters
    ----------
    pack
        A complete pack, as `choose_pack` gives it.
    options
        Which landmark model, where networks run, what the camera is.
    source
        Size of the frames.

    Returns
    -------
    Stages

    Raises
    ------
    ModelsMissingError, ModelFileError
        A file of the pack is missing or damaged.
    OptionError
        The pack has no such landmark model, or the camera is impossible.
    ProviderError
        Networks can't run on the wanted device.
    """
    stages = _BUILDERS[pack.name](pack, options, source)
    if {"gaze", "parts"} & set(options.skip):
        stages = replace(stages, gaze=None)
    return replace(stages, action_units=None) if "aus" in options.skip else stages


def read_predictors(pack: Pack) -> PredictorSet:
    """Read the predictors of action units that `build_stages` gives a video.

    Raises
    ------
    OptionError
        The pack has none.
    ModelFileError
        A file is missing or damaged.
    """
    from mien.action_units.predictors import PredictorSet
    from mien.models.readers import read_action_units
    from mien.models.store import ModelStore

    if pack.name != "openface":
        raise OptionError("scores need the models of OpenFace that made them; run mien models fetch")
    files = ModelStore(pack.folder).locate()
    return PredictorSet(read_action_units(files.dynamic_action_units).predictors)


def _camera(options: AnalysisOptions, source: SourceInfo) -> Camera:
    fx, fy = options.focal_px or (None, None)
    cx, cy = options.centre_px or (None, None)
    return default_camera(source.width, source.height, fx=fx, fy=fy, cx=cx, cy=cy)


def _openface(pack: Pack, options: AnalysisOptions, source: SourceInfo) -> Stages:
    from mien.action_units.analyzer import ActionUnitAnalyzer
    from mien.detection.mtcnn import MtcnnDetector
    from mien.gaze.estimator import GazeEstimator
    from mien.landmarks.options import FitOptions
    from mien.landmarks.tracker import FaceTracker
    from mien.landmarks.validator import LandmarkValidator
    from mien.models.readers import read_action_units, read_landmark_model, read_mtcnn
    from mien.models.store import ModelStore
    from mien.pose.estimator import HeadPoseEstimator

    camera = _camera(options, source)
    files = ModelStore(pack.folder).locate(options.landmarks)
    model = read_landmark_model(files.landmark_model)
    detector = MtcnnDetector(read_mtcnn(files.detector), device=options.device)
    validate = None
    if model.validator is not None:
        validate = LandmarkValidator(model.validator, device=options.device).certainty
    tracker = FaceTracker(
        model,
        detector.detect,
        validate,
        options=FitOptions(exact=options.fit == "exact"),
        threads=options.threads_used,
        device=options.device,
    )
    if options.fast or "parts" in options.skip:
        from mien.landmarks.approximate_tracker import FAST, ApproximateTracker, Approximations

        less = replace(FAST if options.fast else Approximations(), parts="parts" not in options.skip)
        tracker = ApproximateTracker(model, detector.detect, validate, less)
    return Stages(
        tracker=tracker,
        pose=HeadPoseEstimator(camera),
        gaze=GazeEstimator(camera),
        action_units=ActionUnitAnalyzer(
            read_action_units(files.dynamic_action_units),
            camera_source=source.camera,
            keep_scores=options.keep_scores,
        ),
        camera=camera,
        pack=pack.name,
        landmark_model=files.landmarks,
        model_files=(*model.files, *_below(pack, files.detector), *_below(pack, files.dynamic_action_units)),
    )


def _below(pack: Pack, entry: Path) -> list[Path]:
    """Files of a pack in the folder of an entry file, and in folders below."""
    paths = (pack.folder / name for name in pack.files)
    return [path for path in paths if path.is_relative_to(entry.parent)]


def _open(_: Pack, options: AnalysisOptions, source: SourceInfo) -> Stages:
    from mien.models.open.build import build_stages as build_open_stages

    if options.keep_scores:
        raise OptionError(
            "keep_scores: only the models of OpenFace have scores; choose them with models openface"
        )
    if options.fast or options.fit == "exact" or "parts" in options.skip:
        raise OptionError(
            "fast, fit exact and skip parts are for the models of OpenFace; choose them with models openface"
        )
    return build_open_stages(options, _camera(options, source))


_BUILDERS: dict[str, Callable[[Pack, AnalysisOptions, SourceInfo], Stages]] = {
    "openface": _openface,
    "open": _open,
}

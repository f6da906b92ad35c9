"""From a model pack to stages that are ready to run. Only this module knows what the packs are made of."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from mien.datatypes import Camera
from mien.errors import OptionError
from mien.geometry.pinhole import default_camera
from mien.models.packs import Pack, choose_pack
from mien.options import AnalysisOptions
from mien.stages import ManyStages, PictureStages, Stages
from mien.video.source import SourceInfo

if TYPE_CHECKING:
    from mien.action_units.predictors import PredictorSet
    from mien.landmarks.accelerator import Accelerator
    from mien.openface import OpenFaceModels

__all__ = [
    "SharedModels",
    "build_many_stages",
    "build_picture_stages",
    "build_stages",
    "camera_of",
    "choose_pack",
    "read_predictors",
]

T = TypeVar("T", Stages, ManyStages)


class SharedModels:
    """Models of analyses that run at the same time: read once, opened once, and their networks' calls joined.

    Analyses with the open models, which are small, share nothing.

    Parameters
    ----------
    pack, options
        As for `build_stages`; all analyses have the same.
    accelerator
        Where the networks of patch experts run; by default the options' device, on the processor mien's
        kernel.

    Raises
    ------
    ModelsMissingError, ModelFileError, OptionError, ProviderError
        As `build_stages`.
    """

    def __init__(
        self, pack: Pack, options: AnalysisOptions, *, accelerator: Accelerator | None = None
    ) -> None:
        self.openface: OpenFaceModels | None = None
        if pack.name == "openface":
            from mien.openface import read_models

            self.openface = read_models(pack, options, accelerator=accelerator)

    def member(self) -> AbstractContextManager[None]:
        """What an analysis does within this context is joined with what the others do."""
        return nullcontext() if self.openface is None else self.openface.member()


def _models(shared: SharedModels | None) -> OpenFaceModels | None:
    return None if shared is None else shared.openface


def build_stages(
    pack: Pack, options: AnalysisOptions, source: SourceInfo, *, shared: SharedModels | None = None
) -> Stages:
    """Read a pack's models and build the stages for one source.

    Parameters
    ----------
    pack
        A complete pack, as `choose_pack` gives it.
    options
        Which landmark model, where networks run, what the camera is.
    source
        Size of the frames.
    shared
        What other analyses with the same options use too.

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
    camera = camera_of(options, source)
    if pack.name == "open":
        from mien.models.open.build import build_stages as build_open

        _refuse_for_open(options)
        stages = build_open(options, camera)
    else:
        from mien.openface import build_stages as build_openface

        stages = build_openface(pack, options, camera, live=source.camera, models=_models(shared))
    return _without(stages, options)


def build_many_stages(
    pack: Pack, options: AnalysisOptions, source: SourceInfo, *, shared: SharedModels | None = None
) -> ManyStages:
    """Read a pack's models and build the stages for all faces of one source.

    Parameters
    ----------
    pack, options, source, shared
        As for `build_stages`.

    Raises
    ------
    MienError
        As `build_stages`, or something is asked for that is not done for several faces.
    """
    camera = camera_of(options, source)
    if pack.name == "open":
        from mien.models.open.build import build_many_stages as build_open

        _refuse_for_open(options)
        stages = build_open(options, camera)
    else:
        from mien.openface import build_many_stages as build_openface

        stages = build_openface(pack, options, camera, models=_models(shared))
    return _without(stages, options)


def build_picture_stages(pack: Pack, options: AnalysisOptions) -> PictureStages:
    """Read a pack's models and build the stages for independent pictures.

    Parameters
    ----------
    pack, options
        As for `build_stages`.

    Raises
    ------
    MienError
        As `build_stages`, or something is asked for that is not done for pictures.
    """
    if pack.name == "open":
        from mien.models.open.build import build_picture_stages as build_open

        _refuse_for_open(options)
        stages = build_open(options)
    else:
        from mien.openface import build_picture_stages as build_openface

        stages = build_openface(pack, options)
    stages = replace(stages, gaze_for=None) if {"gaze", "parts"} & set(options.skip) else stages
    return replace(stages, action_units=None) if "aus" in options.skip else stages


def _without(stages: T, options: AnalysisOptions) -> T:
    """Leave out the stages that are not wanted."""
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


def camera_of(options: AnalysisOptions, source: SourceInfo) -> Camera:
    """Intrinsics of a source: as given, else usual ones for its size.

    Raises
    ------
    OptionError
        They are impossible.
    """
    fx, fy = options.focal_px or (None, None)
    cx, cy = options.centre_px or (None, None)
    return default_camera(source.width, source.height, fx=fx, fy=fy, cx=cx, cy=cy)


def _refuse_for_open(options: AnalysisOptions) -> None:
    """Options that only OpenFace's models know."""
    if options.keep_scores:
        raise OptionError(
            "keep_scores: only the models of OpenFace have scores; choose them with models openface"
        )
    if options.fast or options.fit == "exact" or "parts" in options.skip:
        raise OptionError(
            "fast, fit exact and skip parts are for the models of OpenFace; choose them with models openface"
        )
    if options.action_units == "static" or options.multi_view:
        raise OptionError(
            "static action units and multi_view are for the models of OpenFace; choose them with models "
            "openface"
        )
    if options.wild or options.fitting or not options.validate:
        raise OptionError(
            "parameters of the fit are for the models of OpenFace; choose them with models openface"
        )

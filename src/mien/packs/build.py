"""From a model pack to stages that are ready to run."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING

from mien.errors import OptionError
from mien.geometry.pinhole import default_camera
from mien.options import AnalysisOptions
from mien.packs.pack import Pack
from mien.stages import Stages

if TYPE_CHECKING:
    from mien.action_units.predictors import PredictorSet
    from mien.landmarks.accelerator import Accelerator
    from mien.packs.openface import OpenFaceModels


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
            from mien.packs.openface import read_models

            self.openface = read_models(pack, options, accelerator=accelerator)

    def member(self) -> AbstractContextManager[None]:
        """What an analysis does within this context is joined with what the others do."""
        return nullcontext() if self.openface is None else self.openface.member()


def build_stages(
    pack: Pack,
    options: AnalysisOptions,
    *,
    live: bool = False,
    pictures: bool = False,
    shared: SharedModels | None = None,
) -> Stages:
    """Read a pack's models and build the stages of an analysis.

    Parameters
    ----------
    pack
        A complete pack, as `choose_pack` gives it.
    options
        Which landmark model, where networks run, what the camera is; ``faces`` says whether one face is
        followed in a video, or every one.
    live
        Whether the source is a camera, whose live intensities are corrected as the original does.
    pictures
        Whether every frame is a picture of its own.
    shared
        What other analyses with the same options use too.

    Raises
    ------
    ModelsMissingError, ModelFileError
        A file of the pack is missing or damaged.
    OptionError
        The pack has no such landmark model, or something is asked for that it does not do.
    ProviderError
        Networks can't run on the wanted device.
    """
    fx, fy = options.focal_px or (None, None)
    cx, cy = options.centre_px or (None, None)
    camera_for = cache(partial(default_camera, fx=fx, fy=fy, cx=cx, cy=cy))
    if pack.name == "open":
        from mien.packs.open import build as build_open

        _refuse_for_open(options)
        stages = build_open(options, camera_for, pictures=pictures)
    else:
        from mien.packs.openface import build as build_openface

        models = None if shared is None else shared.openface
        stages = build_openface(pack, options, camera_for, live=live, pictures=pictures, models=models)
    if {"gaze", "parts"} & set(options.skip):
        stages = replace(stages, gaze=None)
    return replace(stages, appearance=None, action_units=None) if "aus" in options.skip else stages


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
    if options.action_units == "static" or options.both_ways or options.multi_view:
        raise OptionError(
            "static action units, both_ways and multi_view are for the models of OpenFace; choose them with "
            "models openface"
        )
    if options.wild or options.fitting or not options.validate:
        raise OptionError(
            "parameters of the fit are for the models of OpenFace; choose them with models openface"
        )

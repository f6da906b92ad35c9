"""From a model pack to stages that are ready to run."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from mien.errors import OptionError
from mien.geometry.pinhole import default_camera
from mien.options import AnalysisOptions
from mien.packs.pack import Pack
from mien.stages import Stages

if TYPE_CHECKING:
    from mien.action_units.predictors import PredictorSet
    from mien.landmarks.accelerator import Accelerator
    from mien.packs.openface import SharedModels


def shared_models(
    pack: Pack, options: AnalysisOptions, *, accelerator: Accelerator | None = None
) -> SharedModels | None:
    """Models of analyses that run at the same time: read once, opened once, their networks' calls joined.

    Parameters
    ----------
    pack, options
        As for `build_stages`; all analyses have the same.
    accelerator
        Where the networks of patch experts run; by default the options' device, on the processor mien's
        kernel.

    Returns
    -------
    SharedModels or None
        None for the open models, which are small: analyses with them share nothing.

    Raises
    ------
    ModelsMissingError, ModelFileError, OptionError, ProviderError
        As `build_stages`.
    """
    if pack.name != "openface":
        return None
    from mien.packs.openface import read_models

    return read_models(pack, options, accelerator=accelerator)


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
        What other analyses with the same options use too, see `shared_models`.

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
    camera_for = partial(default_camera, fx=fx, fy=fy, cx=cx, cy=cy)
    if pack.name == "open":
        from mien.packs.open import build as build_open

        _refuse_for_open(options)
        stages = build_open(options, camera_for, pictures=pictures)
    else:
        from mien.packs.openface import build as build_openface

        stages = build_openface(pack, options, camera_for, live=live, pictures=pictures, models=shared)
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
    asked = {
        "keep_scores": options.keep_scores,
        "fast": options.fast,
        "fit exact": options.fit == "exact",
        "skip parts": "parts" in options.skip,
        "action_units static": options.action_units == "static",
        "both_ways": options.both_ways,
        "multi_view": options.multi_view,
        "parameters of the fit": options.wild or bool(options.fitting) or not options.validate,
    }
    names = [name for name, wanted in asked.items() if wanted]
    if names:
        raise OptionError(
            f"{', '.join(names)}: for the models of OpenFace only; choose them with models openface"
        )

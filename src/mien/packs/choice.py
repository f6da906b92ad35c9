"""Which model packs there are, which one is used, and how it becomes stages that are ready to run."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mien.errors import OptionError
from mien.geometry.pinhole import default_camera
from mien.models.store import ModelStore
from mien.options import AnalysisOptions
from mien.packs.pack import Pack
from mien.stages import Stages

if TYPE_CHECKING:
    from mien.action_units.predictors import PredictorSet
    from mien.landmarks.accelerator import Accelerator
    from mien.packs.openface import SharedModels


PACKS = ("openface", "open")
"""Names of the packs, the preferred first; each is a file of this folder with `describe`, `complain`,
`read_models` and `build`."""


def _home(name: str) -> Any:
    return import_module(f"mien.packs.{name}")


def describe_pack(name: str, store: ModelStore | None = None) -> Pack:
    """Describe a pack; OpenFace's as it is in a store."""
    pack: Pack = _home(name).describe(store)
    return pack


def choose_pack(name: str | None = None, store: ModelStore | None = None) -> Pack:
    """Choose the pack of an analysis.

    Parameters
    ----------
    name
        "openface" or "open"; None takes "open" where nothing of "openface" is installed, else "openface".
    store
        Where OpenFace's files are.

    Raises
    ------
    ModelsMissingError
        The wanted pack is not complete, or files of "openface" are missing or damaged and nothing was said;
        the message says how to get them.
    OptionError
        There is no such pack.
    """
    if name not in (None, *PACKS):
        raise OptionError(f"models: expected {' or '.join(PACKS)}, got {name!r}")
    for each in PACKS if name is None else (name,):
        pack = describe_pack(each, store)
        if pack.complete:
            break
        if name is not None or pack.installed:
            _home(each).complain(store)
    return pack


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
    models: SharedModels | None = _home(pack.name).read_models(pack, options, accelerator=accelerator)
    return models


class KeptStages:
    """Stages of videos that are analysed one after the other: built once, and not for each of them.

    Every video begins with forgetting the one before (`mien.stages.Tracker.reset`). One thread at a time.
    """

    def __init__(self) -> None:
        self._made: tuple[AnalysisOptions, dict[str, Any]] | None = None
        self._stages: Stages | None = None

    def of(self, pack: Pack, options: AnalysisOptions) -> Stages:
        """Stages as `build_stages` gives them; built anew where options, or files of models, are others."""
        stages = self._stages
        if stages is None or self._made != (options, pack.fingerprints(stages.model_files)):
            self._stages = None  # before others are read: both would not have to fit into memory
            stages = build_stages(pack, options)
            self._stages, self._made = stages, (options, pack.fingerprints(stages.model_files))
        return stages


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
    camera_for = cache(partial(default_camera, fx=fx, fy=fy, cx=cx, cy=cy))
    home = _home(pack.name)
    stages: Stages = home.build(options, camera_for, pack=pack, live=live, pictures=pictures, shared=shared)
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

    if pack.name != "openface":
        raise OptionError("scores need the models of OpenFace that made them; run mien models fetch")
    files = ModelStore(pack.folder).locate()
    return PredictorSet(read_action_units(files.dynamic_action_units).predictors)

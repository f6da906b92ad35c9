"""The model packs: what they are, what they give, which one is used."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mien.errors import ModelsMissingError, OptionError
from mien.models import open as open_models
from mien.models.hashes import HashMemory, sha256_of_file
from mien.models.store import ModelStore

PACK_NAMES = ("openface", "open")

_OPENFACE_GIVES = (
    "68 landmarks, 2D and 3D, and 56 eye landmarks",
    "head pose",
    "gaze",
    "17 action-unit intensities, 18 presences",
)
_OPEN_GIVES = (
    "68 landmarks, 478 mesh points",
    "head pose",
    "coarse gaze",
    "action units 12, 45, 06, 02 (experimental: 01, 05, 10, 25, 26), no presences",
    "52 blendshapes",
)


@dataclass(frozen=True, slots=True)
class Pack:
    """A set of models that analyse a face from picture to table.

    Attributes
    ----------
    name
        "openface" or "open".
    version
        Of the original's files.
    licence
        In a few words.
    gives
        What it measures.
    folder
        Where its files are.
    complete
        Whether it can be used.
    missing
        Paths below the folder of files that it needs and lacks.
    landmark_models
        Names of its landmark models that can be used, best first.
    files
        Paths below the folder of the files that are there.
    """

    name: str
    version: str
    licence: str
    gives: tuple[str, ...]
    folder: Path
    complete: bool
    missing: tuple[str, ...]
    landmark_models: tuple[str, ...]
    files: tuple[str, ...]

    def hashes(self) -> dict[str, str]:
        """Give the SHA-256 of every file that is there, by its path below the folder."""
        if self.name == "openface":
            store = ModelStore(self.folder)
            return {path: store.sha256(self.folder / path) for path in self.files}
        return {path: sha256_of_file(self.folder / path) for path in self.files}

    def fingerprints(self, used: Iterable[Path]) -> dict[str, Any]:
        """Tell the model files that were used apart by whether their SHA-256 is known.

        Parameters
        ----------
        used
            Files, of the pack or from elsewhere.

        Returns
        -------
        dict
            ``model_sha256``, by path below the folder, or by name where a file is not of the pack;
            ``model_files``, those not of the pack.
        """
        own = {self.folder / name: name for name in self.files}
        files, hashes = tuple(used), self.hashes()
        others = [path for path in files if path not in own]
        known = {own[path]: hashes[own[path]] for path in files if path in own}
        return {"model_files": others, "model_sha256": known | _remembered(others)}


def _remembered(files: list[Path]) -> dict[str, str]:
    """SHA-256 by name; files of hundreds of megabytes are read once for it, not in every run."""
    memory = HashMemory()
    known = {}
    for path in files:
        with suppress(OSError):
            known[path.name] = memory.sha256(path)
    memory.save()
    return known


def openface_pack(store: ModelStore | None = None) -> Pack:
    """Describe OpenFace's own models as they are in a store."""
    store = store or ModelStore()
    status = store.status()
    return Pack(
        name="openface",
        version=store.manifest.version,
        licence="academic and non-commercial research only, no redistribution",
        gives=_OPENFACE_GIVES,
        folder=store.folder,
        complete=status.complete,
        missing=tuple(file.path for file in status.lacking("clnf")),
        landmark_models=status.landmark_models,
        files=tuple(file.path for file in status.present),
    )


def open_pack() -> Pack:
    """Describe the models that are part of the installation."""
    missing = tuple(
        file.name for file in open_models.NEEDED if not (open_models.FOLDER / file.name).is_file()
    )
    files = sorted(
        path.name for path in open_models.FOLDER.glob("*") if path.suffix in (".onnx", ".npz", ".json")
    )
    return Pack(
        name="open",
        version="mediapipe 0.10.21, facenet-pytorch 2.6.0",
        licence="Apache-2.0 and MIT, commercial use allowed",
        gives=_OPEN_GIVES,
        folder=open_models.FOLDER,
        complete=not missing,
        missing=missing,
        landmark_models=() if missing else ("mesh",),
        files=tuple(files),
    )


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
    if name not in (None, *PACK_NAMES):
        raise OptionError(f"models: expected {' or '.join(PACK_NAMES)}, got {name!r}")
    store = store or ModelStore()
    if name != "open":
        pack = openface_pack(store)
        if pack.complete:
            return pack
        if name == "openface" or store.status().installed:
            store.locate()  # raises the error that says what is missing and how to get it
    pack = open_pack()
    if not pack.complete:
        raise ModelsMissingError(
            f"the open models are part of mien, but {', '.join(pack.missing)} are not in {pack.folder}; "
            "install mien again"
        )
    return pack


def notice(pack: Pack) -> str:
    """Say in one line which pack is used, and how to get the other."""
    if pack.name == "openface":
        return f"models: OpenFace {pack.version} ({pack.licence})"
    return (
        "models: open (9 of 17 action units, on a scale of their own, no presences); for OpenFace's own "
        "models run `mien models fetch` (academic, non-commercial licence)"
    )

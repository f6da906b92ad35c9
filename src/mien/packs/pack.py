"""What a model pack is."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mien.models.hashes import HashMemory, sha256_of_file
from mien.models.store import ModelStore


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
    notice
        One line for whoever uses it: what it is, and how to get another.
    installed
        Whether any of it is there.
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
    notice: str
    installed: bool
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

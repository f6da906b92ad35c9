"""Patterns such as *.mp4 in place of names, for shells that leave them alone (Windows, or between quotes)."""

from __future__ import annotations

import glob
from pathlib import Path

from mien.errors import SourceError
from mien.video.folders import natural_key


def files_meant(names: list[Path]) -> list[Path]:
    """Names, with each pattern replaced by the files that it fits; ``**`` goes into folders.

    They are sorted as pictures of a folder are, numbers by their values.

    A name of something that exists is itself, whatever letters it has.

    Raises
    ------
    SourceError
        A pattern fits no file.
    """
    meant: list[Path] = []
    for name in names:
        if not glob.has_magic(str(name)) or _exists(name):
            meant.append(name)
            continue
        found = sorted(map(Path, glob.glob(str(name), recursive=True)), key=natural_key)
        if not found:
            raise SourceError(f"{name}: no file fits this pattern")
        meant += found
    return meant


def _exists(name: Path) -> bool:
    try:
        return name.exists()
    except OSError:  # no name that the system takes
        return False

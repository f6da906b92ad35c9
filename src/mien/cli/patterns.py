"""Patterns such as *.mp4 in place of names, for shells that leave them alone (Windows, or between quotes)."""

from __future__ import annotations

import glob
from pathlib import Path

from mien.errors import SourceError


def files_meant(names: list[Path]) -> list[Path]:
    """Names, with each pattern replaced by the files that it fits, sorted; ``**`` goes into folders.

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
        found = sorted(glob.glob(str(name), recursive=True))
        if not found:
            raise SourceError(f"{name}: no file fits this pattern")
        meant += map(Path, found)
    return meant


def _exists(name: Path) -> bool:
    try:
        return name.exists()
    except OSError:  # no name that the system takes
        return False

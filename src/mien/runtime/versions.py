"""Versions of mien and of installed packages."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import cache

__version__ = "0.1.0"
"""Of mien, as in its ``pyproject.toml``."""


def version_of(package: str) -> str | None:
    """Version of an installed package; None where it is not installed.

    Read off the name of its folder of metadata: `importlib.metadata`, which takes 10 ms to import, is asked
    only where packages have no such folders.
    """
    wanted = package.lower().replace("-", "_") + "-"
    folders = [name for path in sys.path for name in _metadata_folders(path)]
    for name in folders:
        if name.lower().startswith(wanted):
            return name[len(wanted) :].removesuffix(".dist-info")
    if folders:
        return None
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None


@cache
def _metadata_folders(path: str) -> list[str]:
    with suppress(OSError):
        return [name for name in os.listdir(path or ".") if name.endswith(".dist-info")]
    return []

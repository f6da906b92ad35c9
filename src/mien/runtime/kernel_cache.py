"""Where compiled kernels are kept: a folder for exactly these kernels, versions and processor, that is ours.

Numba looks at the file of a kernel to find out whether what it kept is stale, but not at the files of what is
compiled into it. So the name of the folder is a digest of everything that compiled code depends on: a changed
kernel compiles everything once more, and can never meet stale code. The files are pickles, which can run
anything when they are read; a folder that somebody else can write to is not used.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import sys
import tempfile
from functools import cache
from pathlib import Path

import llvmlite
import numba
import numpy as np
import platformdirs

from mien.runtime.lanes import target
from mien.storage.array_cache import cache_folder

logger = logging.getLogger(__name__)

_PACKAGE = Path(__file__).parent.parent
_OTHER_SOURCES = (
    *("landmarks/vector_code.py", "runtime/jit.py", "runtime/checked_kernels.py", "runtime/lanes.py"),
)


@cache
def kernel_folder() -> Path | None:
    """Folder of the compiled kernels, made where there is none; None where there can be none.

    In `mien.storage.array_cache.cache_folder`; where that is not trustworthy or not writable, in the user's
    own cache folder.
    """
    own = Path(platformdirs.user_cache_dir("mien", appauthor=False))
    for parent in dict.fromkeys((cache_folder(), own)):
        folder = parent / "compiled" / digest()
        problem = _make(folder)
        if problem is None:
            return folder
        logger.warning("compiled kernels are not kept in %s: %s", folder, problem)
    logger.warning("kernels are compiled anew by every process; set MIEN_CACHE to a folder of your own")
    return None


def sources() -> list[Path]:
    """Files whose text compiled kernels depend on."""
    return sorted([*_PACKAGE.rglob("*kernels.py"), *(_PACKAGE / name for name in _OTHER_SOURCES)])


@cache
def digest() -> str:
    """What tells apart kernels that are not the same: sources, versions, processor."""
    found = hashlib.sha256()
    for path in sources():
        found.update(path.relative_to(_PACKAGE).as_posix().encode())
        found.update(path.read_bytes())
    versions = [numba.__version__, llvmlite.__version__, np.__version__, sys.version]
    found.update("\n".join([*versions, *target()]).encode())
    return found.hexdigest()[:16]


def _make(folder: Path) -> str | None:
    """Make the folder and see whether it can be trusted; what is wrong with it, or None."""
    try:
        folder.parent.parent.mkdir(parents=True, exist_ok=True)
        for path in (folder.parent, folder):
            path.mkdir(mode=0o700, exist_ok=True)
            problem = _distrust(path)
            if problem:
                return problem
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        return error.strerror or str(error)
    return None


def _distrust(folder: Path) -> str | None:
    """Why the content of a folder could be somebody else's; None where it is ours, and on Windows."""
    if os.name != "posix":
        return None  # There the cache is in the user's profile, which others cannot write to.
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode):
        return f"{folder} is not a folder"
    if status.st_uid != os.getuid():
        return f"{folder} belongs to another user"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"other users can write to {folder}"
    return None

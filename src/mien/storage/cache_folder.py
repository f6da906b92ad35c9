"""Where mien keeps what it can make again, and whether anybody else may have written there."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import stat
import sys
from pathlib import Path

from mien.storage.leftovers import remove_leftovers_once, unfinished_name

logger = logging.getLogger(__name__)

CACHE_VARIABLE = "MIEN_CACHE"


def cache_folder() -> Path:
    """Folder of the cache: ``MIEN_CACHE`` where it is set, else the user's cache folder."""
    import platformdirs

    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("mien", appauthor=False))


def is_trusted(status: os.stat_result) -> bool:
    """Whether only its owner can have written a file or folder, and is the user or the administrator.

    A folder where everybody may make files counts if nobody may touch another's in it.
    """
    if sys.platform == "win32":
        return True
    shared_but_safe = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
    open_to_all = bool(status.st_mode & stat.S_IWOTH) and not shared_but_safe
    return status.st_uid in (os.geteuid(), 0) and not open_to_all


def is_safe(folder: Path) -> bool:
    """Whether nobody else may have put files into a folder; said once where that is not so."""
    try:
        safe = is_trusted(folder.stat())
    except OSError:
        return True  # it is made, or found out that it can't be
    if not safe:
        _say_unsafe(folder)
    return safe


@functools.cache
def _say_unsafe(folder: Path) -> None:
    logger.warning(
        "the cache folder %s is not used, which costs time at every start: it belongs to somebody else or "
        "everybody may write to it; change that, or name another folder with %s",
        folder,
        CACHE_VARIABLE,
    )


def stamp_of(status: os.stat_result) -> tuple[int, ...]:
    """What changes when a file's content does: size, times of writing and change, and which file it is.

    The time of writing alone can be set back, by whoever copies or repairs files.
    """
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def write_whole(path: Path, *parts: bytes | memoryview) -> None:
    """Write a file whole or not at all: on the disk under another name first; a link is replaced.

    Parameters
    ----------
    path
        The file; its folder is made.
    parts
        What it holds, one behind the other.

    Raises
    ------
    OSError
        It can't be written there.
    """
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    remove_leftovers_once(path.parent)
    temporary = path.with_name(unfinished_name())
    try:
        with open(temporary, "xb", opener=_opened_for_its_owner) as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def _opened_for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def sync_folder(folder: Path) -> None:
    """See to it that a renamed file keeps its name if the power fails; where folders can be opened."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

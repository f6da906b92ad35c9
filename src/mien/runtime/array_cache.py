"""Arrays that are dear to compute, kept in the user's cache folder and memory-mapped.

Several processes share one copy; nothing is read before it is used. Losing the folder costs time only.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

CACHE_VARIABLE = "MIEN_CACHE"


def cache_folder() -> Path:
    """Folder of the cache: ``MIEN_CACHE`` where it is set, else the user's cache folder."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("mien", appauthor=False))


def content_key(*parts: NDArray[Any] | str | int | float) -> str:
    """Hexadecimal key of arrays and scalars: equal content, equal key."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype.str}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).tobytes())
        else:
            digest.update(repr(part).encode())
    return digest.hexdigest()[:24]


class ArrayCache:
    """Memory-mapped arrays by key.

    Parameters
    ----------
    folder
        Where they are kept; by default `cache_folder`.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder

    def get(self, key: str, build: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """Return the array of a key, building and storing it the first time.

        The array is mapped copy-on-write: pages are shared between processes as long as nobody writes. Of
        several processes one builds and the others wait for it. Where the folder cannot be written the built
        array itself is returned.
        """
        path = (self.folder or cache_folder()) / f"{key}.npy"
        found = _mapped(path)
        if found is not None:
            return found
        with _alone(path.parent):
            found = _mapped(path)
            if found is not None:  # another process has built it meanwhile
                return found
            array = build()
            try:
                _store(path, array)
            except OSError as error:
                logger.debug("the cache folder %s cannot be written: %s", path.parent, error)
                return array
            found = _mapped(path)
            return array if found is None else found


def _mapped(path: Path) -> NDArray[Any] | None:
    with contextlib.suppress(OSError, ValueError, EOFError):
        return np.asarray(np.load(path, mmap_mode="c", allow_pickle=False))
    return None


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process build at a time, so that all map the same file; where there can be no lock, all do."""
    import filelock

    lock = filelock.FileLock(folder / ".lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except (OSError, NotImplementedError) as error:
        logger.debug("the cache folder %s cannot be locked: %s", folder, error)
    try:
        yield
    finally:
        lock.release()


def _store(path: Path, array: NDArray[Any]) -> None:
    """Write whole or not at all: a temporary file beside the target, then a rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            np.save(file, array, allow_pickle=False)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise

"""Arrays that are dear to compute, kept in the user's cache folder and memory-mapped.

Several processes share one copy; what is not used takes no memory. Losing the folder costs time only.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mien.storage.cache_folder import cache_folder, is_safe, stamp_of
from mien.storage.checked_array import DoubtfulFileError, Shape, load_array, store_array
from mien.storage.locking import locked

__all__ = ["ArrayCache", "cache_folder", "content_key"]

logger = logging.getLogger(__name__)


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

    A file is used only if every bit of it is as it was written and nobody else may have written it; else the
    array is built, and the file replaced.

    Parameters
    ----------
    folder
        Where they are kept; by default `cache_folder`.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder

    def get(
        self,
        key: str,
        build: Callable[[], NDArray[Any]],
        *,
        shape: Shape,
        dtype: DTypeLike = np.float32,
        made_from: str = "",
    ) -> NDArray[Any]:
        """Return the array of a key, building and storing it the first time.

        The array is mapped copy-on-write: pages are shared between processes as long as nobody writes. Of
        several processes one builds and the others wait for it. Where the folder cannot be written the built
        array itself is returned.

        Parameters
        ----------
        key
            Names its content, see `content_key`.
        build
            Makes it.
        shape, dtype
            What it has; None for a size that only ``build`` knows.
        made_from
            Names the state of what it is made from, where ``key`` names only the place of that: an array of
            another state is replaced.
        """
        folder = self.folder or cache_folder()
        path = folder / f"{key}.npy"
        if not is_safe(folder):
            return build()
        wanted = path, f"{key} {made_from}", np.dtype(dtype), shape
        found = _mapped(*wanted)
        if found is not None:
            return found
        with _alone(folder):
            found = _mapped(*wanted)
            if found is not None:  # another process has built it meanwhile
                return found
            array = build()
            try:
                store_array(path, wanted[1], array)
            except OSError as error:
                logger.debug("the cache folder %s cannot be written: %s", folder, error)
                return array
            found = _mapped(*wanted)
            return array if found is None else found


_in_use: weakref.WeakValueDictionary[tuple[object, ...], NDArray[Any]] = weakref.WeakValueDictionary()
"""Arrays that are mapped in this process: the next analysis shares map, descriptor and check."""


def _mapped(path: Path, key: str, dtype: np.dtype[Any], shape: Shape) -> NDArray[Any] | None:
    """The array that a file must hold; None where there is none that can be trusted."""
    try:
        known = path, key, dtype, shape, stamp_of(path.lstat())
        array = _in_use.get(known)
        if array is None:
            array = _in_use.setdefault(known, load_array(path, key, dtype, shape))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, DoubtfulFileError) as error:
        logger.info("%s is not used, but made again: %s", path, error)
        return None
    return np.asarray(array)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process build at a time, so that all map the same file; where there can be no lock, all do."""
    with contextlib.ExitStack() as held:
        try:
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            held.enter_context(locked(folder / ".lock"))
        except OSError as error:
            logger.debug("the cache folder %s cannot be locked: %s", folder, error)
        yield

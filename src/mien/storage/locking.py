"""Locks between processes, where the file system has them."""

from __future__ import annotations

import errno
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

logger = logging.getLogger(__name__)

_NO_LOCKS = {getattr(errno, name, None) for name in ("ENOSYS", "ENOLCK", "ENOTSUP", "EOPNOTSUPP")} - {None}
"""What file systems without locks answer: some of clusters, of network disks and of containers."""


@contextmanager
def locked(path: Path, timeout_s: float = -1) -> Iterator[bool]:
    """Hold a lock while something is done; where the file system has no locks, it is done without.

    Parameters
    ----------
    path
        File of the lock; its folder must be there.
    timeout_s
        How long to wait for another process, s; negative for as long as it takes.

    Yields
    ------
    bool
        Whether the lock is held.

    Raises
    ------
    filelock.Timeout
        Another process holds it for longer than that.
    OSError
        The file can't be made.
    """
    import filelock

    lock = filelock.FileLock(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it takes a lock of another kind, where there is one
            lock.acquire(timeout=timeout_s)
    except NotImplementedError as error:
        logger.debug("%s can't be locked: %s", path, error)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        logger.debug("%s can't be locked: %s", path, error)
    try:
        yield lock.is_locked
    finally:
        lock.release()

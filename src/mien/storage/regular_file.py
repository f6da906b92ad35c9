"""Whole files that a user or another file names: nothing that never ends, nothing that makes one wait."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

MOST_BYTES = 1 << 31


def open_regular(path: str | Path, most_bytes: int = MOST_BYTES, *, follow_links: bool = True) -> BinaryIO:
    """Open a regular file, and no pipe, device or folder.

    Raises
    ------
    OSError
        It can't be opened, is something else, or is larger than that.
    """
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    if not follow_links:
        flags |= getattr(os, "O_NOFOLLOW", 0)
    try:
        # A pipe would wait for whoever writes to it.
        handle = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    except ValueError as error:
        raise OSError(errno.EINVAL, "its name holds a zero byte") from error
    try:
        status = os.fstat(handle)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        if status.st_size > most_bytes:
            raise OSError(errno.EFBIG, f"it has {status.st_size} bytes, expected at most {most_bytes}")
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_regular(path: str | Path, most_bytes: int = MOST_BYTES) -> bytes:
    """Read a regular file whole; see `open_regular`."""
    with open_regular(path, most_bytes) as file:
        return file.read()


def read_text(path: str | Path, most_bytes: int = MOST_BYTES) -> str:
    """Read a regular file of UTF-8 whole, a byte order mark left out.

    Raises
    ------
    OSError
        As `open_regular`, or it is not text.
    """
    try:
        return read_regular(path, most_bytes).decode("utf-8-sig")
    except (ValueError, MemoryError) as error:
        raise OSError(errno.EILSEQ, "it is not text") from error

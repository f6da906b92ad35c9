"""Output files that exist whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from mien.errors import OutputError


@contextmanager
def whole_file(path: str | Path) -> Iterator[BinaryIO]:
    """Write a file under a temporary name beside it and rename it when all is written.

    Missing folders are made. If anything goes wrong, the file that was there before stays as it was.

    Parameters
    ----------
    path
        Where the file shall be.

    Yields
    ------
    BinaryIO
        The open temporary file.

    Raises
    ------
    OutputError
        The file can't be written there.
    """
    path = Path(path)
    temporary = path.with_name(f".mien-{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(None, "it is a folder")
        with temporary.open("xb") as file:
            yield file
        os.replace(temporary, path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise OutputError(
                f"{path} can't be written: {error.strerror or error}; choose another place or free the disk"
            ) from error
        raise

"""Arrays in files that are mapped into memory only after every byte of them has been checked.

A file is an ``.npy`` of format 1.0 with twelve bytes after its end: eight that name this form, and the CRC-32
of the array's key and of all bytes before. CRC-32 finds every damage of one or two bits and of up to 32 bits
in a row, and misses one in four billion of the others; it takes 0.4 ms per megabyte with reading, a third of
SHA-256's time. It is no protection against forgery: that is whom the file and its folder belong to.
"""

from __future__ import annotations

import io
import math
import os
import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray

from mien.storage.cache_folder import is_trusted, write_whole
from mien.storage.npz import parse_header
from mien.storage.regular_file import open_regular

_END = struct.Struct("<8sI")
_MAGIC = b"mienCRC1"
_CHUNK = 1 << 20
_LONGEST_HEADER = 4096

Shape = tuple[int | None, ...]
"""Sizes along the axes; None where any is right."""


class DoubtfulFileError(Exception):
    """A file is damaged, something else, or somebody else's; the message says which."""


def load_array(path: Path, key: str, dtype: DTypeLike, shape: Shape) -> NDArray[Any]:
    """Check a file and map its array, copy-on-write.

    Parameters
    ----------
    path
        The file.
    key
        What the array was stored under.
    dtype, shape
        What it must have.

    Returns
    -------
    numpy.memmap
        Its pages are shared between processes as long as nobody writes.

    Raises
    ------
    DoubtfulFileError
        The file is not what `store_array` wrote for this key, or may be somebody else's.
    OSError
        It is not there, or can't be read.
    """
    with _opened(path) as file:
        size = os.fstat(file.fileno()).st_size - _END.size
        if size <= 0 or _stored_checksum(file, size) != _checksum(file, key, size):
            raise DoubtfulFileError("its checksum is wrong")
        file.seek(0)
        dtype = np.dtype(dtype)
        offset, kind, fortran, found = parse_header(file.read(min(size, _LONGEST_HEADER)))
        fits = kind == dtype and not fortran and size - offset == dtype.itemsize * math.prod(found)
        if not fits or not _fits(found, shape):
            raise DoubtfulFileError(f"it holds {kind} of shape {found}")
        return np.memmap(file, dtype, "c", offset, found)


def store_array(path: Path, key: str, array: NDArray[Any]) -> None:
    """Write whole or not at all: a temporary file beside the target, on the disk before it is renamed.

    Raises
    ------
    OSError
        It can't be written there.
    """
    array = np.ascontiguousarray(array)
    header = io.BytesIO()
    npy.write_array_header_1_0(header, npy.header_data_from_array_1_0(array))
    content = array.reshape(-1).view(np.uint8)
    checksum = zlib.crc32(content, zlib.crc32(header.getvalue(), zlib.crc32(key.encode())))
    write_whole(path, header.getvalue(), memoryview(content), _END.pack(_MAGIC, checksum))


def _opened(path: Path) -> BinaryIO:
    """Open a file of the user's own."""
    file = open_regular(path, follow_links=False)
    if not is_trusted(os.fstat(file.fileno())):
        file.close()
        raise DoubtfulFileError("others may write to it")
    return file


def _checksum(file: BinaryIO, key: str, size: int) -> int:
    """CRC-32 of the key and the first bytes, read rather than mapped: what is not used takes no memory."""
    checksum = zlib.crc32(key.encode())
    buffer = memoryview(bytearray(_CHUNK))
    while size > 0:
        count = file.readinto(buffer[: min(size, _CHUNK)])  # type: ignore[attr-defined]
        if not count:
            raise DoubtfulFileError("it is shorter than it was")
        checksum = zlib.crc32(buffer[:count], checksum)
        size -= count
    return checksum


def _stored_checksum(file: BinaryIO, offset: int) -> int:
    file.seek(offset)
    end = file.read(_END.size)
    file.seek(0)
    if len(end) != _END.size or end[:8] != _MAGIC:
        raise DoubtfulFileError("it does not end as mien's do")
    return int(_END.unpack(end)[1])


def _fits(found: tuple[int, ...], shape: Shape) -> bool:
    return len(found) == len(shape) and all(
        wanted in (None, length) for wanted, length in zip(shape, found, strict=True)
    )

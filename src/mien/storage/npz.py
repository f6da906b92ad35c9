"""NumPy archives from anywhere: read whole, with every declared size checked before memory is taken.

NumPy's own reader evaluates headers as Python and believes the sizes in them; damaged archives make it raise
whatever its parts raise.
"""

from __future__ import annotations

import math
import re
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from mien.storage.regular_file import open_regular

MOST_BYTES = 1 << 32
_MOST_RATIO = 1100
"""How much smaller than its content a deflated member can be."""
_HEADER = re.compile(
    rb"\x93NUMPY(?:\x01\x00..|[\x02\x03]\x00....)\{'descr': '(?P<descr>[<|>][biufUS]\d{1,9})', "
    rb"'fortran_order': (?P<fortran>True|False), "
    rb"'shape': \((?P<shape>(?:\d{1,18}, ?){0,16}(?:\d{1,18})?)\), \} *\n",
    re.DOTALL,
)


class ArchiveError(ValueError):
    """An archive or an array in it is damaged or something else; the message says what is wrong."""


def read_npz(path: str | Path, most_bytes: int = MOST_BYTES) -> dict[str, NDArray[Any]]:
    """Read an archive of arrays of numbers and text.

    Parameters
    ----------
    path
        The ``.npz``.
    most_bytes
        More than that is refused.

    Returns
    -------
    dict
        Arrays by name, each in memory of its own.

    Raises
    ------
    OSError
        The file can't be opened.
    ArchiveError
        It is no such archive.
    """
    with open_regular(path, most_bytes) as file:
        try:
            return _read_archive(file, most_bytes)
        except ArchiveError:
            raise
        except Exception as error:
            # zipfile raises ten kinds of errors for damaged archives, MemoryError among them.
            raise ArchiveError(f"no NumPy archive, or a damaged one ({_in_short(error)})") from error


def parse_header(data: bytes | bytearray) -> tuple[int, np.dtype[Any], bool, tuple[int, ...]]:
    """What the header of an ``.npy`` declares.

    Returns
    -------
    offset, dtype, fortran, shape
        Where the elements begin, their type, whether they lie by columns, and the array's shape.

    Raises
    ------
    ArchiveError
        It is no such header, or of a type that is no number or text.
    """
    found = _HEADER.match(data)
    if found is None:
        raise ArchiveError("no header of a NumPy array")
    sizes = found["shape"].replace(b",", b" ").split()
    try:
        dtype = np.dtype(found["descr"].decode("ascii"))
    except TypeError as error:
        raise ArchiveError(f"an unknown type of elements ({error})") from error
    return found.end(), dtype, found["fortran"] == b"True", tuple(map(int, sizes))


def _read_archive(file: BinaryIO, most_bytes: int) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        total = sum(info.file_size for info in members)
        if total > most_bytes:
            raise ArchiveError(f"it declares {total} bytes, expected at most {most_bytes}")
        for info in members:
            name = info.filename.removesuffix(".npy")
            if name == info.filename or name in arrays:
                raise ArchiveError(f"an unexpected member {info.filename[:60]!r}")
            if info.file_size > _MOST_RATIO * (info.compress_size + 1):
                raise ArchiveError(f"{name[:60]!r} declares more bytes than it can hold")
            arrays[name] = _array(bytearray(archive.read(info)))
    return arrays


def _array(data: bytearray) -> NDArray[Any]:
    offset, dtype, fortran, shape = parse_header(data)
    if len(data) - offset != dtype.itemsize * math.prod(shape):
        raise ArchiveError(f"{dtype} of shape {shape} in {len(data) - offset} bytes")
    array = np.frombuffer(data, dtype, math.prod(shape), offset) if offset < len(data) else np.empty(0, dtype)
    return array.reshape(shape, order="F" if fortran else "C")


def _in_short(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}"

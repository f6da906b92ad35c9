"""What ASF (WMV) files say of themselves: how long they are, and blocks of one size that begin alike.

So those that were shortened or damaged can be told, where FFmpeg says nothing.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import BinaryIO

_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
"""Identifiers of the objects with length and size of blocks, and the blocks (ASF specification, 3.2, 5.1)."""
_BYTES_AT, _LENGTH_AT, _PREROLL_AT, _FLAGS_AT, _SIZE_AT, _BLOCKS_AT = 40, 64, 80, 88, 92, 50
_BROADCAST = 1
"""Flag of files that were written without knowing their length."""
_LONGEST_HEADER = 1 << 20
_HEAD = 3
_MOST_BLOCKS = 4096


def announced_length_s(path: Path) -> float | None:
    """How long a file was when it was whole, as its header says; FFmpeg keeps this of a shortened file back.

    Parameters
    ----------
    path
        An ASF file.

    Returns
    -------
    float or None
        Seconds, or None where the header does not say.
    """
    with path.open("rb") as file:
        header, place = _properties(file)
    if place is None:
        return None
    length_s = _number(header, place + _LENGTH_AT, 8) / 1e7 - _number(header, place + _PREROLL_AT, 8) / 1e3
    return length_s if length_s > 0 else None


def announced_bytes(file: BinaryIO) -> int | None:
    """How many bytes a file had when it was whole, as its header says; None where it does not."""
    header, place = _properties(file)
    return None if place is None else _number(header, place + _BYTES_AT, 8) or None


def _properties(file: BinaryIO) -> tuple[bytes, int | None]:
    """The header, and where in it properties lie that can be believed."""
    header = file.read(_LONGEST_HEADER)
    place = header.find(_PROPERTIES)
    if place < 0 or len(header) < place + _SIZE_AT or _number(header, place + _FLAGS_AT, 4) & _BROADCAST:
        return header, None
    return header, place


def _number(data: bytes, place: int, size: int) -> int:
    return int.from_bytes(data[place : place + size], "little")


def damaged_blocks(path: Path, begin: int, end: int) -> bool:
    """Whether blocks between two places of a file do not begin as its blocks do, or lie where none should.

    Parameters
    ----------
    path
        An ASF file.
    begin, end
        Places of the blocks before and behind, in bytes.
    """
    with path.open("rb") as file:
        header = file.read(_LONGEST_HEADER)
        properties, data = header.find(_PROPERTIES), header.find(_DATA)
        size = _number(header, properties + _SIZE_AT, 4)
        if properties < 0 or data < 0 or size < 64:
            return False
        first = data + _BLOCKS_AT
        if (begin - first) % size != (end - first) % size:
            return True
        usual = _usual_head(file, first, size)
        begin -= (begin - first) % size
        for place in range(begin, min(end, begin + _MOST_BLOCKS * size) + 1, size):
            file.seek(place)
            if file.read(_HEAD) != usual:
                return True
    return False


def _usual_head(file: BinaryIO, first: int, size: int) -> bytes:
    heads: Counter[bytes] = Counter()
    for i in range(64):
        file.seek(first + i * size)
        heads[file.read(_HEAD)] += 1
    heads.pop(b"", None)
    return heads.most_common(1)[0][0] if heads else b""

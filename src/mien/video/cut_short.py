"""Files that end before they should, by what their containers say of their own sizes in bytes.

A demuxer ends at the last byte without a word; where a header counts bytes, or where all packets have one
size, the missing end can be told even if no frame is known to be missing.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from mien.video.asf import announced_bytes

_SEGMENT = bytes.fromhex("18538067")
"""Identifier of the element that holds all of a Matroska file (RFC 9559)."""
_SEARCHED = 4096
_SYNC = 0x47
_PACKETS = ((188, 0), (192, 4), (204, 0))
"""Sizes of a transport stream's packets, and where in them the mark is (ISO/IEC 13818-1; 192 on Blu-ray)."""
_SEEN = 5
_MOST_BOXES = 1 << 20


def ends_too_early(path: Path, format_name: str) -> bool:
    """Whether the end of a file is missing, for certain.

    Parameters
    ----------
    path
        The file.
    format_name
        FFmpeg's name of its format. MP4, Matroska, ASF and transport streams are known; of others nothing is
        said.
    """
    for name in format_name.split(","):
        if (look := _LOOKS.get(name)) is not None:
            try:
                with path.open("rb") as file:
                    return look(file, os.fstat(file.fileno()).st_size)
            except OSError:
                return False
    return False


def _within_box(file: BinaryIO, size: int) -> bool:
    """MP4: the last box says that it goes on (ISO/IEC 14496-12, 4.2)."""
    place = 0
    for _ in range(_MOST_BOXES):
        file.seek(place)
        head = file.read(16)
        if len(head) < 8:
            return False
        length = int.from_bytes(head[:4])
        if length == 1:
            length = int.from_bytes(head[8:])
        if length < 8:  # to the end of the file, or no box at all
            return False
        place += length
        if place >= size:
            return place > size
    return False


def _within_segment(file: BinaryIO, size: int) -> bool:
    """Matroska: the segment says how long it is, unless it was written as a stream."""
    head = file.read(_SEARCHED)
    place = head.find(_SEGMENT)
    if place < 0 or len(head) < place + 12:
        return False
    width = 9 - head[place + 4].bit_length()  # of the number: its leading zeros say
    number = int.from_bytes(head[place + 4 : place + 4 + width]) & ((1 << 7 * width) - 1)
    if width > 8 or number == (1 << 7 * width) - 1:
        return False
    return place + 4 + width + number > size


def _within_asf(file: BinaryIO, size: int) -> bool:
    announced = announced_bytes(file)
    return announced is not None and announced > size


def _within_packet(file: BinaryIO, size: int) -> bool:
    """Transport streams: packets of one size from the first byte on, and a beginning of one at the end."""
    head = file.read(_SEEN * 204)
    for length, mark in _PACKETS:
        marks = head[mark : mark + _SEEN * length : length]
        if len(marks) == _SEEN and set(marks) == {_SYNC}:
            file.seek(size - size % length)
            rest = file.read(length)
            return len(rest) > mark and rest[mark] == _SYNC
    return False


_LOOKS: dict[str, Callable[[BinaryIO, int], bool]] = {
    "mp4": _within_box,
    "matroska": _within_segment,
    "asf": _within_asf,
    "mpegts": _within_packet,
}

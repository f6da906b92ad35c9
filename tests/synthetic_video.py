"""Small videos for tests: every frame carries its own number as a pattern of bright and dark squares."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 96, 64
_SQUARE = 16
_BITS = 8


def numbered_picture(number: int, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """(H, W, 3) uint8: eight squares, two rows of four at the top left, spell the number in binary.

    The rest is noise, so that files have a realistic size and their middle lies in the pictures.
    """
    picture = np.random.default_rng(number).integers(60, 140, (height, width, 3), dtype=np.uint8)
    picture[-8:, -8:] = (255, 0, 0)  # bottom right corner is blue, to see turns and mirrors
    for bit in range(_BITS):
        row, column = divmod(bit, 4)
        value = 255 if number >> bit & 1 else 0
        picture[row * _SQUARE : (row + 1) * _SQUARE, column * _SQUARE : (column + 1) * _SQUARE] = value
    return picture


def read_number(picture: NDArray[np.uint8]) -> int:
    """The number that `numbered_picture` drew."""
    number = 0
    for bit in range(_BITS):
        row, column = divmod(bit, 4)
        y, x = row * _SQUARE + _SQUARE // 2, column * _SQUARE + _SQUARE // 2
        number |= int(picture[y - 3 : y + 3, x - 3 : x + 3].mean() > 127) << bit
    return number


def write_video(
    path: Path,
    pictures: Iterable[NDArray[np.uint8]],
    *,
    fps: Fraction | int = 25,
    codec: str = "mpeg4",
    pixels: str = "yuv420p",
    stamps_ms: Iterable[int] | None = None,
    rotation: int = 0,
    mirror: bool = False,
    key_every: int = 12,
    reorder: bool = False,
    options: dict[str, str] | None = None,
) -> Path:
    """Encode pictures; with ``stamps_ms`` each gets its own time stamp (variable frame rate)."""
    pictures = list(pictures)
    container_options = options or {}
    with av.open(str(path), "w", options=container_options) as container:
        stream = container.add_stream(codec, rate=fps)
        height, width = pictures[0].shape[:2]
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        stream.codec_context.gop_size = key_every
        stream.codec_context.max_b_frames = 2 if reorder else 0
        stream.bit_rate = 4_000_000
        if stamps_ms is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        stamps = list(stamps_ms) if stamps_ms is not None else None
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, "bgr24")
            if stamps is not None:
                frame.pts, frame.time_base = stamps[index], Fraction(1, 1000)
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    if rotation or mirror:
        _mark_as_turned(path, rotation, mirror)
    return path


def _mark_as_turned(path: Path, rotation: int, mirror: bool) -> None:
    """Write a display matrix into an MP4's track header, as phones do (PyAV: from 18 on)."""
    data = bytearray(path.read_bytes())
    header = data.index(b"tkhd")
    assert data[header + 4] == 0, "expected a track header of version 0"
    cosine, sine = np.round([np.cos(np.deg2rad(rotation)), np.sin(np.deg2rad(-rotation))]).astype(int)
    left_to_right = -1 if mirror else 1
    one = 1 << 16
    matrix = (
        *(left_to_right * cosine * one, sine * one, 0),
        *(left_to_right * -sine * one, cosine * one, 0),
        *(0, 0, 1 << 30),
    )
    data[header + 44 : header + 80] = np.array(matrix, ">i4").tobytes()
    path.write_bytes(data)


def numbered_video(path: Path, count: int = 50, **kwargs: object) -> Path:
    """A video of ``count`` numbered pictures."""
    return write_video(path, (numbered_picture(i) for i in range(count)), **kwargs)  # type: ignore[arg-type]

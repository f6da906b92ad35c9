"""Find where a selection starts, and its frame number, without decoding what comes before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from mien.video.clock import Clock
from mien.video.decoding import decode
from mien.video.losses import Losses

_REORDERING = 64
"""Packets are stored at most this far from the place where their frame is shown."""

_MARGINS_S = (0.0, 1.0, 10.0)
"""How much earlier to look for a key frame: the search goes by decoding order."""


@dataclass(frozen=True, slots=True)
class StartPoint:
    """The first wanted frame: its number in the source and its time stamp in the container's units."""

    index: int
    pts: int


def find_start(
    container: InputContainer, stream: VideoStream, clock: Clock, start_s: float
) -> StartPoint | None:
    """Find the first frame at or after a time by reading, not decoding, the packets before it.

    Returns
    -------
    StartPoint or None
        None where the packets do not tell (they carry no time stamps, or none is so late).
    """
    stamps: list[int] = []
    beyond = 0
    try:
        for packet in container.demux(stream):
            stamp = packet.pts if packet.pts is not None else packet.dts
            if stamp is None or packet.size == 0 or packet.is_discard:
                continue
            stamps.append(stamp)
            beyond += clock.time_s(len(stamps) - 1, stamp) >= start_s
            if beyond > _REORDERING:
                break
    except FFmpegError:
        return None
    for index, stamp in enumerate(sorted(stamps)):
        if clock.time_s(index, stamp) >= start_s:
            return StartPoint(index, stamp)
    return None


def decode_from(
    container: InputContainer, stream: VideoStream, start: StartPoint, losses: Losses
) -> Iterator[VideoFrame] | None:
    """Decode from a start point: seek to a key frame before it and drop the frames between.

    Returns
    -------
    iterator or None
        None where no seek leads to a frame before the start; the position is then undefined.
    """
    assert stream.time_base is not None
    for margin_s in _MARGINS_S:
        offset = start.pts - int(margin_s / stream.time_base)
        try:
            container.seek(offset, stream=stream)
        except FFmpegError:
            continue
        frames = decode(container, stream, losses)
        first = next(frames, None)
        if first is not None and first.pts is not None and first.pts <= start.pts:
            return _from(start.pts, chain([first], frames))
    return None


def _from(pts: int, frames: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
    for frame in frames:
        if frame.pts is None or frame.pts >= pts:
            yield frame
            break
    yield from frames

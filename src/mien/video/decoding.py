"""Decoding that survives damage: open a file, find its video, decode what can be decoded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.error import EOFError as EndOfFile
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from mien.errors import SourceError

_LENIENT: dict[str, Any] = (
    {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}
)
"""Titles that are not UTF-8 are no reason to refuse a video; PyAV 19 reads them without this option."""
_NOT_VIDEO = {"tty", "bin", "xbin", "adf", "idf", "image2", "rawvideo"}
"""Formats that FFmpeg offers for text files, single pictures and unknown bytes."""

_MAX_FAILED_READS = 1000
"""Failed reads in a row after which the rest of a file is given up."""

DEFAULT_FPS = 30.0
"""Frame rate of sources that do not say theirs (docs/algorithms/output-table.md#reader)."""


@dataclass(slots=True)
class Losses:
    """What could not be read, counted while decoding.

    Attributes
    ----------
    failed_reads
        Places where the container could not be read.
    damaged_packets
        Packets that arrived damaged or that the decoder refused.
    damaged_frames
        Delivered pictures that the decoder had to repair.
    missing_frames, missing_s
        How much earlier the video ends than its header says.
    """

    failed_reads: int = 0
    damaged_packets: int = 0
    damaged_frames: int = 0
    missing_frames: int = 0
    missing_s: float = 0.0

    def describe(self) -> str:
        """Say what was lost in one sentence; empty when nothing was."""
        parts = []
        if self.missing_s > 0:
            frames = f" ({self.missing_frames} frames)" if self.missing_frames else ""
            parts.append(f"the video ends {self.missing_s:.2f} s{frames} earlier than its header says")
        if self.damaged_packets:
            parts.append(f"{_count(self.damaged_packets, 'packet is', 'packets are')} damaged")
        if self.damaged_frames:
            parts.append(f"{_count(self.damaged_frames, 'frame is', 'frames are')} damaged")
        if self.failed_reads and not self.missing_s:
            parts.append(f"{_count(self.failed_reads, 'part', 'parts')} of the file could not be read")
        return "; ".join(parts)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def open_container(path: Path) -> InputContainer:
    """Open a video file.

    Raises
    ------
    SourceError
        The file is missing, empty, not readable, or not a video.
    """
    if not path.exists():
        raise SourceError(f"{path}: no such file; expected a video")
    if path.is_dir():
        raise SourceError(f"{path} is a folder; expected a video file")
    try:
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except OSError as error:
        raise SourceError(f"{path} cannot be opened: {error.strerror}") from error
    if size == 0:
        raise SourceError(f"{path} is empty (0 bytes); expected a video")
    try:
        # Only this file: a play list must not make the program fetch anything.
        container = av.open(str(path.absolute()), options={"protocol_whitelist": "file"}, **_LENIENT)
    except (FFmpegError, ValueError) as error:
        raise SourceError(f"{path} is not a video that can be read: {_reason(error)}") from error
    names = set(container.format.name.split(","))
    if names & _NOT_VIDEO or any(name.endswith("_pipe") for name in names):
        container.close()
        raise SourceError(f"{path} is not a video (it looks like {container.format.long_name})")
    return container


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return f"{text}; it may be incomplete, or of a format that FFmpeg does not know"


def video_stream(container: InputContainer, path: Path) -> VideoStream:
    """Choose the video of a file: the one players show, never the picture on an album's cover.

    Raises
    ------
    SourceError
        The file holds no video, or one of unknown size.
    """
    best = container.streams.best("video")
    candidates = [best] if isinstance(best, VideoStream) else []
    candidates += list(container.streams.video)
    for stream in candidates:
        if not _is_cover(stream) and stream.codec_context is not None:
            return stream
    kinds = ", ".join(sorted({stream.type for stream in container.streams}))
    raise SourceError(f"{path} holds no video, only {kinds or 'nothing'}")


def _is_cover(stream: VideoStream) -> bool:
    disposition = getattr(stream, "disposition", 0)
    return "attached_pic" in str(disposition).lower()


def nominal_fps(stream: VideoStream) -> float:
    """Frames per second as the container states it; 30 where it does not."""
    for rate in (stream.guessed_rate, stream.average_rate):
        value = float(rate) if rate else math.nan
        if math.isfinite(value) and value > 0:
            return value
    return DEFAULT_FPS


def decode(container: InputContainer, stream: VideoStream, losses: Losses) -> Iterator[VideoFrame]:
    """Decode a stream from the current position to its end, skipping what is damaged."""
    for packet in _packets(container, stream, losses):
        try:
            frames = stream.decode(packet)
        except EndOfFile:
            return
        except FFmpegError:
            losses.damaged_packets += 1
            continue
        losses.damaged_packets += packet is not None and packet.is_corrupt
        yield from frames


def _packets(
    container: InputContainer, stream: VideoStream, losses: Losses
) -> Iterator[Packet[VideoStream] | None]:
    """Read the stream's packets past unreadable places; the last, or None, empties the decoder."""
    failed_in_a_row = 0
    while failed_in_a_row < _MAX_FAILED_READS:
        try:
            for packet in container.demux(stream):
                failed_in_a_row = 0
                yield packet
            return
        except EndOfFile:
            break
        except FFmpegError:
            losses.failed_reads += 1
            failed_in_a_row += 1
    yield None

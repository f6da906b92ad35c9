"""Decoding that survives damage: open a file, find its video, decode what can be decoded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.error import EOFError as EndOfFile
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from mien.errors import SourceError
from mien.video.losses import Losses

_LENIENT: dict[str, Any] = (
    {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}
)
"""Titles that are not UTF-8 are no reason to refuse a video; PyAV 19 reads them without this option."""
_NOT_VIDEO = {"tty", "bin", "xbin", "adf", "idf", "image2", "rawvideo"}
"""Formats that FFmpeg offers for text files, single pictures and unknown bytes."""

_PICTURE_PIPES = {f"{kind}_pipe" for kind in ("jpeg", "png", "webp", "bmp", "tiff", "gif")}
_PICTURES_BY_NAME = "; a picture is known by its name: rename it, to end in .jpg, .png or what it is"

_OPENS_OTHERS = {
    *("hls", "applehttp", "concat", "dash", "imf", "rtsp", "sdp", "rtp", "avisynth", "vapoursynth", "lavfi"),
    *("image2", "image2pipe", "ffmetadata", "tedcaptions", "dvdvideo"),
}
"""Formats whose files make FFmpeg open others: play lists, scripts, patterns of names."""
_LISTS = (b"#EXTM3U", b"ffconcat", b"<?xml", b"<MPD", b"[playlist]", b"[Reference]", b"<asx", b"<ASX", b"v=0")
"""How lists of other files begin."""
_STILL_BRANDS = {"heic", "heix", "heim", "heis", "mif1", "avif"}
"""Brands of files in MP4's format that are pictures; a phone's are in tiles, of which FFmpeg shows one."""

_MAX_FAILED_READS = 1000
"""Failed reads in a row after which the rest of a file is given up."""

_ONLY_THIS_FILE = {
    "protocol_whitelist": "file",
    "format_whitelist": ",".join(sorted(set(av.formats_available) - _OPENS_OTHERS)),
}
"""Nothing that a file says makes the program open another."""

DEFAULT_FPS = 30.0
"""Frame rate of sources that do not say theirs (docs/algorithms/output-table.md#reader)."""


def open_container(path: Path) -> InputContainer:
    """Open a video file.

    Raises
    ------
    SourceError
        The file is missing, empty, not readable, or not a video.
    """
    try:
        if not path.exists():
            raise SourceError(f"{path}: no such file; expected a video")
        if path.is_dir():
            raise SourceError(f"{path} is a folder; expected a video file")
        if not path.is_file():  # which would wait for whoever writes to it
            raise SourceError(f"{path} is a pipe or a device; expected a video file; save it as one first")
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except OSError as error:
        raise SourceError(f"{path} cannot be opened: {error.strerror}") from error
    if size == 0:
        raise SourceError(f"{path} is empty (0 bytes); expected a video")
    begin = _refuse_lists(path)
    # FLV names no other files, and older versions of PyAV crash where it is opened with any option.
    options = {} if begin.startswith(b"FLV") else _ONLY_THIS_FILE
    try:
        container: InputContainer = av.open(str(path.absolute()), options=options, **_LENIENT)
    except Exception as error:  # FFmpeg's errors, and PyAV's own about texts and values that it does not know
        raise SourceError(f"{path} is not a video that can be read: {_reason(error)}") from error
    names = set(container.format.name.split(","))
    if names & _NOT_VIDEO or any(name.endswith("_pipe") for name in names):
        container.close()
        looks = f"{path} is not a video (it looks like {container.format.long_name})"
        raise SourceError(f"{looks}{_PICTURES_BY_NAME if names & _PICTURE_PIPES else ''}")
    if _brand(container) in _STILL_BRANDS:
        container.close()
        raise SourceError(
            f"{path} is a picture in the format HEIC or AVIF; rename it, to end in .heic or .avif"
        )
    return container


def _refuse_lists(path: Path) -> bytes:
    """Refuse lists of other files by their first bytes; else give these."""
    with path.open("rb") as file:
        begin = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
    if begin.startswith(_LISTS):
        raise SourceError(
            f"{path} is a play list or script that names other files; give those files themselves"
        )
    return begin


def _brand(container: InputContainer) -> str:
    try:
        return str(container.metadata.get("major_brand", "")).strip()
    except Exception:  # texts that are no UTF-8
        return ""


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
    """Decode a stream from the current position to its end, skipping what is damaged.

    Whatever PyAV raises over a packet costs that packet: beside FFmpeg's errors these are its own about
    values that it does not know, and about texts that are no UTF-8.
    """
    ledger = losses.begin(container, stream)
    for packet in _packets(container, stream, losses):
        try:
            frames = stream.decode(packet)
        except EndOfFile:
            break
        except Exception:
            losses.damaged_packets += 1
            ledger.trouble()
            continue
        losses.damaged_packets += packet is not None and packet.is_corrupt
        for frame in frames:
            ledger.frame(frame.pts)
            yield frame
    losses.ended = True


def _packets(
    container: InputContainer, stream: VideoStream, losses: Losses
) -> Iterator[Packet[VideoStream] | None]:
    """Read the stream's packets past unreadable places; the last, or None, empties the decoder.

    Packets of all streams are read: what lies between two of this one is no loss where it is sound.
    """
    failed_in_a_row = 0
    while failed_in_a_row < _MAX_FAILED_READS:
        try:
            for packet in container.demux():
                failed_in_a_row = 0
                own = packet.stream_index == stream.index
                losses.note(packet, own=own)
                if own:
                    yield packet  # type: ignore[misc]  # of this stream, which is a video
            return
        except EndOfFile:
            break
        except Exception:
            losses.failed_reads += 1
            losses.ledger.trouble()
            failed_in_a_row += 1
    yield None

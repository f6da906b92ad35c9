"""Video files, through FFmpeg's libraries (PyAV)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from mien.datatypes import Frame
from mien.errors import OptionError, SourceError
from mien.video.asf import announced_length_s
from mien.video.clock import Clock
from mien.video.conversion import BgrConversion
from mien.video.cut_short import ends_too_early
from mien.video.decoding import decode, nominal_fps, open_container, video_stream
from mien.video.display import Display, DisplayReader, Shapes
from mien.video.losses import Losses
from mien.video.seeking import decode_from, find_start
from mien.video.source import FrameSource, SourceInfo, frame_of

_TOLERATED_FRAMES = 1.5
"""A video may end this many frame intervals before its header says without being called incomplete."""
_TOLERATED_S = 0.5
"""The same where the header speaks of several streams: sound, subtitles and their last packets."""
_KNOW_THEIR_LENGTH = {"matroska", "webm", "asf", "flv"}
"""Formats whose header says when the file ends; of others FFmpeg looks or guesses."""
_BY_PILLOW = (".webp", ".avif")

_MOST_THREADS = 16
"""Of a decoder; with very many FFmpeg opens none."""


class VideoFile(FrameSource):
    """A video file as a source of frames.

    The file is opened, and its first wanted frame decoded, by the constructor. Colours are
    converted as OpenCV's reader converts them (`mien.video.conversion`), grey by OpenCV's fixed-point formula
    (docs/inputs.md).

    Parameters
    ----------
    path
        The file.
    compat
        None: the container's time stamps, pictures as they are displayed: upright, with square pixels, in the
        marked colours. "openface": time stamps i/fps and pictures as stored, as the original's reader has
        them (docs/inputs.md).
    start_s, end_s
        Deliver only frames with start_s <= time < end_s. Frame numbers stay those of the whole file.
    threads
        Threads of the decoder within one picture; used by files whose pictures are cut into slices.

    Raises
    ------
    SourceError
        The file is missing, empty, not a video, or holds no frame in the wanted range.
    OptionError
        The range is empty or negative.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        compat: str | None = None,
        start_s: float = 0.0,
        end_s: float | None = None,
        threads: int = 1,
    ) -> None:
        if not 0.0 <= start_s < (math.inf if end_s is None else end_s):
            raise OptionError(f"expected 0 <= start < end, got start {start_s} s and end {end_s} s")
        self._path = Path(path)
        self._upright = compat is None
        self._end_s = math.inf if end_s is None else end_s
        self._threads = threads
        self._losses = Losses(start_s=start_s, end_s=self._end_s)
        self._convert = BgrConversion(follow_marks=self._upright)
        self._shapes = Shapes()
        self._iterated = False
        self._container, self._stream = self._open()
        self._display = DisplayReader(self._stream, as_stored=compat is not None)
        try:
            self._clock = self._make_clock(nominal=compat is not None)
            self._losses.origin_s = self._clock.origin_s
            self._first_index, self._frames = self._begin(start_s)
            self._prepare(start_s)
        except BaseException:
            self.close()
            raise

    @property
    def info(self) -> SourceInfo:
        """Name, size, rate and expected length."""
        return self._info

    @property
    def lost(self) -> str:
        """What could not be read so far, as one sentence; empty when nothing was lost."""
        return self._losses.describe()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know about the pictures so far: pixels that are not square, changes of size."""
        return (*self._notes, *self._shapes.notes)

    def __iter__(self) -> Iterator[Frame]:
        """Deliver the wanted frames, once, in the order in which they are shown."""
        if self._iterated:
            raise SourceError(f"{self._path} has been read; open it again to read it again")
        self._iterated = True
        index, time_s = self._first_index, None
        for picture in self._frames:
            time_s = self._clock.time_s(index, picture.pts, time_s)
            if time_s >= self._end_s:
                return
            self._losses.damaged_frames += picture.is_corrupt
            frame = self._frame(index, time_s, picture)
            if frame is not None:
                yield frame
            index += 1
        self._note_end(index, time_s)

    def close(self) -> None:
        """Close the file; may be called more than once."""
        self._container.close()

    def _open(self) -> tuple[InputContainer, VideoStream]:
        container = open_container(self._path)
        try:
            stream = video_stream(container, self._path)
            # Not frame threads: after damage they lose pictures that one thread delivers.
            stream.thread_type = "SLICE"
            stream.codec_context.thread_count = min(self._threads, _MOST_THREADS)
        except BaseException:
            container.close()
            raise
        return container, stream

    def _make_clock(self, *, nominal: bool) -> Clock:
        unit = self._stream.time_base
        assert unit is not None
        origin = self._container.start_time
        return Clock(
            fps=nominal_fps(self._stream),
            time_base=Fraction(unit.numerator, unit.denominator),
            origin_s=0.0 if origin is None else origin / av.time_base,
            nominal=nominal,
        )

    def _begin(self, start_s: float) -> tuple[int, Iterator[VideoFrame]]:
        """Index of the first wanted frame, and the frames from there on."""
        if start_s == 0.0:
            return 0, decode(self._container, self._stream, self._losses)
        start = find_start(self._container, self._stream, self._clock, start_s)
        frames = start and decode_from(self._container, self._stream, start, self._losses)
        if start and frames:
            return start.index, frames
        return self._count_up_to(start_s)

    def _count_up_to(self, start_s: float) -> tuple[int, Iterator[VideoFrame]]:
        """Decode from the beginning and drop what comes too early: for files that can't be searched."""
        self._container.close()
        self._container, self._stream = self._open()
        self._display = DisplayReader(self._stream, as_stored=not self._upright)
        frames = decode(self._container, self._stream, self._losses)
        time_s = None
        for index, picture in enumerate(frames):
            time_s = self._clock.time_s(index, picture.pts, time_s)
            if time_s >= start_s:
                return index, chain([picture], frames)
        return 0, iter(())

    def _prepare(self, start_s: float) -> None:
        """Decode the first wanted frame: its size and orientation hold for the whole video."""
        first = next(self._frames, None)
        if first is None:
            wanted = f" at or after {start_s:g} s" if start_s else ""
            raise SourceError(f"{self._path}: no frame{wanted} could be decoded")
        self._frames = chain([first], self._frames)
        if start_s:
            # Damage before the wanted range is not a loss.
            self._losses.damaged_packets = self._losses.failed_reads = 0
        self._notes = self._describe_display(display := self._display(first))
        width, height = self._shapes.size_for(display, self._first_index, start_s)
        self._info = SourceInfo(
            name=self._path.name,
            path=self._path,
            width=width,
            height=height,
            fps=self._clock.fps,
            frame_count=self._expected_frames(start_s),
            rotation_deg=display.orientation.rotation_deg,
            pixel_aspect=float(display.pixel_shape),
        )

    def _describe_display(self, display: Display) -> tuple[str, ...]:
        stored = f"{display.stored[0]}x{display.stored[1]} px"
        if (wrong := self._display.disbelieved) is not None:
            mark = f"{wrong.numerator}:{wrong.denominator}"
            return (
                f"the file says that pixels are {mark}, which can't be; pictures are analysed as {stored}",
            )
        if display.pixel_shape == 1:
            return ()
        mark = f"{display.pixel_shape.numerator}:{display.pixel_shape.denominator}"
        shown = "x".join(str(side) for side in display.size)
        return (f"pictures are stored as {stored} with pixels of {mark}; analysed as displayed, {shown} px",)

    def _expected_frames(self, start_s: float) -> int | None:
        fps = self._clock.fps
        total = self._stream.frames
        if not total:
            duration_s = self._duration_s()
            if duration_s is None:
                return None
            total = round(duration_s * fps)
        last = min(total, math.ceil(self._end_s * fps)) if math.isfinite(self._end_s) else total
        return max(1, last - math.floor(start_s * fps)) if (start_s or last < total) else total

    def _duration_s(self) -> float | None:
        duration_s, container = self._stream_duration_s(), self._container
        if duration_s is None and container.duration and len(container.streams) == 1:
            return container.duration / av.time_base
        return duration_s

    def _stream_duration_s(self) -> float | None:
        stream, container = self._stream, self._container
        if stream.frames and container.format.name == "avi":
            # The announced duration of a shortened file is FFmpeg's estimate, the number of frames is not.
            return stream.frames / self._clock.fps
        if stream.duration and stream.time_base:
            return float(stream.duration * stream.time_base)
        return None

    def _frame(self, index: int, time_s: float, picture: VideoFrame) -> Frame | None:
        """Frame of a picture; None where PyAV can't convert it, whatever it raises."""
        try:
            display = self._display(picture)
            size = self._shapes.size_for(display, index, time_s)
            bgr = display.orientation.apply(self._convert(picture, display.orientation.size(*size)))
        except Exception:
            self._losses.unusable_frames += 1
            return None
        return frame_of(bgr, index, time_s)

    def _note_end(self, count: int, last_s: float | None) -> None:
        """Compare where the video ended, and how many frames it had, with what its header says."""
        losses, announced = self._losses, self._stream.frames
        found = losses.ledger.own_packets
        if self._first_index == 0 and 0 < found < announced:
            losses.announced_frames, losses.read_frames = announced, found
        losses.cut_short = ends_too_early(self._path, self._container.format.name)
        if self._container.size:
            losses.unread_bytes = losses.ledger.unread_tail(self._container.size)
        if last_s is not None and not 0 < announced <= max(found, count):
            shown_s = losses.shown_s
            losses.early_s = self._early_s(last_s if shown_s is None else shown_s)

    def _file_length_s(self) -> float | None:
        """How long the file says that it is as a whole; None where its format does not know."""
        container = self._container
        if not set(container.format.name.split(",")) & _KNOW_THEIR_LENGTH:
            return None
        if container.duration:
            return container.duration / av.time_base
        return announced_length_s(self._path) if container.format.name == "asf" else None

    def _early_s(self, last_s: float) -> float:
        """How much earlier the video ended than its header says; 0 where the header is not that exact."""
        interval_s = 1.0 / self._clock.fps
        # A recording of a screen may show its last frame as long as any other.
        tolerated_s = _TOLERATED_FRAMES * max(interval_s, self._losses.longest_s)
        duration_s = self._stream_duration_s()
        if duration_s is not None:
            start = self._stream.start_time
            if start is not None and self._stream.time_base and self._losses.shown_s is not None:
                duration_s += float(start * self._stream.time_base) - self._clock.origin_s
            early_s = duration_s - (last_s + interval_s)
        elif (whole_s := self._file_length_s()) is not None:
            if len(self._container.streams) > 1:
                tolerated_s += _TOLERATED_S
            early_s = whole_s - self._losses.last_s
        else:
            return 0.0
        return early_s if early_s > tolerated_s else 0.0


def open_video(
    path: str | Path,
    *,
    compat: str | None = None,
    start_s: float = 0.0,
    end_s: float | None = None,
    threads: int = 1,
) -> FrameSource:
    """Open a video file or an animated picture; parameters and errors as for `VideoFile`."""
    path = Path(path)
    if path.suffix.lower() in _BY_PILLOW and path.is_file():
        from mien.video.animation import Animation

        return Animation(path, compat=compat, start_s=start_s, end_s=end_s)
    return VideoFile(path, compat=compat, start_s=start_s, end_s=end_s, threads=threads)

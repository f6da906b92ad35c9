"""How stored pictures are displayed: upright, with square pixels; what happens when their size changes."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from mien.video.orientation import UPRIGHT, Orientation

_NARROWEST, _WIDEST = Fraction(1, 4), Fraction(4)
"""Pixel shapes beyond are taken for mistakes: the widest in use is about 3:1 (half of the columns)."""
_SAME_SHAPE = 0.01
"""Shapes that differ by less are the same: files round their sizes, and so do players."""
_LONGEST_SIDE = 16384
_NAMED_CHANGES = 6
_Ratio = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Display:
    """How one stored picture is displayed.

    Attributes
    ----------
    stored
        Its width and height in px, as stored.
    pixel_shape
        Width of a stored pixel in units of its height.
    orientation
        How it is turned, after its pixels have been made square.
    """

    stored: tuple[int, int]
    pixel_shape: Fraction = Fraction(1)
    orientation: Orientation = UPRIGHT

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in square pixels, upright: the side that is too short is enlarged."""
        width, height = self.stored
        if self.pixel_shape > 1:
            width = max(1, round(width * self.pixel_shape))
        else:
            height = max(1, round(height / self.pixel_shape))
        return self.orientation.size(width, height)


class DisplayReader:
    """Reads from a stream and its decoded pictures how each is displayed.

    Parameters
    ----------
    stream
        The stream, before its first picture is decoded.
    as_stored
        Leave pictures as they are stored.
    """

    def __init__(self, stream: VideoStream, *, as_stored: bool) -> None:
        self._stream = stream
        self._as_stored = as_stored
        self._orientation = UPRIGHT
        self._rotation: float | None = None
        self._last: Display | None = None
        self._last_ratio: _Ratio | None = None
        self._of_codec = _numbers(stream.codec_context.sample_aspect_ratio)
        self._first_of_codec = _fraction(self._of_codec)
        self._of_container = _fraction(_numbers(stream.sample_aspect_ratio))
        self.disbelieved: Fraction | None = None

    def __call__(self, picture: VideoFrame) -> Display:
        """Tell how a picture is displayed; a mark that only the first one carries holds for all."""
        stored, ratio, turned = (picture.width, picture.height), None, self._orientation
        if not self._as_stored:
            if picture.key_frame:
                # The decoder has read on: what it knows holds from the next picture that stands for itself.
                self._of_codec = _numbers(self._stream.codec_context.sample_aspect_ratio)
            ratio = self._of_codec
            rotation = getattr(picture, "rotation", 0)
            if rotation != self._rotation:
                # Up to PyAV 18 a picture whose side data were asked for is freed late: 75 MB more at 640x480.
                self._rotation, turned = rotation, _orientation(picture) or turned
        last = self._last
        if last is None or (stored, ratio, turned) != (last.stored, self._last_ratio, last.orientation):
            # Only where something changes: fractions take long.
            shape = Fraction(1) if self._as_stored else self._pixel_shape(stored, ratio)
            last = self._last = Display(stored, shape, turned)
            self._last_ratio, self._orientation = ratio, turned
        return last

    def _pixel_shape(self, stored: tuple[int, int], ratio: _Ratio | None) -> Fraction:
        shape = self._of_container
        now = _fraction(ratio)
        if now is not None and (shape is None or now != self._first_of_codec):
            shape = now  # it has changed on the way, which the container's header can't know
        if shape is None or abs(shape - 1) < _SAME_SHAPE:
            return Fraction(1)
        if not _NARROWEST <= shape <= _WIDEST or max(Display(stored, shape).size) > _LONGEST_SIDE:
            self.disbelieved = shape
            return Fraction(1)
        return shape


def _numbers(value: Any) -> _Ratio:
    """Both numbers of a ratio of PyAV's, which is of another type in each of its generations."""
    if hasattr(value, "numerator"):
        return int(value.numerator), int(value.denominator)
    return int(getattr(value, "num", 0)), int(getattr(value, "den", 0))


def _fraction(ratio: _Ratio | None) -> Fraction | None:
    """The ratio as one number; None for 0:1 and the like."""
    return Fraction(*ratio) if ratio is not None and min(ratio) > 0 else None


def _orientation(picture: VideoFrame) -> Orientation | None:
    """What a picture's display matrix says; None where it has none."""
    try:
        every: Any = picture.side_data
        data = every.get("DISPLAYMATRIX") if len(every) else None
        matrix = None if data is None else np.frombuffer(data, np.int32)
    except (
        Exception
    ):  # side data of a kind that this PyAV does not know: whatever it raises, the picture is good
        return Orientation.from_clockwise(-round(getattr(picture, "rotation", 0)))
    return None if matrix is None or len(matrix) < 9 else Orientation.from_display_matrix(matrix)


class Shapes:
    """Decides in which size pictures are delivered when their size changes on the way.

    A shape that was delivered before is delivered in the size it had then, so that a change of resolution
    alone changes nothing; another shape is delivered as it is.
    """

    def __init__(self) -> None:
        self._delivered: list[tuple[int, int]] = []
        self._last: tuple[tuple[int, int], tuple[int, int]] | None = None
        self._display: Display | None = None
        self._changes: list[str] = []

    @property
    def notes(self) -> tuple[str, ...]:
        """What has changed so far, a sentence each."""
        more = len(self._changes) - _NAMED_CHANGES
        rest = (f"the size of the picture changes {more} more times",) if more > 0 else ()
        return (*self._changes[:_NAMED_CHANGES], *rest)

    def size_for(self, display: Display, index: int, time_s: float) -> tuple[int, int]:
        """Width and height in which a picture is to be delivered, upright.

        Parameters
        ----------
        display
            How the picture is displayed.
        index, time_s
            Its position in the source and its time, for the notes.
        """
        if self._last is not None and display is self._display:
            return self._last[1]
        own, self._display = display.size, display
        if self._last is not None and own == self._last[0]:
            return self._last[1]
        size = next((known for known in self._delivered if _same_shape(own, known)), own)
        if size == own and own not in self._delivered:
            self._delivered.append(own)
        if self._last is not None:
            self._changes.append(_change(index, time_s, own, size, self._last[1]))
        self._last = (own, size)
        return size


def _same_shape(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return abs(a[0] * b[1] / (a[1] * b[0]) - 1) < _SAME_SHAPE


def _change(
    index: int, time_s: float, own: tuple[int, int], size: tuple[int, int], before: tuple[int, int]
) -> str:
    """A sentence for users, whose tables count frames from 1."""
    begin = f"from frame {index + 1} on ({time_s:.2f} s) the picture is {own[0]}x{own[1]} px"
    if size == before:
        return f"{begin}; it has the same shape and is analysed as {size[0]}x{size[1]}"
    scaled = "" if size == own else f", analysed as {size[0]}x{size[1]},"
    return f"{begin}{scaled} instead of {before[0]}x{before[1]}"

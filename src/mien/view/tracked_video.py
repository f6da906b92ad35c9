"""Videos of drawn pictures, written as they come."""

from __future__ import annotations

import math
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from mien.errors import OptionError
from mien.results.files import WholePath

_DEFAULT_FPS = 30.0
_TICKS_PER_S = 90000
_LIMITED_RANGE, _BT601, _BT709 = 1, 6, 1


class _Codec:
    """How a container's pictures are encoded."""

    def __init__(self, container: str, name: str, *, any_times: bool, **options: str) -> None:
        self.container, self.name, self.any_times, self.options = container, name, any_times, options


_H264 = {"crf": "20", "preset": "veryfast"}
_CODECS = {
    ".mp4": _Codec("mp4", "libx264", any_times=True, **_H264),
    ".mov": _Codec("mov", "libx264", any_times=True, **_H264),
    ".mkv": _Codec("matroska", "libx264", any_times=True, **_H264),
    ".avi": _Codec("avi", "mpeg4", any_times=False),
}
"""By the ending of the file's name; .avi is OpenFace's (FourCC DIVX), which has no time stamps."""
_MPEG4_BITS_PER_PIXEL = 0.25


class TrackedVideoWriter(WholePath):
    """Encodes pictures one after the other; the file appears when it is complete.

    H.264 in the containers that know time stamps: pictures keep theirs. Pictures with an odd number of rows
    or columns get one more, a copy of the last, as video needs even numbers. Without any picture no file is
    written. A video has one size, the first picture's: others are shown as large as fits into it, on black.

    Parameters
    ----------
    path
        The file; its ending chooses the container: .mp4, .mov, .mkv or .avi.
    fps
        Nominal frames per second; 30 where that is not a positive number.
    threads
        Threads of the encoder; 0 leaves it to the encoder.

    Raises
    ------
    OptionError
        The ending is unknown.
    OutputError
        The file can't be written there.
    """

    def __init__(self, path: str | Path, *, fps: float, threads: int = 0) -> None:
        codec = _CODECS.get(Path(path).suffix.lower())
        if codec is None:
            raise OptionError(f"{path}: expected a name that ends in {', '.join(_CODECS)}")
        self._codec = codec
        usable = fps if math.isfinite(fps) and fps > 0 else _DEFAULT_FPS
        self._fps = Fraction(usable).limit_denominator(100000)
        self._threads = threads
        self._container: Any = None
        self._stream: Any = None
        self._count, self._last = 0, -1
        super().__init__(path)

    def append(self, bgr: NDArray[np.uint8], time_s: float | None = None) -> None:
        """Encode one picture.

        Parameters
        ----------
        bgr
            (H, W, 3) uint8, channels blue, green, red.
        time_s
            When it is shown, in seconds. Without it, or where it does not come after that of the picture
            before, one interval of the nominal rate after that.

        Raises
        ------
        OutputError
            The picture can't be written.
        """
        height, width = bgr.shape[:2]
        if height % 2 or width % 2:
            bgr = np.pad(bgr, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        with self.naming_errors():
            if self._container is None:
                self._start(bgr.shape[1], bgr.shape[0])
            elif (self._stream.height, self._stream.width) != bgr.shape[:2]:
                bgr = _on_black(bgr, self._stream.width, self._stream.height)
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(bgr), format="bgr24")
            picture.time_base = self._time_base
            picture.pts = self._last = self._tick(time_s)
            self._container.mux(self._stream.encode(picture))
        self._count += 1

    def close(self, path: str | Path | None = None) -> None:
        """Complete the file, under another name in its folder if ``path`` says so."""
        if self._container is None:
            self.abort()
        else:
            super().close(path)

    def _finish(self, path: Path) -> None:
        self._container.mux(self._stream.encode())
        self._container.close()
        self._container = None
        super()._finish(path)

    def _remove(self) -> None:
        container, self._container = self._container, None
        with suppress(OSError):
            if container is not None:
                container.close()
        super()._remove()

    @property
    def _time_base(self) -> Fraction:
        return Fraction(1, _TICKS_PER_S) if self._codec.any_times else 1 / self._fps

    def _tick(self, time_s: float | None) -> int:
        """Time stamp of the next picture."""
        step = max(1, round(1 / self._fps / self._time_base))
        following = self._last + step if self._count else 0
        if not self._codec.any_times or time_s is None or not math.isfinite(time_s):
            return following
        tick = round(time_s / self._time_base)
        return tick if tick > self._last else following

    def _start(self, width: int, height: int) -> None:
        codec = self._codec
        options = {"movflags": "+faststart"} if codec.container in ("mp4", "mov") else {}
        self._container = av.open(str(self.temporary), "w", format=codec.container, options=options)
        stream: Any = self._container.add_stream(codec.name, rate=self._fps, options=dict(codec.options))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        context = stream.codec_context
        context.thread_count = self._threads
        context.time_base = stream.time_base = self._time_base
        # what FFmpeg's default conversion from RGB gives
        context.color_range, context.colorspace, context.color_primaries = _LIMITED_RANGE, _BT601, _BT709
        if codec.name == "mpeg4":
            context.codec_tag = "DIVX"
            context.bit_rate = int(_MPEG4_BITS_PER_PIXEL * width * height * self._fps)
        self._stream = stream


def _on_black(bgr: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """A picture as large as fits into another size, in its middle."""
    from PIL import Image

    by = min(width / bgr.shape[1], height / bgr.shape[0])
    size = max(1, round(bgr.shape[1] * by)), max(1, round(bgr.shape[0] * by))
    small = Image.fromarray(np.ascontiguousarray(bgr)).resize(size, Image.Resampling.BILINEAR)
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    out = np.zeros((height, width, 3), np.uint8)
    out[top : top + size[1], left : left + size[0]] = np.asarray(small)
    return out

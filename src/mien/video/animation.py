"""Animated WebP and AVIF pictures as videos, through Pillow: FFmpeg does not read all of them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mien.datatypes import Frame
from mien.errors import OptionError, SourceError
from mien.video.source import FrameSource, SourceInfo, frame_of
from mien.video.stills import check_size, rgb_of

FORMATS = ("WEBP", "AVIF")
_SHORTEST_MS, _INSTEAD_MS = 10, 100
"""Browsers show pictures that ask for no more than the first for the second; so do we."""


class Animation(FrameSource):
    """An animated picture as a source of frames, each at the time at which it is shown.

    Parameters and errors are those of `mien.video.file.VideoFile`; with "openface" frames last as long as the
    first.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        compat: str | None = None,
        start_s: float = 0.0,
        end_s: float | None = None,
    ) -> None:
        self._start_s, self._end_s = start_s, math.inf if end_s is None else end_s
        if not 0.0 <= start_s < self._end_s:
            raise OptionError(f"expected 0 <= start < end, got start {start_s} s and end {end_s} s")
        self._path, self._nominal = Path(path), compat is not None
        self._lost = ""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._image = Image.open(self._path, formats=FORMATS)
            self._count = int(getattr(self._image, "n_frames", 1))
        except Exception as error:
            raise SourceError(f"{self._path} is not an animation that can be read: {error}") from error
        try:
            check_size(self._path, *self._image.size)
            fps = 1000 / self._first_ms()
        except BaseException:
            self.close()
            raise
        self._info = SourceInfo(self._path.name, self._path, *self._image.size, fps, self._count)

    @property
    def info(self) -> SourceInfo:
        """Name, size, number of frames; the rate is that of the first frame."""
        return self._info

    @property
    def lost(self) -> str:
        """How many frames could not be read; empty when all could."""
        return self._lost

    def __iter__(self) -> Iterator[Frame]:
        """Deliver the wanted frames in order."""
        time_s = 0.0
        for index in range(self._count):
            try:
                bgr, shown_ms = self._read(index)
            except Exception as error:  # decoders raise whatever they stumble over
                self._lost = f"{self._count - index} of {self._count} frames could not be read ({error})"
                return
            if self._nominal:
                time_s = index * (1.0 / self._info.fps)
            if time_s >= self._end_s:
                return
            if time_s >= self._start_s:
                yield frame_of(bgr, index, time_s)
            time_s += shown_ms / 1000

    def close(self) -> None:
        """Close the file; may be called more than once."""
        self._image.close()

    def _read(self, index: int) -> tuple[NDArray[np.uint8], float]:
        self._image.seek(index)
        self._image.load()
        rgb = rgb_of(self._image)
        return np.ascontiguousarray(rgb[..., ::-1]), self._duration_ms()

    def _duration_ms(self) -> float:
        shown_ms = float(self._image.info.get("duration") or 0)
        return shown_ms if shown_ms > _SHORTEST_MS else _INSTEAD_MS

    def _first_ms(self) -> float:
        try:
            self._image.load()
        except Exception as error:
            raise SourceError(f"{self._path}: no frame could be decoded: {error}") from error
        return self._duration_ms()

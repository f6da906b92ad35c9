"""A picture to draw on: antialiased lines, dots, boxes and text in units of pixels."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from mien.view import kernels

Colour = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""


class Canvas:
    """Draws on a picture in place.

    Coordinates are px, the origin at the centre of the top-left pixel. What lies outside is not drawn; points
    that are not finite are left out.

    Parameters
    ----------
    bgr
        (H, W, 3) uint8, channels blue, green, red, C-contiguous; it is changed.
    """

    def __init__(self, bgr: NDArray[np.uint8]) -> None:
        self.bgr = bgr
        self.height, self.width = bgr.shape[:2]
        self._cover = np.zeros((self.height, self.width), np.uint8)
        self._spans = np.empty((self.height, 2), np.int64)

    def on(self, bgr: NDArray[np.uint8]) -> Canvas:
        """Draw on another picture of the same size from now on."""
        if bgr.shape != self.bgr.shape:
            raise ValueError(f"expected a picture {self.bgr.shape}, got {bgr.shape}")
        self.bgr = bgr
        return self

    def segments(
        self, ends: NDArray[Any], width: float | NDArray[Any], colour: Colour, opacity: float = 1.0
    ) -> None:
        """Draw straight lines with round ends as one shape.

        Parameters
        ----------
        ends
            (n, 2, 2): two points each.
        width
            Of all lines, or (n, 2) at both ends of each, px.
        colour, opacity
            Opacity from 0 to 1.
        """
        lines = np.empty((len(ends), 6), np.float32)
        lines[:, :4] = np.reshape(ends, (-1, 4))
        lines[:, 4:] = width
        lines[:, 4:] *= 0.5
        kernels.strokes(self.bgr, self._cover, self._spans, lines, _bgr(colour), float(opacity))

    def path(
        self,
        points: NDArray[Any],
        width: float,
        colour: Colour,
        opacity: float = 1.0,
        *,
        closed: bool = False,
    ) -> None:
        """Draw a line through points (n, 2)."""
        self.segments(chain(points, closed=closed), width, colour, opacity)

    def dots(self, points: NDArray[Any], diameter: float, colour: Colour, opacity: float = 1.0) -> None:
        """Draw a filled circle at each of the points (n, 2)."""
        self.segments(np.repeat(np.asarray(points)[:, None], 2, axis=1), diameter, colour, opacity)

    def box(
        self,
        left: float,
        top: float,
        right: float,
        bottom: float,
        colour: Colour,
        opacity: float = 1.0,
        *,
        radius: float = 0.0,
    ) -> None:
        """Fill a rectangle, given by its edges, with round corners."""
        corners = np.array((left, top, right, bottom), np.float32)
        kernels.box(self.bgr, corners, float(radius), _bgr(colour), float(opacity))

    def text(
        self,
        x: float,
        middle: float,
        text: str,
        size: int,
        colour: Colour,
        opacity: float = 1.0,
        *,
        align: float = 0.0,
    ) -> None:
        """Write one line.

        Parameters
        ----------
        x
            Where the line begins (``align`` 0), has its middle (0.5) or ends (1).
        middle
            Height of the middle of capital letters.
        text, size
            What to write, and the font's size, px.
        colour, opacity
            Opacity from 0 to 1.
        align
            See ``x``.
        """
        mask, rise = _text_mask(text, size)
        left = round(float(x) - align * mask.shape[1])
        kernels.stamp(self.bgr, mask, left, round(float(middle)) - rise, _bgr(colour), float(opacity))


def chain(points: NDArray[Any], *, closed: bool = False) -> NDArray[Any]:
    """Segments (m, 2, 2) between neighbours of points (n, 2); back to the first if ``closed``."""
    count = len(points) - 1 + closed
    ends = np.empty((count, 2, 2), points.dtype)
    ends[:, 0], ends[: len(points) - 1, 1] = points[:count], points[1:]
    if closed:
        ends[-1, 1] = points[0]
    return ends


def text_width(text: str, size: int) -> int:
    """Width of one line of text, px."""
    return int(_text_mask(text, size)[0].shape[1])


@lru_cache(maxsize=512)
def _bgr(colour: Colour) -> NDArray[np.uint8]:
    return np.array(colour[::-1], np.uint8)


@lru_cache(maxsize=32)
def _font(size: int) -> Any:
    return ImageFont.load_default(size)


_FINER = 4
"""Text is drawn larger and averaged: letters at their true distances, not fitted to pixels."""


@lru_cache(maxsize=4096)
def _text_mask(text: str, size: int) -> tuple[NDArray[np.uint8], int]:
    """Coverage of a line of text, (h, w) uint8, and how far the capitals' middle lies below its top."""
    font = _font(size * _FINER)
    ascent, descent = font.getmetrics()
    _, top, _, bottom = font.getbbox("H")
    # the capitals' middle falls on the middle of a row
    rise = round((top + bottom) / 2 / _FINER)
    start = rise * _FINER + _FINER // 2 - round((top + bottom) / 2)
    image = Image.new("L", (max(1, round(font.getlength(text))), start + ascent + descent))
    ImageDraw.Draw(image).text((0, start), text, fill=255, font=font)
    return np.asarray(image.reduce(_FINER)).copy(), rise


def enlarge(bgr: NDArray[np.uint8], zoom: int) -> NDArray[np.uint8]:
    """A picture (H, W, 3) ``zoom`` times as large, with linear interpolation; itself where that is 1."""
    if zoom == 1:
        return bgr
    size = (bgr.shape[1] * zoom, bgr.shape[0] * zoom)
    return np.asarray(Image.fromarray(np.ascontiguousarray(bgr)).resize(size, Image.Resampling.BILINEAR))


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """A colour between two: ``one`` at share 0, ``other`` at share 1."""
    share = min(max(share, 0.0), 1.0)
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def bounds(points: NDArray[Any]) -> Sequence[float]:
    """Left, top, right and bottom of the finite ones of points (n, 2); zeros if there are none."""
    finite = points[np.isfinite(points).all(axis=1)]
    if not len(finite):
        return [0.0] * 4
    return [*finite.min(axis=0).tolist(), *finite.max(axis=0).tolist()]

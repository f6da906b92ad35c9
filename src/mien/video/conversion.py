"""From the pixels that a decoder gives to blue, green and red: one conversion for all sources.

Chroma that is stored more coarsely than luma is enlarged by bicubic interpolation, as OpenCV's reader does;
PyAV's own default is bilinear, which differs for odd heights, 10-bit 4:2:0, 4:1:1 and 4:1:0 by up to 47 grey
levels.
"""

from __future__ import annotations

from typing import Any

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

_MODERN = int(av.__version__.partition(".")[0]) >= 17
"""From this version on PyAV follows marks of colour by itself, and converts in several threads by default."""

_BT709, _FCC, _BT601, _SMPTE240M, _BT2020 = 1, 4, 5, 7, 9
"""Matrices by the numbers that FFmpeg gives them; everything else counts as BT.601, as in libswscale."""
_LARGEST_BUFFER = 32_000_000
_LIMITED, _FULL = 1, 2
"""Ranges by FFmpeg's numbers: 16 to 235, and 0 to 255."""


class BgrConversion:
    """Converts the pictures of one source; it keeps what libswscale prepares for their format and size.

    Parameters
    ----------
    follow_marks
        Whether the stream's marks of colour matrix (BT.709, BT.2020 …) and range decide, as in players and in
        today's OpenCV 4. Else all is BT.601, and the pixel format alone decides about the range, as in the
        OpenCV that OpenFace was built with.
    """

    def __init__(self, *, follow_marks: bool = True) -> None:
        self._follow_marks = follow_marks
        self._reformatter = VideoReformatter()
        self._largest = 0

    def __call__(self, picture: VideoFrame, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
        """Convert a picture.

        Parameters
        ----------
        picture
            As decoded, in any pixel format.
        size
            Wanted width and height in px, where it is not the picture's own.

        Returns
        -------
        ndarray
            (H, W, 3) uint8, C-contiguous, channels blue, green, red.
        """
        width, height = size or (picture.width, picture.height)
        converted = self._reformatter.reformat(
            picture,
            width=width,
            height=height,
            format="bgr24",
            interpolation=Interpolation.BICUBIC,
            **self._colour(picture),
        ).to_ndarray()
        if converted.nbytes > self._largest:
            self._largest = converted.nbytes
            _keep_buffers(converted.nbytes)
        return np.ascontiguousarray(converted, np.uint8)

    def _colour(self, picture: VideoFrame) -> dict[str, Any]:
        if _MODERN and self._follow_marks:
            return {"threads": 1}
        name = picture.format.name
        if _MODERN:
            if not name.startswith("yuv"):
                return {"threads": 1}
            stored_range = _FULL if name.startswith("yuvj") else _LIMITED
            matrix = {"src_colorspace": _BT601, "dst_colorspace": _BT601, "src_color_range": stored_range}
            return {"threads": 1, **matrix}
        return _marks_of(picture) if self._follow_marks and name.startswith("yuv") else {}


def _keep_buffers(size: int) -> None:
    """Have glibc keep the memory of pictures of this size, in bytes, for the next ones.

    It gives large buffers back to the system when they are freed, and fetching their pages anew costs a
    millisecond for every frame of 1080x720 px. What counts as large is learned from the largest buffer that
    was freed, up to 32 MiB. This one is never touched, so it takes no memory.
    """
    np.empty(min(4 * size, _LARGEST_BUFFER), np.uint8)


def _marks_of(picture: VideoFrame) -> dict[str, Any]:
    """What older versions of PyAV must be told about a picture's colours; nothing where they guess right."""
    full = picture.color_range == _FULL or picture.format.name.startswith("yuvj")
    known = (_BT709, _FCC, _SMPTE240M)
    matrix = int(picture.colorspace)
    if matrix not in known and (not full or picture.format.name.startswith("yuvj")):
        return {}
    matrix = matrix if matrix in known else _BT601
    # They look at the source's matrix and range only if the target's differ, which mean nothing for colours.
    other = _BT709 if matrix == _BT601 else _BT601
    return {
        "src_colorspace": matrix,
        "dst_colorspace": other,
        "src_color_range": _FULL if full else 0,
        "dst_color_range": 0,
    }

"""The picture that a live page shows: a JPEG without any drawing, or none at all."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mien.datatypes import FaceResult
from mien.errors import OptionError
from mien.view.anonymous import AnonymousDrawer
from mien.view.drawing import MODES

_QUALITY = 80
_WIDEST_PX = 1280
"""Wider pictures are made smaller: no page shows more."""


class PictureMaker:
    """Makes the pictures of one source into JPEG.

    Parameters
    ----------
    anonymous
        How faces are hidden: "blur", "black" (no picture is made at all), or None; see
        `mien.view.anonymous`.

    Raises
    ------
    OptionError
        Faces are to be hidden in another way.
    """

    def __init__(self, anonymous: str | None = None) -> None:
        if anonymous not in (None, *MODES):
            raise OptionError(f"anonymous: expected one of {', '.join(MODES)}, got {anonymous!r}")
        self._black = anonymous == "black"
        self._hide: AnonymousDrawer | None = None
        if anonymous == "blur":
            from mien.packs.open import all_face_boxes

            self._hide = AnonymousDrawer(_NothingDrawn(), anonymous, all_face_boxes())

    def make(self, bgr: NDArray[np.uint8], face: FaceResult) -> bytes:
        """A picture as JPEG.

        Parameters
        ----------
        bgr
            (H, W, 3) uint8, channels blue, green, red.
        face
            What was found in it.

        Returns
        -------
        bytes
            At most 1280 px wide; empty where nothing of the picture may be seen.
        """
        if self._black:
            return b""
        shown = bgr if self._hide is None else self._hide.draw(bgr, [face])
        height, width = shown.shape[:2]
        data = np.ascontiguousarray(shown)
        image = Image.frombuffer("RGB", (width, height), data, "raw", "BGR", 0, 1)
        if width > _WIDEST_PX:
            image = image.resize((_WIDEST_PX, round(height * _WIDEST_PX / width)), Image.Resampling.BOX)
        written = io.BytesIO()
        image.save(written, "JPEG", quality=_QUALITY)
        return written.getvalue()


class _NothingDrawn:
    """The picture as it is."""

    def draw(
        self, bgr: NDArray[np.uint8], faces: Sequence[FaceResult], notes: Sequence[str] = ()
    ) -> NDArray[np.uint8]:
        """The picture itself."""
        return bgr

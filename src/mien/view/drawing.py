"""Which drawing is wanted, and the object that makes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import Camera, FaceResult
from mien.errors import OptionError

STYLES = ("mien", "openface")
MODES = ("blur", "black")
"""How faces are hidden, see `mien.view.anonymous`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawingOptions:
    """How results are drawn over pictures.

    Attributes
    ----------
    style
        "mien", or "openface" for pictures of the original size that look like OpenFace's.
    file_format
        Ending of the file: "mp4", "mov", "mkv" or "avi" for videos; "jpg", "png" and so on for single images.
        None takes "mp4" ("avi" in OpenFace's style) and "jpg".
    panel
        Whether the style "mien" shows bars beside the picture.
    faces
        Faces that the panel shows at the same time, 1 to 4.
    zoom
        Size of the drawing in sizes of the picture; None enlarges small ones.
    anonymous
        "blur" leaves a few mean colours of every face, and of the whole picture where a face may be that is
        not found; "black" leaves nothing of the picture but landmarks; None leaves it as it is.

    Raises
    ------
    OptionError
        A value is not among those.
    """

    style: str = "mien"
    file_format: str | None = None
    panel: bool = True
    faces: int = 1
    zoom: int | None = None
    anonymous: str | None = None

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            raise OptionError(f"drawing style: expected one of {', '.join(STYLES)}, got {self.style!r}")
        if self.anonymous not in (None, *MODES):
            raise OptionError(f"anonymous: expected one of {', '.join(MODES)}, got {self.anonymous!r}")
        if self.zoom is not None and not 1 <= self.zoom <= 8:
            raise OptionError(f"zoom of the drawing: expected 1 to 8, got {self.zoom}")
        if not 1 <= self.faces <= 4:
            raise OptionError(f"faces in the panel: expected 1 to 4, got {self.faces}")


class Drawer(Protocol):
    """Draws faces over the pictures of one source."""

    def draw(
        self, bgr: NDArray[np.uint8], faces: Sequence[FaceResult], notes: Sequence[str] = ()
    ) -> NDArray[np.uint8]:
        """Draw the faces of a picture.

        Parameters
        ----------
        bgr
            (H, W, 3) uint8, channels blue, green, red; it is not changed.
        faces
            What was found in it.
        notes
            Lines of text for a corner.

        Returns
        -------
        ndarray
            (H', W', 3) uint8.
        """
        ...


def make_drawer(options: DrawingOptions, camera: Camera, *, single_image: bool = False) -> Drawer:
    """The object that draws as the options ask.

    Parameters
    ----------
    options
        What is wanted.
    camera
        Intrinsics of the pictures.
    single_image
        Whether the pictures are independent of each other.
    """
    drawer: Drawer
    if options.style == "openface":
        from mien.view.openface_style import OpenFaceOverlay

        drawer = OpenFaceOverlay(camera, single_image=single_image)
    else:
        from mien.view.overlay import Overlay

        drawer = Overlay(camera, zoom=options.zoom, panel=options.panel, faces=options.faces)
    if options.anonymous is None:
        return drawer
    from mien.packs.open import all_face_boxes
    from mien.view.anonymous import AnonymousDrawer

    return AnonymousDrawer(drawer, options.anonymous, all_face_boxes())

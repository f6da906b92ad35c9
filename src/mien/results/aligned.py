"""Folders of aligned faces, named as OpenFace does (docs/algorithms/output-table.md#aligned-faces)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.errors import OptionError
from mien.results.columns import Form
from mien.results.files import WholeFolder
from mien.results.picture_files import picture_suffix, write_picture

DEFAULT_SIZE, DEFAULT_SCALE = 112, 0.7
"""Size (px) and scale (px per mm) of the aligned faces that action units are read from."""

MOST_SIZE, MOST_SCALE = 4096, 100
"""The largest that can be asked for: a face fills 4096 px at 20 px per mm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedOptions:
    """What aligned faces look like (docs/algorithms/alignment-and-fhog.md#other-sizes).

    Attributes
    ----------
    size
        Width and height, px.
    scale
        Px per mm of the mean face; None takes 0.7 for 112 px and proportionally for other sizes.
    mask
        Whether all but the face is black.
    gray
        Whether they are grey.
    picture_format
        "bmp", "png", "jpg" or another format that Pillow knows.
    keep_failed
        Whether failed frames give a picture, which is black.

    Raises
    ------
    OptionError
        Size or scale are not positive, or the format is unknown.
    """

    size: int = DEFAULT_SIZE
    scale: float | None = None
    mask: bool = True
    gray: bool = False
    picture_format: str = "bmp"
    keep_failed: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.size <= MOST_SIZE:
            raise OptionError(f"aligned faces: expected a size of 1 to {MOST_SIZE} px, got {self.size}")
        if not 0 < self.px_per_mm <= MOST_SCALE:
            raise OptionError(
                f"aligned faces: expected a scale above 0, at most {MOST_SCALE} px per mm, got {self.scale}"
            )
        picture_suffix(self.picture_format)

    @property
    def px_per_mm(self) -> float:
        """The scale in use."""
        return self.size * DEFAULT_SCALE / DEFAULT_SIZE if self.scale is None else self.scale

    @property
    def as_analysed(self) -> bool:
        """Whether these are the faces that action units are read from, so that no other warp is needed."""
        return (self.size, self.px_per_mm, self.mask) == (DEFAULT_SIZE, DEFAULT_SCALE, True)


class AlignedWriter(WholeFolder):
    """Writes aligned faces into a folder, which appears when it is complete.

    Parameters
    ----------
    folder
        The folder; new files are moved into it where it exists.
    form
        "sequence" names files by identity and frame, "image" by the number of the face.
    picture_format
        As in `AlignedOptions`.

    Raises
    ------
    OutputError
        The folder can't be made.
    OptionError
        The format is unknown.
    """

    def __init__(
        self, folder: str | Path, *, form: Form | str = Form.SEQUENCE, picture_format: str = "bmp"
    ) -> None:
        self._suffix = picture_suffix(picture_format)
        self._form = Form(form)
        super().__init__(folder)

    def append(self, image: NDArray[np.uint8], frame: int, face_id: int) -> None:
        """Write one face.

        Parameters
        ----------
        image
            (size, size, 3) uint8, channels blue, green, red; or (size, size) uint8.
        frame
            Number of the frame, counted from 0; the names of files count from 1. Of no account for images.
        face_id
            Identity of the face, or its number in the image, counted from 0.

        Raises
        ------
        OutputError
            The file can't be written.
        """
        name = f"frame_det_{face_id:02d}_{frame + 1:06d}"
        if self._form is Form.IMAGE:
            name = f"face_det_{face_id:06d}"
        write_picture(image, self.temporary / f"{name}.{self._suffix}")

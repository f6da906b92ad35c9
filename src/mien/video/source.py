"""What a source of pictures looks like to the rest of the program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import Frame

VIDEO_SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".wmv", ".mpg", ".mpeg"),
    *(".flv", ".3gp", ".ts", ".mts", ".m2ts", ".ogv", ".mjpeg", ".asf", ".vob", ".mxf"),
)
"""Endings by which videos are known among other files."""
IMAGE_SUFFIXES = (
    *(".jpg", ".jpeg", ".jfif", ".jpe", ".png", ".webp", ".bmp", ".tif", ".tiff"),
    *(".heic", ".heif", ".hif", ".avif", ".gif"),
)
"""Endings of files that count as pictures, in any case."""
_MAY_MOVE = (".png", ".webp", ".avif", ".gif")


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What is known about a source before its first frame is analysed.

    Attributes
    ----------
    name
        Short name for messages and tables, such as "clip.mp4".
    path
        The file, where there is one.
    width, height
        Size of the delivered frames in px, after rotation.
    fps
        Nominal frames per second; 30 where the source does not say.
    frame_count
        Estimated number of frames that will be delivered, or None where it can't be known.
    rotation_deg
        Clockwise turn that has been applied to the stored pictures: 0, 90, 180 or 270.
    camera
        Whether it is a camera, which has no end.
    pixel_aspect
        Width of a stored pixel in units of its height, as far as it was made square for delivery; else 1.
    """

    name: str
    path: Path | None
    width: int
    height: int
    fps: float
    frame_count: int | None
    rotation_deg: int = 0
    camera: bool = False
    pixel_aspect: float = 1.0


class FrameSource(Protocol):
    """A source of frames: iterate it once, inside a ``with`` block.

    Iteration delivers frames in order, in constant memory. Parts that can't be decoded are
    skipped; once iteration has ended, ``lost`` says what they were.
    """

    @property
    def info(self) -> SourceInfo:
        """Size, rate and length of the source."""
        ...

    @property
    def lost(self) -> str:
        """What could not be read so far, as one sentence; empty when nothing was lost."""
        return ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What else a user should know, a sentence each: a changed size, numbers missing in a sequence."""
        return ()

    def __iter__(self) -> Iterator[Frame]:
        """Deliver the frames. Their size may change on the way."""
        ...

    def close(self) -> None:
        """Release the file or device, where there is one to release; may be called more than once."""
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def frame_of(bgr: NDArray[np.uint8], index: int = 0, time_s: float = 0.0) -> Frame:
    """Frame from a picture (H, W, 3) uint8, C-contiguous, blue, green, red."""
    # Sources are asked about where nothing is computed: Numba is not imported for that.
    from mien.imaging import kernels

    gray = np.empty(bgr.shape[:2], np.uint8)
    kernels.bgr_to_gray(bgr, gray)
    return Frame(index, time_s, bgr, gray)


def are_pictures(path: str | Path) -> bool:
    """Whether a path is a folder, or a file whose name says that it is a picture; animations are videos."""
    path = Path(path)
    if path.is_dir():
        return True
    suffix = path.suffix.lower()
    if suffix in _MAY_MOVE and path.is_file():
        from mien.video.stills import is_animation

        return not is_animation(path)
    return suffix in IMAGE_SUFFIXES

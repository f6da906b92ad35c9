"""Videos whose motion is known exactly: a portrait that pans, zooms and rolls over a canvas.

They show that everything works where no video is at hand, and let a test compare what was measured with
what is true.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mien.errors import OutputError

BACKGROUND = (90, 96, 104)
"""Colour of the canvas where the picture does not reach."""


@dataclass(frozen=True, slots=True)
class KnownMotion:
    """Similarities that place a picture on a canvas, one per frame.

    A point p of the picture lies at anchor + scale R(roll) (p - picture_anchor) + shift, in px.

    Attributes
    ----------
    roll_rad
        (N,) float64, positive clockwise on the screen.
    scale
        (N,) float64, px of the canvas per px of the picture.
    shift
        (N, 2) float64, px.
    anchor
        The canvas point that the picture's anchor lies on where the shift is zero.
    picture_anchor
        The picture's point about which it rolls and zooms.
    """

    roll_rad: NDArray[np.float64]
    scale: NDArray[np.float64]
    shift: NDArray[np.float64]
    anchor: tuple[float, float]
    picture_anchor: tuple[float, float]

    def __len__(self) -> int:
        return len(self.roll_rad)

    def matrix(self, frame: int) -> NDArray[np.float64]:
        """Map from the picture to the canvas.

        Parameters
        ----------
        frame
            Number of the frame.

        Returns
        -------
        ndarray
            (2, 3) float64.
        """
        c, s = (self.scale[frame] * f(self.roll_rad[frame]) for f in (math.cos, math.sin))
        linear = np.array([[c, -s], [s, c]])
        offset = np.array(self.anchor) + self.shift[frame] - linear @ np.array(self.picture_anchor)
        return np.column_stack([linear, offset])


def portrait_motion(frames: int, *, scale: float = 1.0) -> KnownMotion:
    """Motion of the demonstration: pan by 60 and 15 px, zoom by a quarter, roll by 15 degrees.

    It starts and ends at rest position, and every part of it has its own period.

    Parameters
    ----------
    frames
        Number of frames.
    scale
        Mean scale, px of the canvas per px of the portrait.

    Returns
    -------
    KnownMotion
        For a portrait of 512x512 px on a canvas of 640x480 px; the portrait's anchor is the face.
    """
    turn = 2 * math.pi * np.arange(frames) / frames
    return KnownMotion(
        roll_rad=np.radians(15) * np.sin(turn),
        scale=scale * (1 + 0.25 * np.sin(2 * turn)),
        shift=np.column_stack([60 * np.sin(turn), 15 * np.sin(3 * turn)]),
        anchor=(320.0, 220.0),
        picture_anchor=(225.0, 120.0),
    )


def render(
    picture: Image.Image | Iterable[Image.Image], motion: KnownMotion, size: tuple[int, int]
) -> Iterator[NDArray[np.uint8]]:
    """Draw the frames.

    Parameters
    ----------
    picture
        What moves; of one size, where it is another one in every frame.
    motion
        Where it is in every frame.
    size
        Width and height of the canvas, px.

    Yields
    ------
    ndarray
        (H, W, 3) uint8, RGB.
    """
    pictures = itertools.repeat(picture) if isinstance(picture, Image.Image) else picture
    for frame, shown in zip(range(len(motion)), pictures, strict=False):
        square = np.vstack([motion.matrix(frame), [0, 0, 1]])
        inverse = np.linalg.inv(square)
        # Pillow's origin is the corner of the top-left pixel, ours its centre
        inverse[:2, 2] += 0.5 - inverse[:2, :2] @ (0.5, 0.5)
        drawn = shown.convert("RGB").transform(
            size,
            Image.Transform.AFFINE,
            tuple(inverse[:2].ravel()),
            resample=Image.Resampling.BILINEAR,
            fillcolor=BACKGROUND,
        )
        yield np.asarray(drawn)


def write_video(frames: Iterable[NDArray[np.uint8]], path: Path, fps: int = 30) -> None:
    """Encode frames as H.264 in an MP4 file.

    Parameters
    ----------
    frames
        (H, W, 3) uint8, RGB, all of one size with even sides.
    path
        The file.
    fps
        Frames per second.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    import av

    try:
        with av.open(str(path), "w", format="mp4") as container:
            stream = container.add_stream("libx264", rate=fps, options={"crf": "18", "preset": "superfast"})
            stream.pix_fmt, stream.time_base = "yuv420p", Fraction(1, fps)
            for number, pixels in enumerate(frames):
                if number == 0:
                    stream.height, stream.width = pixels.shape[:2]
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            container.mux(stream.encode())
    except OSError as error:
        raise OutputError(f"{path}: the video cannot be written: {error}; choose another folder") from error


@dataclass(frozen=True, slots=True)
class FollowedMotion:
    """How far measured landmarks are from a known motion; N frames, NaN where nothing was measured.

    The landmarks of every frame are moved back to the picture; what is left of their motion is the error.

    Attributes
    ----------
    roll_error_deg
        (N,) float64.
    scale_error_percent
        (N,) float64.
    shift_error_px
        (N,) float64: distance on the canvas.
    """

    roll_error_deg: NDArray[np.float64]
    scale_error_percent: NDArray[np.float64]
    shift_error_px: NDArray[np.float64]


def follow(points: NDArray[np.floating], motion: KnownMotion) -> FollowedMotion:
    """Compare how landmarks moved with how the picture moved.

    Parameters
    ----------
    points
        (N, P, 2) px: landmarks of every frame, NaN where there are none.
    motion
        The truth.

    Returns
    -------
    FollowedMotion
    """
    # a similarity of the plane is z -> turn z + offset in complex numbers
    matrices = np.stack([motion.matrix(frame) for frame in range(len(motion))])
    turn = (matrices[:, 0, 0] + 1j * matrices[:, 1, 0])[:, None]
    offset = (matrices[:, 0, 2] + 1j * matrices[:, 1, 2])[:, None]
    seen = points[..., 0] + 1j * points[..., 1].astype(np.float64)
    still = (seen - offset) / turn
    middle = still.mean(axis=1)
    shape = still - middle[:, None]
    usual = np.nanmean(shape, axis=0)
    left = (shape * usual.conj()).sum(axis=1) / (np.abs(usual) ** 2).sum()
    return FollowedMotion(
        roll_error_deg=np.degrees(np.angle(left)),
        scale_error_percent=100 * (np.abs(left) - 1),
        shift_error_px=np.abs((middle - np.nanmean(middle)) * turn[:, 0]),
    )

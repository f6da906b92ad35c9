"""A video to try mien on: a portrait that moves in a known way, and how well a result follows it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mien.data import PORTRAIT
from mien.datatypes import Camera, FaceResult
from mien.errors import OutputError
from mien.results.picture_files import write_picture
from mien.video.known_motion import FollowedMotion, follow, portrait_motion, render, write_video
from mien.view.overlay import Overlay

FRAMES, FPS, SIZE = 120, 30, (640, 480)
SHOWN_FRAME = FRAMES // 4
"""Where roll and pan are largest."""


class Demonstration:
    """The files of one demonstration.

    Parameters
    ----------
    folder
        Where they go; made if needed.
    mirror
        Whether the video is flipped from left to right.

    Attributes
    ----------
    video
        The portrait in motion.
    truth
        How it moves, as JSON: frame (counted from 1), roll_deg, scale, shift_x_px, shift_y_px.
    table
        Where the result belongs.
    picture
        One frame with what was measured in it.

    Raises
    ------
    OutputError
        The folder cannot be made.
    """

    def __init__(self, folder: Path, *, mirror: bool = False) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"{folder}: expected a folder to write to, got {error}; name another with -o"
            ) from error
        self.video = folder / "portrait.mp4"
        self.truth = folder / "portrait.motion.json"
        self.table = folder / "portrait.csv"
        self.picture = folder / "portrait.overlay.png"
        self._motion = portrait_motion(FRAMES)
        self._mirror = mirror

    def make(self) -> None:
        """Write the video and the truth about it.

        Raises
        ------
        OutputError
            A file cannot be written.
        """
        sign = -1 if self._mirror else 1
        motion = self._motion
        truth = {
            "frame": list(range(1, len(motion) + 1)),
            "roll_deg": (sign * np.degrees(motion.roll_rad)).round(4).tolist(),
            "scale": motion.scale.round(6).tolist(),
            "shift_x_px": (sign * motion.shift[:, 0]).round(4).tolist(),
            "shift_y_px": motion.shift[:, 1].round(4).tolist(),
        }
        try:
            self.truth.write_text(json.dumps(truth), encoding="utf-8")
        except OSError as error:
            raise OutputError(f"{self.truth} cannot be written: {error}; name another folder") from error
        write_video(self._frames(), self.video, FPS)

    def follow(self, landmarks: NDArray[np.float32]) -> FollowedMotion:
        """Compare measured landmarks with the truth.

        Parameters
        ----------
        landmarks
            (N, P, 2) px, of every frame of the video.

        Returns
        -------
        FollowedMotion
        """
        if self._mirror:
            landmarks = landmarks.copy()
            landmarks[..., 0] = SIZE[0] - 1 - landmarks[..., 0]
        return follow(landmarks, self._motion)

    def draw(self, face: FaceResult, camera: Camera) -> None:
        """Write the picture.

        Parameters
        ----------
        face
            Result of one frame of the video.
        camera
            Intrinsics it was measured with.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        rgb = next(itertools.islice(self._frames(), face.frame, None))
        drawing = Overlay(camera, zoom=2).draw(rgb[..., ::-1], [face])
        write_picture(drawing, self.picture)

    def _frames(self) -> Iterator[NDArray[np.uint8]]:
        with Image.open(PORTRAIT) as portrait:
            for frame in render(portrait, self._motion, SIZE):
                yield np.ascontiguousarray(frame[:, ::-1]) if self._mirror else frame


def describe(followed: FollowedMotion) -> Sequence[str]:
    """Say in words how far the landmarks' motion is from the true one.

    Parameters
    ----------
    followed
        The comparison.

    Returns
    -------
    sequence of str
        One line each for roll, zoom and shift.
    """
    parts = (
        ("roll", followed.roll_error_deg, "°"),
        ("zoom", followed.scale_error_percent, " %"),
        ("shift", followed.shift_error_px, " px"),
    )
    return [
        f"Known {name} followed within {np.nanmean(np.abs(error)):.2f}{unit} on average, "
        f"{np.nanmax(np.abs(error)):.2f}{unit} at most."
        for name, error, unit in parts
    ]

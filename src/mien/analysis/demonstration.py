"""A video to try mien on: a portrait that moves and changes its expression in a known way.

It also says how well a result follows both.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mien.analysis.job_run import count_rows
from mien.analysis.outcome import Tally
from mien.analysis.videos import Analysis
from mien.analysis.watch import Watch
from mien.data import PORTRAIT
from mien.datatypes import Camera, FaceResult
from mien.errors import OutputError, StoppedError
from mien.models.open import CANNOT_SEE
from mien.options import AnalysisOptions
from mien.results.faces import faces_of
from mien.results.picture_files import write_picture
from mien.results.video_result import VideoResult
from mien.video.known_expression import SIDES, FollowedAction, express, follow_action, portrait_expression
from mien.video.known_motion import FollowedMotion, follow, portrait_motion, render, write_video
from mien.view.overlay import Overlay

FRAMES, FPS, SIZE = 180, 30, (640, 480)
SCALE = 1.6
SHOWN_FRAME = 40
"""In the middle of the smile, where roll and pan are large."""
STILL_LANDMARKS = [*range(17), *range(27, 36), 36, 39, 42, 45]
"""Jaw, nose and corners of the eyes: what the expression does not move."""
UNITS = {"smile": "AU12", "wink": "AU45", "brow": "AU02"}
"""Action unit by which an action of the portrait is followed."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a demonstration gave: the result, how long the analysis took (s), what the models can't see."""

    result: VideoResult
    seconds: float
    limits: str


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
        How it moves, as JSON: frame (counted from 1), roll_deg, scale, shift_x_px, shift_y_px; and how much
        of each action it shows, 0 to 1: smile_right, smile_left, wink_…, brow_….
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
        self._motion = portrait_motion(FRAMES, scale=SCALE)
        self._expression = portrait_expression(FRAMES)
        self._mirror = mirror

    def run(
        self, options: AnalysisOptions, *, watch: Watch | None = None, stopped: Event | None = None
    ) -> Shown:
        """Make the video, analyse it, and write the table and the picture.

        Parameters
        ----------
        options, watch, stopped
            As for `mien.analysis.jobs.run_job`.

        Raises
        ------
        StoppedError
            It was stopped before the end.
        MienError
            The models can't be read, or a file can't be written.
        """
        self.make()
        tally = Tally()
        with Analysis(self.video, options, stopped=stopped) as analysis:
            count_rows(analysis, tally, watch or Watch())
            if analysis.stopped:
                raise StoppedError("interrupted while the portrait was analysed")
            result = analysis.result()
            result.save(self.table)
            limits = CANNOT_SEE if analysis.pack.name == "open" else ""
            face = next(itertools.islice(faces_of(result), SHOWN_FRAME, None))
            self.draw(face, analysis.camera, limits)
        return Shown(result, tally.seconds, limits)

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
        truth |= {name: amounts.round(4).tolist() for name, amounts in self._actions().items()}
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
            (N, 68, 2) px, of every frame of the video; `STILL_LANDMARKS` are compared.

        Returns
        -------
        FollowedMotion
        """
        landmarks = landmarks[:, STILL_LANDMARKS]
        if self._mirror:
            landmarks[..., 0] = SIZE[0] - 1 - landmarks[..., 0]
        return follow(landmarks, self._motion)

    def follow_actions(self, result: VideoResult) -> dict[str, FollowedAction]:
        """Compare measured action units with the truth.

        Parameters
        ----------
        result
            Of every frame of the video.

        Returns
        -------
        dict
            By action and side, such as "smile, left"; by the action alone where the models tell no sides.
        """
        actions = self._actions()
        followed = {}
        for action, unit in UNITS.items():
            whole = np.mean([actions[f"{action}_{side}"] for side in SIDES], axis=0)
            sides = {f"{action}, {side}": (f"{unit}_{side}", actions[f"{action}_{side}"]) for side in SIDES}
            if not all(name in result.measures for name, _ in sides.values()):
                if result.au_intensity is None:
                    continue
                measured = result.au_intensity[:, result.au_intensity_names.index(unit)]
                followed[action] = follow_action(measured, whole)
                continue
            for name, (column, truth) in sides.items():
                followed[name] = follow_action(result.measures[column], truth)
        return followed

    def _actions(self) -> dict[str, NDArray[np.float64]]:
        """The true amounts; in a mirror left and right are exchanged."""
        other = {"right": "left", "left": "right"}
        amounts = self._expression.amounts
        if not self._mirror:
            return amounts
        parts = {name: name.rsplit("_", 1) for name in amounts}
        return {f"{action}_{other[side]}": amounts[name] for name, (action, side) in parts.items()}

    def draw(self, face: FaceResult, camera: Camera, note: str = "") -> None:
        """Write the picture.

        Parameters
        ----------
        face
            Result of one frame of the video.
        camera
            Intrinsics it was measured with.
        note
            Written into the picture.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        rgb = next(itertools.islice(self._frames(), face.frame, None))
        drawing = Overlay(camera, zoom=2).draw(rgb[..., ::-1], [face], [note] if note else [])
        write_picture(drawing, self.picture)

    def _frames(self) -> Iterator[NDArray[np.uint8]]:
        with Image.open(PORTRAIT) as file:
            portrait = np.asarray(file.convert("RGB"))
            for frame in render(self._expressions(portrait), self._motion, SIZE):
                yield np.ascontiguousarray(frame[:, ::-1]) if self._mirror else frame

    def _expressions(self, portrait: NDArray[np.uint8]) -> Iterator[Image.Image]:
        """The portrait of every frame; it is relaxed in most of them, which is drawn once."""
        drawn: dict[tuple[float, ...], Image.Image] = {}
        for frame in range(FRAMES):
            amounts = self._expression.at(frame)
            key = tuple(amounts.values())
            if key not in drawn:
                drawn = {key: Image.fromarray(express(portrait, amounts))}
            yield drawn[key]


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


def describe_actions(followed: Mapping[str, FollowedAction]) -> Sequence[str]:
    """Say in words how well action units follow the expression.

    Parameters
    ----------
    followed
        By action, as `Demonstration.follow_actions` gives them.

    Returns
    -------
    sequence of str
        One line per action.
    """
    return [
        f"Known {name} followed with r {action.correlation:.2f}, its onset {_late(action)}."
        for name, action in followed.items()
    ]


def _late(action: FollowedAction) -> str:
    late = np.abs(action.onsets)
    return f"within {late.max():.1f} frames" if np.isfinite(late).all() else "not always seen"

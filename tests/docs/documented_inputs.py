"""The files that the documentation's examples name, made of what is freely licensed.

They show the portrait that mien ships (Eileen Collins, NASA, public domain), which the open models recognise,
or a drawn face for synthetic models in the layout of OpenFace's.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from mien.analysis.demonstration import Demonstration
from mien.data import PORTRAIT
from mien.video.known_expression import express, portrait_expression
from mien.video.known_motion import portrait_motion, render
from mien.video.known_motion import write_video as write_portrait
from synthetic_face import Pose, picture
from synthetic_video import write_video as write_drawn

FRAMES, FPS = 40, 20
_SIZE = (480, 360)
_MP4 = ("clip", "interview", "talk", "rest", "smile", "phone", "A", "B", "C")
_AVI = ("clip", "interview")
_STUDY = ("p01/before.mp4", "p01/after.mp4", "p02/before.mp4", "p02/after.mp4")
_LIST = "file,person,session,condition\n" + "".join(
    f"{name},P0{number // 2 + 1},{number % 2 + 1},{('control', 'treatment')[number // 2]}\n"
    for number, name in enumerate(_STUDY)
)
_EPOCHS = "start,end,action\n0,0.4,BL\n0.5,1.2,BS\n1.3,1.9,BK\n"


def portrait_files(folder: Path) -> Path:
    """A clip of the portrait, one of two people, pictures."""
    with Image.open(PORTRAIT) as opened:
        portrait = np.asarray(opened.convert("RGB"))
    expression = portrait_expression(FRAMES)
    faces = (Image.fromarray(express(portrait, expression.at(number))) for number in range(FRAMES))
    frames = list(render(faces, portrait_motion(FRAMES, scale=1.2), _SIZE))
    write_portrait(frames, folder / "clip.mp4", FPS)
    write_drawn(folder / "clip.avi", [frame[..., ::-1] for frame in frames], fps=FPS)
    two = [np.hstack([frame, frame[:, ::-1]]) for frame in frames[:20]]
    write_portrait(two, folder / "two.mp4", FPS)
    _pictures(folder, [frames[0], frames[8], frames[30]])
    Demonstration(folder / "mien_demo").make()
    return folder


def drawn_files(folder: Path) -> Path:
    """The same of the drawn face."""

    def pose(number: int) -> Pose:
        turn = 2 * math.pi * number / FRAMES
        return Pose(
            scale=1.0, rotation=(0.0, 0.0, 0.0), x=160 + 3 * math.sin(turn), y=120 + 2 * math.cos(turn)
        )

    frames = [picture(pose(number), 320, 240) for number in range(FRAMES)]
    write_drawn(folder / "clip.mp4", frames, fps=FPS)
    write_drawn(folder / "clip.avi", frames, fps=FPS)
    write_drawn(folder / "two.mp4", frames[:20], fps=FPS)
    _pictures(folder, [frame[..., ::-1] for frame in frames[:3]])
    return folder


def _pictures(folder: Path, frames: list[np.ndarray]) -> None:
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"{number}.png")
        Image.fromarray(frame).save(folder / f"{number}.jpg", quality=95)


def lay_out(made: Path, folder: Path) -> Path:
    """Give files the names that pages use, in an empty folder of a page."""
    for name in _MP4:
        _put(made / "clip.mp4", folder / f"{name}.mp4")
    for name in _AVI:
        _put(made / "clip.avi", folder / f"{name}.avi")
    whole = (made / "clip.avi").read_bytes()
    (folder / "damaged.avi").write_bytes(whole[: len(whole) * 3 // 4])
    for name in _STUDY:
        _put(made / "clip.mp4", folder / "interviews" / name)
    _put(made / "two.mp4", folder / "meeting.mp4")
    for name, number in {"photo.jpg": 0, "photos/1.jpg": 0, "photos/2.jpg": 1, "photos/10.jpg": 2}.items():
        _put(made / f"{number}.jpg", folder / name)
    for name, number in {"a.png": 0, "b.png": 1}.items():
        _put(made / f"{number}.png", folder / name)
    if (made / "mien_demo").is_dir():
        shutil.copytree(made / "mien_demo", folder / "mien_demo")
    (folder / "interviews" / "list.csv").write_text(_LIST, encoding="utf-8")
    (folder / "smile.epochs.csv").write_text(_EPOCHS, encoding="utf-8")
    return folder


def _put(made: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(made, place)


def tables_of_others(analyse: Callable[..., object], folder: Path) -> None:
    """``processed/``: tables as another run left them, and their list."""
    analyse("A.mp4", "B.mp4", "-o", "processed/")
    rows = "file,person,session\nA.mp4,P01,1\nB.mp4,P01,2\n"
    (folder / "list.csv").write_text(rows, encoding="utf-8")

"""Draws docs/images/several-people.jpg: three cards with a portrait cross one another and are followed.

    python tools/draw_people.py FOLDER

makes FOLDER/people.mp4, analyses it with the embedded models, writes FOLDER/people.tracked.mp4 and one of its
frames as FOLDER/several-people.jpg. The portrait is the one that mien ships (Eileen Collins, NASA, public
domain); its copies differ in colour and side, so that there is something to tell them apart by.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

import mien
from mien.data import PORTRAIT
from mien.results.faces import faces_of
from mien.video.file import VideoFile
from mien.video.known_motion import BACKGROUND, write_video
from mien.view.render import draw_video

FRAMES, FPS, SIZE = 150, 30, (960, 540)
SHOWN_FRAME = 128
_CROP = (100, 10, 350, 330)
_BLUE, _GREEN = (0.75, 0.9, 1.2), (0.8, 1.1, 0.8)


def cards() -> list[Image.Image]:
    """As it is, mirrored and bluish, greenish."""
    with Image.open(PORTRAIT) as portrait:
        card = portrait.convert("RGB").crop(_CROP)
    return [card, _tinted(ImageOps.mirror(card), _BLUE), _tinted(card, _GREEN)]


def _tinted(card: Image.Image, factors: tuple[float, float, float]) -> Image.Image:
    return Image.fromarray(np.clip(np.asarray(card) * np.array(factors), 0, 255).astype(np.uint8))


def frames() -> Iterator[np.ndarray]:
    """The first two cards change places, one behind the other; the third nods in its corner."""
    width, height = SIZE
    for number in range(FRAMES):
        canvas = Image.new("RGB", SIZE, BACKGROUND)
        turn = math.pi * min(1.0, number / (0.75 * FRAMES))
        swing = 190 * math.cos(turn)
        places = [
            (330 - swing, height / 2 - 20, 4 * math.sin(number / 9)),
            (330 + swing, height / 2 + 20, 5 * math.sin(number / 13)),
            (width - 160, height / 2, 8 * math.sin(number / 11)),
        ]
        for card, (x, y, roll) in reversed(list(zip(cards(), places, strict=True))):
            turned = card.rotate(roll, Image.Resampling.BICUBIC, expand=True)
            mask = Image.new("L", card.size, 255).rotate(roll, Image.Resampling.BICUBIC, expand=True)
            corner = round(x - turned.width / 2), round(y - turned.height / 2)
            canvas.paste(turned, corner, mask)
        yield np.asarray(canvas)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", default="open")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    video, tracked = (arguments.folder / f"people{ending}" for ending in (".mp4", ".tracked.mp4"))
    write_video(frames(), video, FPS)
    result = mien.analyze(video, models=arguments.models, faces="many")
    with VideoFile(video) as source:
        draw_video(source, result, tracked, camera=result.source.camera, fps=FPS)
    for number in sorted(set(result.face_id.tolist())):
        rows = result.face_id == number
        print(f"face {number}: {rows.sum()} of {FRAMES} frames")
    with VideoFile(tracked) as drawn:
        shown = next(frame for frame in drawn if frame.index == SHOWN_FRAME)
    picture = Image.fromarray(np.ascontiguousarray(shown.bgr[..., ::-1]))
    picture.save(arguments.folder / "several-people.jpg", quality=88)
    found = [face.face_id for face in faces_of(result) if face.frame == SHOWN_FRAME]
    print(f"frame {SHOWN_FRAME}, {picture.size}: faces {found}")


if __name__ == "__main__":
    main()

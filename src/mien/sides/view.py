"""Both sides for the eye: where the middle was taken to be, the composites, bars. No number is from here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.action_units.catalogue import DESCRIPTIONS, INTENSITY_NAMES
from mien.datatypes import FaceResult, Frame
from mien.models.records import ActionUnitRecord
from mien.sides.composite import CompositeMaker
from mien.sides.measures import SIDE_MEASURES
from mien.sides.midplane import Midplane
from mien.sides.observer import Composites
from mien.sides.openface_like import MidLine, mirror_frame
from mien.sides.result import SidesResult
from mien.sides.sketch import FaceSketch
from mien.view.canvas import Canvas, Colour
from mien.view.tracked_video import TrackedVideoWriter

_ENLARGED = 3
_DOWN_THE_MIDDLE = (27, 28, 29, 30, 33, 51, 57, 8)
_LINE: Colour = (255, 210, 60)
_LEFT: Colour = (90, 170, 255)
_RIGHT: Colour = (255, 130, 90)
_INK: Colour = (30, 30, 34)
_PAPER = 246
_MOST_POINTS = 5.0
_LEAST_PX = 8


def draw_middle(bgr: NDArray[np.uint8], midplane: Midplane, *, selfie: bool = False) -> NDArray[np.uint8]:
    """A copy of a frame with the plane of symmetry drawn on the face, and the sides named."""
    picture = np.ascontiguousarray(bgr).copy()
    canvas = Canvas(picture)
    curve = midplane.face[list(_DOWN_THE_MIDDLE)].copy()
    forehead = curve[0] - (0.0, 45.0, 0.0)
    curve = np.vstack((forehead, curve))
    curve[:, 0] = 0.0
    thick = max(1.5, 0.012 * midplane.scale * 130)
    canvas.path(midplane.project(curve), thick, _LINE, 0.9)
    size = max(12, round(midplane.scale * 11))
    for image_left, (name, colour) in ((True, ("R", _RIGHT)), (False, ("L", _LEFT))):
        jaw = midplane.project(midplane.face[[3 if image_left else 13]])[0]
        shown = {"R": "L", "L": "R"}[name] if selfie else name
        canvas.text(jaw[0], jaw[1], shown, size, colour, align=0.5)
    return picture


def reflected(frame: Frame, midplane: Midplane) -> Composites:
    """Whole frames mirrored across the plane's line in the image, where no composite is made."""
    top, bottom = midplane.project(np.array([[0.0, -30.0, 0.0], [0.0, 60.0, 0.0]]))
    down = (bottom - top) / np.linalg.norm(bottom - top)
    line = MidLine(top, np.array((-down[1], down[0])))
    return mirror_frame(frame.bgr, line, 0), mirror_frame(frame.bgr, line, 1)


class CompositeDrawer:
    """Draws larger composites than the predictors see.

    Parameters
    ----------
    record
        Shape model and triangles; None mirrors whole frames.
    """

    def __init__(self, record: ActionUnitRecord | None) -> None:
        self._maker = None if record is None else CompositeMaker(record, enlarged=_ENLARGED)

    def draw(self, frame: Frame, sketch: FaceSketch) -> Composites:
        """Composites of the left and of the right side of the image's subject."""
        if self._maker is None:
            return reflected(frame, sketch.midplane)
        return self._maker.pictures(frame, sketch.midplane)


class SideVideos:
    """Writes videos of both composites and of the frames with their middle, as frames come.

    Parameters
    ----------
    folder, stem
        The files are STEM_left_mirrored.mp4, STEM_right_mirrored.mp4 and STEM_check.mp4.
    fps
        Nominal frames per second.
    drawer
        Draws the composites; None takes those that action units are read from.
    selfie
        Whether left and right are to be exchanged.
    """

    def __init__(
        self, folder: Path, stem: str, fps: float, drawer: CompositeDrawer | None, *, selfie: bool = False
    ) -> None:
        names = ("left_mirrored", "right_mirrored", "check")
        self.paths = [folder / f"{stem}_{name}.mp4" for name in names]
        self._writers = [TrackedVideoWriter(path, fps=fps, threads=1) for path in self.paths]
        self._drawer, self._selfie = drawer, selfie
        self._last: list[NDArray[np.uint8] | None] = [None, None]

    def watch(
        self, frame: Frame, face: FaceResult, sketch: FaceSketch | None, made: Composites | None
    ) -> None:
        """Write the pictures of a frame; where there is no face, the last composites stay."""
        pictures: list[NDArray[np.uint8] | None] = list(self._last)
        if self._drawer is not None and sketch is not None:
            pictures = list(self._drawer.draw(frame, sketch))
        elif self._drawer is None and made is not None:
            pictures = list(made)
        self._last = pictures
        order = (1, 0) if self._selfie else (0, 1)
        for writer, side in zip(self._writers[:2], order, strict=True):
            picture = pictures[side]
            if picture is not None:
                writer.append(picture, frame.time_s)
        check = frame.bgr if sketch is None else draw_middle(frame.bgr, sketch.midplane, selfie=self._selfie)
        self._writers[2].append(check, frame.time_s)

    def close(self) -> list[Path]:
        """Complete the files; gives those that there are."""
        for writer in self._writers:
            writer.close()
        return [path for path in self.paths if path.exists()]

    def abort(self) -> None:
        """Give them up."""
        for writer in self._writers:
            writer.abort()


@dataclass(slots=True)
class SheetFrame:
    """What a sheet shows: kept while the video passes.

    Attributes
    ----------
    row
        Row of the result.
    check, composites
        The frame with its middle, and the composites.
    """

    row: int
    check: NDArray[np.uint8]
    composites: Composites


class SheetKeeper:
    """Keeps what the picture of one frame needs: the first with a face at or after a time.

    Parameters
    ----------
    time_s
        The time; None takes every face, the last one stays.
    drawer
        Draws the composites.
    selfie
        Whether left and right are to be exchanged.
    """

    def __init__(self, time_s: float | None, drawer: CompositeDrawer, *, selfie: bool = False) -> None:
        self.kept: SheetFrame | None = None
        self._time_s, self._drawer, self._selfie = time_s, drawer, selfie
        self._row = -1

    def watch(
        self, frame: Frame, face: FaceResult, sketch: FaceSketch | None, made: Composites | None
    ) -> None:
        """Look at a frame."""
        self._row += 1
        wanted = self._time_s is None or (self.kept is None and frame.time_s >= self._time_s - 1e-6)
        if sketch is None or not wanted:
            return
        pictures = self._drawer.draw(frame, sketch)
        pictures = (pictures[1], pictures[0]) if self._selfie else pictures
        check = draw_middle(frame.bgr, sketch.midplane, selfie=self._selfie)
        self.kept = SheetFrame(self._row, _around(check, face.landmarks.points), pictures)


def draw_sheet(result: SidesResult, kept: SheetFrame) -> NDArray[np.uint8]:
    """One picture of one frame: its middle, both composites, and bars of both sides.

    Parameters
    ----------
    result
        Both sides of the video.
    kept
        The frame.

    Returns
    -------
    ndarray
        (H, W, 3) uint8, channels blue, green, red.
    """
    height, gap = 336, 16
    tiles = [_resized(picture, height) for picture in (kept.composites[1], kept.check, kept.composites[0])]
    width = sum(tile.shape[1] for tile in tiles) + 4 * gap
    bars = _bars(result, kept.row)
    line, top = 20, height + 3 * gap + 22
    picture = np.full((top + line * len(bars) + 3 * gap, max(width, 760), 3), _PAPER, np.uint8)
    canvas, x = Canvas(picture), gap + (max(width, 760) - width) // 2
    for tile, title in zip(tiles, ("right side, mirrored", "the face", "left side, mirrored"), strict=True):
        picture[gap + 22 : gap + 22 + height, x : x + tile.shape[1]] = tile
        canvas.text(x + tile.shape[1] / 2, gap + 8, title, 14, _INK, align=0.5)
        x += tile.shape[1] + gap
    middle = picture.shape[1] / 2
    for index, (label, values, most) in enumerate(bars):
        y = top + index * line + line / 2
        canvas.text(middle, y, label, 12, _INK, align=0.5)
        for value, sign, colour in ((values[0], 1, _LEFT), (values[1], -1, _RIGHT)):
            if np.isfinite(value):
                start = middle + sign * 120
                end = start + sign * 150 * float(np.clip(value / most, 0, 1))
                canvas.box(min(start, end), y - 6, max(start, end), y + 6, colour)
                canvas.text(end + sign * 6, y, f"{value:.1f}", 12, _INK, align=0.0 if sign > 0 else 1.0)
    time_s = float(result.video.time_s[kept.row])
    note = f"{time_s:.2f} s · left and right are the subject's · research measure, not a diagnosis"
    canvas.text(middle, picture.shape[0] - gap, note, 12, _INK, align=0.5)
    return picture


def _bars(result: SidesResult, row: int) -> list[tuple[str, tuple[float, float], float]]:
    """Label, left and right, and what fills a bar."""
    found = []
    if result.intensity is not None:
        for unit, name in enumerate(INTENSITY_NAMES):
            left, right = result.intensity[:, row, unit]
            found.append((f"{name} {DESCRIPTIONS[name]}", (float(left), float(right)), _MOST_POINTS))
    for measure in SIDE_MEASURES:
        if measure.unit == "mm":
            left, right = result.measures[measure.name][:, row]
            most = float(np.nanmax([1.0, left, right]))
            found.append((f"{measure.name.replace('_', ' ')}, mm", (float(left), float(right)), 1.2 * most))
    return found


def _resized(bgr: NDArray[np.uint8], height: int) -> NDArray[np.uint8]:
    from PIL import Image

    width = max(1, round(bgr.shape[1] * height / bgr.shape[0]))
    image = Image.fromarray(np.ascontiguousarray(bgr[..., ::-1]))
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))[..., ::-1]


def _around(bgr: NDArray[np.uint8], points: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The part of a frame around a face; all of it where hardly any of the face lies in it."""
    low, high = points.min(axis=0), points.max(axis=0)
    size = float((high - low).max())
    centre = (low + high) / 2 - (0, 0.1 * size)
    left, top = np.maximum(0, centre - 0.75 * size).astype(int)
    right, bottom = (centre + 0.75 * size).astype(int)
    part = bgr[top : max(bottom, 0), left : max(right, 0)]
    return np.ascontiguousarray(part if min(part.shape[:2]) >= _LEAST_PX else bgr)

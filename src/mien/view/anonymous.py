"""Pictures in which nobody can be recognised: faces blurred beyond recognition, or nothing but landmarks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mien.datatypes import FaceResult

if TYPE_CHECKING:
    from mien.view.drawing import Drawer

_BLOCKS = 5
"""Mean colours that are left across a hidden face."""
_WHOLE_BLOCKS = 6
"""Mean colours that are left across the shorter side of a picture that is hidden as a whole."""
_REMEMBERED_FRAMES = 90
"""A face that was seen within so many frames and is not found now hides the whole picture."""
_KEPT_FRAMES, _SAME = 30, 0.4
"""For how many frames a detected face that is not tracked stays hidden where it was, unless a box there (with
this intersection over union) takes its place."""
_WIDER, _FOREHEAD = 1.3, 0.9
"""How far the landmarks' outline is grown, and how far it reaches above the brows, in distances from the chin
to the brows: hair line, ears and the contour of the face belong to what people recognise."""
_BOX_WIDER = 1.6
_BROWS, _JAW = slice(17, 27), slice(0, 17)
_CHIN = 8

Boxes = NDArray[np.float32]


class AnonymousDrawer:
    """Hides faces, then lets another drawer draw what was measured.

    With "black", nothing of a picture is left. With "blur", a few mean colours are left of every face, from
    chin to hair line; and of the whole picture wherever a face may be that is not found: when none was
    tracked in it, or one that was there shortly before is missing. Faces of others, whom nobody tracks, are
    looked for too, in every picture.

    Parameters
    ----------
    drawer
        Draws over what is left.
    mode
        "blur" or "black".
    others
        Finds all faces of a picture: (H, W, 3) uint8 to (N, 4) float32, px, x, y, width, height.
    """

    def __init__(self, drawer: Drawer, mode: str, others: Callable[[NDArray[np.uint8]], Boxes]) -> None:
        self._drawer, self._mode, self._others = drawer, mode, others
        self._last_seen: dict[int, int] = {}
        self._boxes_before: list[tuple[int, Boxes]] = []
        self._count = 0

    def draw(
        self, bgr: NDArray[np.uint8], faces: Sequence[FaceResult], notes: Sequence[str] = ()
    ) -> NDArray[np.uint8]:
        """A new picture of faces that can't be recognised; see `mien.view.drawing.Drawer`."""
        return self._drawer.draw(self._hidden(bgr, faces), faces, notes)

    def _hidden(self, bgr: NDArray[np.uint8], faces: Sequence[FaceResult]) -> NDArray[np.uint8]:
        if self._mode == "black":
            return np.zeros_like(bgr)
        self._count += 1
        found = [face for face in faces if _is_found(face)]
        for face in found:
            self._last_seen[face.face_id] = self._count
        if not found or self._is_missing({face.face_id for face in found}):
            return blurred(bgr, min(bgr.shape[:2]) / _WHOLE_BLOCKS)
        outlines = [outline(face.landmarks.points) for face in found]
        outlines += [_around(box) for box in self._boxes(bgr)]
        picture = bgr
        for points in outlines:
            picture = hide(picture, points)
        return picture

    def _boxes(self, bgr: NDArray[np.uint8]) -> list[Boxes]:
        """Boxes of faces that are detected, now or a moment ago: detectors skip frames."""
        now = list(self._others(bgr))
        old = [(age + 1, box) for age, box in self._boxes_before if age < _KEPT_FRAMES]
        missed = [(age, box) for age, box in old if not any(_overlap(box, new) > _SAME for new in now)]
        self._boxes_before = [*((0, box) for box in now), *missed]
        return [box for _, box in self._boxes_before]

    def _is_missing(self, found: set[int]) -> bool:
        """Whether a face that was there shortly before is not found."""
        recent = self._count - _REMEMBERED_FRAMES
        return any(seen > recent and face_id not in found for face_id, seen in self._last_seen.items())


def _is_found(face: FaceResult) -> bool:
    points = face.landmarks.points
    return face.landmarks.success and bool(np.isfinite(points).all()) and float(np.ptp(points)) > 0


def outline(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """The outline of a whole head's front around 68 landmarks, forehead and hair line included.

    Parameters
    ----------
    points
        (68, 2), px, iBUG order.

    Returns
    -------
    ndarray
        (n, 2) float64, px: a convex polygon.
    """
    points = np.asarray(points, np.float64)
    brows = points[_BROWS]
    up = (brows.mean(axis=0) - points[_CHIN]) * _FOREHEAD
    every = np.concatenate([points, brows + up, points[[0, 16]] + 0.6 * up])
    hull = convex_hull(every)
    # the middle of the landmarks' own extent, so that the forehead grows the outline to no side
    middle = (hull.min(axis=0) + hull.max(axis=0)) / 2
    return middle + (hull - middle) * _WIDER


def convex_hull(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Corners of the convex hull of points (n, 2), by Andrew's monotone chain."""
    ordered = sorted(map(tuple, points.tolist()))
    lower, upper = _chain(ordered), _chain(ordered[::-1])
    return np.array(lower[:-1] + upper[:-1])


def _chain(points: Sequence[tuple[float, ...]]) -> list[tuple[float, ...]]:
    made: list[tuple[float, ...]] = []
    for x, y in points:
        while len(made) > 1:
            (ax, ay), (bx, by) = made[-2], made[-1]
            if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:
                break
            made.pop()
        made.append((x, y))
    return made


def _overlap(one: Boxes, other: Boxes) -> float:
    """Intersection over union of two boxes."""
    low = np.maximum(one[:2], other[:2])
    high = np.minimum(one[:2] + one[2:], other[:2] + other[2:])
    shared = float(np.prod(np.maximum(high - low, 0.0)))
    whole = float(np.prod(one[2:]) + np.prod(other[2:])) - shared
    return shared / whole if whole > 0 else 0.0


def _around(box: Boxes) -> NDArray[np.float64]:
    """An ellipse around a detected face."""
    x, y, width, height = box.astype(np.float64)
    turns = np.arange(24) * (2 * np.pi / 24)
    radius = np.array([width, height]) / 2 * _BOX_WIDER
    # boxes of detectors end at the brows
    centre = np.array([x + width / 2, y + height * 0.42])
    return np.asarray(centre + radius * np.stack([np.cos(turns), np.sin(turns)], axis=1))


def hide(bgr: NDArray[np.uint8], corners: NDArray[np.float64]) -> NDArray[np.uint8]:
    """A picture with a few mean colours left within a polygon.

    Parameters
    ----------
    bgr
        (H, W, 3) uint8.
    corners
        (n, 2), px, of the polygon; parts outside of the picture are of no account.

    Returns
    -------
    ndarray
        (H, W, 3) uint8, a copy.
    """
    height, width = bgr.shape[:2]
    corners = np.clip(corners, -4 * max(width, height), 4 * max(width, height))
    left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0).tolist()
    right, bottom = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 1, (width, height)).tolist()
    picture = bgr.copy()
    if left >= right or top >= bottom:
        return picture
    part = picture[top:bottom, left:right]
    mask = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(mask).polygon([tuple(point) for point in (corners - (left, top)).tolist()], fill=255)
    covered = np.asarray(mask) > 0
    size = float(np.ptp(corners, axis=0).min())
    part[covered] = blurred(part, size / _BLOCKS)[covered]
    return picture


def blurred(bgr: NDArray[np.uint8], block_px: float) -> NDArray[np.uint8]:
    """Mean colours of blocks of about this size, with smooth changes between them."""
    height, width = bgr.shape[:2]
    few = (max(1, round(width / max(block_px, 1.0))), max(1, round(height / max(block_px, 1.0))))
    image = Image.fromarray(np.ascontiguousarray(bgr))
    means = image.resize(few, Image.Resampling.BOX)
    return np.array(means.resize((width, height), Image.Resampling.BILINEAR))

"""What a face looks like, for telling apart the few people of one video.

Not face recognition: the numbers compare faces of one recording with one another, and mean nothing beyond
it. The shape of the features is described by histograms of gradients on the upright face (Dalal and Triggs,
CVPR 2005), the colours of face, hair and clothes by histograms of chromaticity and lightness (Swain and
Ballard, IJCV 1991).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.imaging.crop_kernels import crop_affine

_ANCHORS = np.array([(-31.0, -32.0), (31.0, -32.0), (0.0, 5.0), (-25.0, 40.0), (25.0, 40.0)])
"""Eyes, tip of the nose, corners of the mouth of an average face, mm."""
_CELL = 8
_DIRECTIONS = 8
_TONES = (10, 10, 8)
"""Bins of red share, green share and lightness."""
_CHROMA_SPREAD = 3.0
_LEAST_PIXELS = 20
_WEIGHTS = {"features": 0.5, "skin": 0.15, "hair": 0.15, "clothes": 0.2}
_TO_GRAY = np.array([0.299, 0.587, 0.114], np.float32)
_LEVELS = np.arange(256, dtype=np.float32)
CAPACITY = 12
"""Looks of one person that are remembered."""
_NOTHING_NEW = 0.95


@dataclass(frozen=True, slots=True)
class Looks:
    """A face's looks in one frame; every vector has the length 1.

    Attributes
    ----------
    features
        (336,) float64: directions of gradients in 6 x 7 cells of the upright face.
    skin, hair, clothes
        (800,) float64: roots of the shares of 10 x 10 x 8 colours in the face, above the brows and below the
        chin; None where too little of it is in the picture.
    """

    features: NDArray[np.float64]
    skin: NDArray[np.float64] | None
    hair: NDArray[np.float64] | None
    clothes: NDArray[np.float64] | None

    def likeness(self, other: Looks) -> float:
        """How alike two faces look, 0 to 1: weighted mean of the products of what both show."""
        total = weights = 0.0
        for name, weight in _WEIGHTS.items():
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine is not None and theirs is not None:
                total += weight * float(mine @ theirs)
                weights += weight
        return total / weights


class LooksMemory:
    """A few looks of one person, as different from one another as they came."""

    def __init__(self) -> None:
        self._looks: list[Looks] = []

    def __len__(self) -> int:
        return len(self._looks)

    def likeness(self, looks: Looks) -> float:
        """Likeness to the most similar look that is remembered, 0 to 1; 0 where there is none."""
        return max((known.likeness(looks) for known in self._looks), default=0.0)

    def add(self, looks: Looks) -> None:
        """Remember a look, unless it adds nothing; the one most similar to another makes room."""
        if self.likeness(looks) >= _NOTHING_NEW:
            return
        self._looks.append(looks)
        if len(self._looks) > CAPACITY:
            self._looks.pop(self._most_redundant())

    def absorb(self, other: LooksMemory) -> None:
        """Remember what another memory holds."""
        for looks in other._looks:
            self.add(looks)

    def _most_redundant(self) -> int:
        def redundancy(index: int) -> float:
            one = self._looks[index]
            return max(one.likeness(other) for k, other in enumerate(self._looks) if k != index)

        return max(range(len(self._looks)), key=redundancy)


def describe(bgr: NDArray[np.uint8], points: NDArray[np.float32]) -> Looks:
    """Describe a face's looks.

    Parameters
    ----------
    bgr
        (H, W, 3) uint8, C-contiguous.
    points
        (68, 2) px, its landmarks.
    """
    turn, place = _placement(points)
    face, hair, clothes = (_sample(bgr, grid, turn, place) for grid in (_FACE, _HAIR, _CLOTHES))
    return Looks(
        features=_features(face.rgb @ _TO_GRAY),
        skin=_colours(face.rgb[::2, ::2], face.seen[::2, ::2]),
        hair=_colours(hair.rgb, hair.seen),
        clothes=_colours(clothes.rgb, clothes.seen),
    )


@dataclass(frozen=True, slots=True)
class _Grid:
    """Evenly spaced points of a rectangle on the average face: first point and step, mm."""

    start: tuple[float, float]
    step: tuple[float, float]
    columns: int
    rows: int


def _grid(x: tuple[float, float], y: tuple[float, float], columns: int, rows: int) -> _Grid:
    step = (x[1] - x[0]) / (columns - 1), (y[1] - y[0]) / (rows - 1)
    return _Grid((x[0], y[0]), step, columns, rows)


_FACE = _grid((-60, 60), (-70, 70), 6 * _CELL, 7 * _CELL)
_HAIR = _grid((-65, 65), (-130, -60), 20, 12)
_CLOTHES = _grid((-90, 90), (110, 260), 24, 20)


def _placement(points: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Similarity (2, 2), (2,) that puts the average face on the landmarks, by least squares."""
    eyes = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
    there = np.stack([*eyes, points[30], points[48], points[54]]).astype(np.float64)
    middle = there.mean(axis=0)
    there -= middle
    here = _ANCHORS - _ANCHORS.mean(axis=0)
    size = (here**2).sum()
    along = (here * there).sum() / size
    across = (here[:, 0] * there[:, 1] - here[:, 1] * there[:, 0]).sum() / size
    turn = np.array([[along, -across], [across, along]])
    return turn, middle - turn @ _ANCHORS.mean(axis=0)


@dataclass(frozen=True, slots=True)
class _Samples:
    """Colours (rows, columns, 3) of a grid, 0 to 255, and which of them are in the picture."""

    rgb: NDArray[np.float32]
    seen: NDArray[np.bool_]


def _sample(
    bgr: NDArray[np.uint8], grid: _Grid, turn: NDArray[np.float64], place: NDArray[np.float64]
) -> _Samples:
    matrix = np.column_stack([turn * grid.step, turn @ grid.start + place])
    rgb = np.empty((grid.rows, grid.columns, 3), np.float32)
    crop_affine(bgr, matrix, True, _LEVELS, rgb)
    x, y = (
        row[0] * np.arange(grid.columns) + row[1] * np.arange(grid.rows)[:, None] + row[2] for row in matrix
    )
    height, width = bgr.shape[:2]
    return _Samples(rgb, (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1))


def _features(gray: NDArray[np.float32]) -> NDArray[np.float64]:
    """Histograms of gradient directions, every cell weighted by the root of its contrast."""
    down, right = np.gradient(gray)
    direction = np.arctan2(down, right) % (2 * np.pi) * (_DIRECTIONS / (2 * np.pi))
    row, column = np.indices(gray.shape) // _CELL
    cells = gray.shape[0] // _CELL, gray.shape[1] // _CELL
    bins = (row * cells[1] + column) * _DIRECTIONS + direction.astype(np.intp) % _DIRECTIONS
    sums = np.bincount(bins.ravel(), np.hypot(down, right).ravel(), cells[0] * cells[1] * _DIRECTIONS)
    by_cell = sums.reshape(-1, _DIRECTIONS)
    contrast = np.linalg.norm(by_cell, axis=1, keepdims=True)
    return _unit(np.sqrt(by_cell / (contrast + 0.05 * contrast.max() + 1e-9)).ravel())


def _colours(samples: NDArray[np.float32], seen: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    """Roots of the shares of colours, whose product with others is the Bhattacharyya coefficient."""
    pixels = samples[seen]
    if len(pixels) < _LEAST_PIXELS:
        return None
    total = pixels.sum(axis=1) + 1e-3
    shares = (pixels[:, :2] / total[:, None] - 1 / 3) * _CHROMA_SPREAD + 0.5
    values = np.column_stack([shares, total / (3 * 255)])
    bins = np.clip(values * _TONES, 0, np.array(_TONES) - 1).astype(np.intp)
    flat = np.ravel_multi_index((bins[:, 0], bins[:, 1], bins[:, 2]), _TONES)
    return _unit(np.sqrt(np.bincount(flat, minlength=int(np.prod(_TONES)))))


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    length = float(np.linalg.norm(vector))
    return vector / length if length else np.full_like(vector, 1 / np.sqrt(len(vector)))

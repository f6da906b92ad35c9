"""The faces of a result, each by itself and in order of time: what courses and quality are made from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.results.summary import usable_rows
from mien.results.video_result import SPECS, VideoResult
from mien.video.source import IMAGE_SUFFIXES

Floats = NDArray[np.float64]

_GAP_STEPS = 1.5
"""A row that comes later than this many usual steps after the one before leaves a gap between them."""

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Face:
    """N rows of one face, in order; faces of pictures together are one.

    Attributes
    ----------
    face_id
        Which face; -1 for the faces of pictures.
    result
        Its rows.
    x
        (N,) float64, not decreasing: what courses run along.
    unit
        What ``x`` counts: "s", "frame", or "face" of pictures.
    usable
        (N,) bool: rows that count.
    """

    face_id: int
    result: VideoResult
    x: Floats
    unit: str
    usable: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.x)

    @property
    def step(self) -> float:
        """Usual distance between rows in units of ``x``; 1 where there is none."""
        steps = np.diff(self.x)
        steps = steps[steps > 0]
        return float(np.median(steps)) if len(steps) else 1.0

    def gaps(self) -> NDArray[np.intp]:
        """Rows after which rows are missing: the face was away, or frames were not read."""
        if self.unit == "face":
            return np.empty(0, np.intp)
        return np.flatnonzero(np.diff(self.x) > _GAP_STEPS * self.step + 1e-9)

    def lost(self) -> list[Span]:
        """Stretches without a usable row, from half a step before to half a step after, in units of ``x``."""
        spans = [*runs(~self.usable, self.x), *self._absent()]
        merged: list[Span] = []
        for begin, end in sorted(spans):
            if merged and begin <= merged[-1][1] + 1e-9:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((begin, end))
        return merged

    def _absent(self) -> list[Span]:
        half = self.step / 2
        return [(float(self.x[row]) + half, float(self.x[row + 1]) - half) for row in self.gaps()]


def faces_in(result: VideoResult, min_confidence: float) -> list[Face]:
    """Every face by itself, the one with most usable rows first; of pictures one for all."""
    if is_of_pictures(result):
        usable = usable_rows(result, min_confidence=min_confidence)
        return [Face(-1, result, np.arange(1.0, len(result) + 1), "face", usable)] if len(result) else []
    seconds = _has_times(result)
    numbers = np.unique(result.face_id)
    found = [
        _face(_rows(result, result.face_id == number), int(number), seconds, min_confidence)
        if len(numbers) > 1
        else _face(result, int(number), seconds, min_confidence)
        for number in numbers
    ]
    return sorted(found, key=lambda face: (-int(face.usable.sum()), face.face_id))


def is_of_pictures(result: VideoResult) -> bool:
    """Whether rows are faces of independent pictures, which have no time."""
    own = result.source.path if result.source is not None else None
    single = own is not None and own.suffix.lower() in IMAGE_SUFFIXES
    return bool(result.pictures) or "pictures" in result.provenance or single


def runs(where: NDArray[np.bool_], x: Floats) -> list[Span]:
    """Stretches of neighbouring rows, from half a step before to half a step after."""
    if not where.any():
        return []
    middles = (x[1:] + x[:-1]) / 2
    edges = np.concatenate([x[:1], middles, x[-1:]])
    changes = np.flatnonzero(np.diff(np.concatenate([[False], where, [False]])))
    return [(float(edges[a]), float(edges[b])) for a, b in changes.reshape(-1, 2)]


def _face(rows: VideoResult, number: int, seconds: bool, min_confidence: float) -> Face:
    x = rows.time_s.astype(np.float64) if seconds else rows.frame.astype(np.float64) + 1
    if len(x) > 1 and (np.diff(x) < 0).any():
        order = np.argsort(x, kind="stable")
        rows, x = _rows(rows, order), x[order]
    usable = usable_rows(rows, min_confidence=min_confidence)
    return Face(number, rows, x, "s" if seconds else "frame", usable)


def _rows(result: VideoResult, rows: NDArray[Any]) -> VideoResult:
    """Some rows of a result; arrays that are one number everywhere (not measured) stay in its memory."""
    arrays = {name: _taken(array, rows) for name, array in result.arrays() if name in SPECS}
    measures = {name: _taken(array, rows) for name, array in result.measures.items()}
    changes: dict[str, Any] = {**arrays, "measures": measures}
    return replace(result, **changes)


def _taken(array: NDArray[Any], rows: NDArray[Any]) -> NDArray[Any]:
    if not array.size or any(array.strides):
        return np.asarray(array[rows])
    count = int(rows.sum()) if rows.dtype == np.bool_ else len(rows)
    return np.broadcast_to(array[(0,) * array.ndim], (count, *array.shape[1:]))


def _has_times(result: VideoResult) -> bool:
    """Whether all times are known, and not all the same although frames differ."""
    if not len(result) or not np.isfinite(result.time_s).all():
        return False
    return bool(np.ptp(result.time_s) > 0 or np.ptp(result.frame) == 0)

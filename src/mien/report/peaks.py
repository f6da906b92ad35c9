"""Moments worth a picture: where action units are strongest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mien.report.face_rows import Face

PER_FACE, PER_REPORT, OF_PICTURES = 8, 16, 48
_APART_STEPS = 15
"""Rows between two moments at least: neighbours look the same."""
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Peak:
    """A row of a face's result, and what is strong in it: (name, intensity) of action units."""

    face: Face
    row: int
    units: tuple[tuple[str, float], ...]


def peaks_of(faces: Sequence[Face]) -> list[Peak]:
    """Moments of all faces, each face's in order of time; of pictures every face."""
    found: list[Peak] = []
    for face in faces:
        if face.unit == "face":
            rows = [row for row in range(len(face)) if face.usable[row]][:OF_PICTURES]
        else:
            rows = _rows(face)[: max(0, PER_REPORT - len(found))]
        found += [Peak(face, row, _strong(face, row)) for row in sorted(rows)]
    return found


def _rows(face: Face) -> list[int]:
    """Strongest rows, those of the units that rise highest first; the surest row where there are none."""
    if not face.usable.any():
        return []
    result = face.result
    rows: list[int] = []
    for name in _by_height(face):
        assert result.au_intensity is not None
        values = result.au_intensity[:, result.au_intensity_names.index(name)]
        row = int(np.nanargmax(np.where(face.usable & np.isfinite(values), values, -np.inf)))
        if all(abs(row - other) >= _APART_STEPS for other in rows):
            rows.append(row)
        if len(rows) == PER_FACE:
            break
    return rows or [int(np.argmax(np.where(face.usable, result.confidence, -1.0)))]


def _by_height(face: Face) -> list[str]:
    result = face.result
    if result.au_intensity is None or not len(face):
        return []
    counted = np.where(face.usable[:, None] & np.isfinite(result.au_intensity), result.au_intensity, -np.inf)
    reached = dict(zip(result.au_intensity_names, counted.max(axis=0).tolist(), strict=True))
    return sorted((name for name in reached if reached[name] > 0), key=lambda name: -reached[name])


def _strong(face: Face, row: int) -> tuple[tuple[str, float], ...]:
    result = face.result
    if result.au_intensity is None:
        return ()
    pairs = zip(result.au_intensity_names, result.au_intensity[row].tolist(), strict=True)
    known = [(name, value) for name, value in pairs if np.isfinite(value) and value > 0]
    return tuple(sorted(known, key=lambda pair: -pair[1])[:_NAMED])

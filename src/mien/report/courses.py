"""What a page draws of a face: groups of lines over time, as numbers in a payload."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.action_units.catalogue import DESCRIPTIONS
from mien.report.face_rows import Face, is_of_pictures
from mien.report.marks import EventLike
from mien.report.payload import Payload
from mien.results.table import readable

Floats = NDArray[np.float64]

LEFT, RIGHT = "_left", "_right"
_CHOSEN = 6
"""Lines of a chooser that are shown at first: those that reach highest."""
_TIME_STEP_S = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: its name, what to call it, its values (N,), and their resolution."""

    name: str
    label: str
    values: Floats
    step: float
    bits: int = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Lines that share a picture.

    Attributes
    ----------
    key
        What it shows: "confidence", "intensity", "presence", "rotation", "position", "gaze", "sides" or
        "measures".
    title, unit
        What stands above it and at its axis.
    lines
        The lines; of sides, the left and the right one of every pair in turn.
    chooser
        Name of the choice between lines, which courses may share; empty where all are shown.
    chosen
        Names that are chosen at first.
    low, high
        What the axis shows at least.
    limits
        Values at which a line is drawn across.
    """

    key: str
    title: str
    unit: str
    lines: tuple[Line, ...]
    chooser: str = ""
    chosen: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    limits: tuple[float, ...] = ()


def courses_of(face: Face, turned_deg: float) -> list[Course]:
    """Everything that a face has numbers for, quality first."""
    found = [_confidence(face), *_units(face), *_pose(face, turned_deg), *_gaze(face), *_measures(face)]
    known = [_with_numbers(course) for course in found]
    return [course for course in known if course.lines]


def unit_label(name: str) -> str:
    """Name and meaning of an action unit, such as "AU12 lip corner puller"."""
    return f"{readable(name)} {DESCRIPTIONS[name]}" if name in DESCRIPTIONS else readable(name)


def encode(
    face: Face, courses: Sequence[Course], events: Iterable[EventLike], payload: Payload, most_points: int
) -> dict[str, Any]:
    """A face as the page's script reads it; the numbers go into ``payload``.

    Parameters
    ----------
    face, courses
        The face, and what is drawn of it.
    events
        Its events.
    payload
        Takes the columns.
    most_points
        Points of a line at most; of more rows, the least and the greatest value of several stand for them.
    """
    shape = _Shape(face, most_points)
    step = _TIME_STEP_S if face.unit == "s" else 1.0
    return {
        "x": payload.add(shape.x(), step, bits=32),
        "unit": face.unit,
        "rows_per_pair": shape.bundle,
        "lost": [[round(begin, 4), round(end, 4)] for begin, end in face.lost()],
        "courses": [_encode(course, shape, payload) for course in courses],
        "marks": [
            [readable(event.name), *map(_number, (event.onset_s, event.apex_s, event.offset_s, event.peak))]
            for event in events
        ]
        if face.unit == "s"
        else [],
    }


class _Shape:
    """Brings columns of a face to what is drawn: gaps are opened, too many rows are bundled."""

    def __init__(self, face: Face, most_points: int) -> None:
        gaps = face.gaps()
        self._order = np.insert(np.arange(len(face)), gaps + 1, -1)
        x = face.x[self._order]
        inserted = np.flatnonzero(self._order < 0)
        x[inserted] = x[inserted - 1] + face.step
        self._x = x
        self.bundle = 1 if len(x) <= most_points else -(-2 * len(x) // most_points)
        self._starts = np.arange(0, len(x), self.bundle)

    def x(self) -> Floats:
        """Where points lie."""
        if self.bundle == 1:
            return self._x
        ends = np.append(self._starts[1:], len(self._x))
        middles = self._x[(self._starts + ends) // 2]
        return np.stack([self._x[self._starts], middles], axis=1).reshape(-1)

    def lines(self, values: Floats) -> Floats:
        """Values at these points."""
        opened = np.where(self._order < 0, np.nan, values[self._order]) if len(values) else self._x
        if self.bundle == 1:
            return opened
        least = np.fmin.reduceat(opened, self._starts)
        greatest = np.fmax.reduceat(opened, self._starts)
        return np.stack([least, greatest], axis=1).reshape(-1)


def _encode(course: Course, shape: _Shape, payload: Payload) -> dict[str, Any]:
    return {
        "key": course.key,
        "title": course.title,
        "unit": course.unit,
        "chooser": course.chooser,
        "low": course.low,
        "high": course.high,
        "limits": list(course.limits),
        "lines": [
            {
                "name": readable(line.name),
                "label": line.label,
                "chosen": not course.chooser or line.name in course.chosen,
                "column": payload.add(shape.lines(line.values), line.step, bits=line.bits),
            }
            for line in course.lines
        ],
    }


def _number(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None


def _with_numbers(course: Course) -> Course:
    lines = tuple(line for line in course.lines if np.isfinite(line.values).any())
    if course.key == "sides":
        # a pair stays a pair
        kept = {_pair(line.name) for line in lines}
        lines = tuple(line for line in course.lines if _pair(line.name) in kept)
    return replace(course, lines=lines)


def _counted(face: Face) -> Callable[[Floats], Floats]:
    """Values of rows that count; rows that don't hold no measurement."""
    return lambda values: np.where(face.usable, values, np.nan)


def _confidence(face: Face) -> Course:
    line = Line(name="confidence", label="confidence", values=face.result.confidence, step=0.005, bits=8)
    return Course(key="confidence", title="Confidence", unit="0 to 1", lines=(line,), low=0.0, high=1.0)


def _units(face: Face) -> list[Course]:
    result, counted = face.result, _counted(face)
    if result.au_intensity is None or result.au_presence is None:
        return []
    intensity = {
        name: counted(values)
        for name, values in zip(result.au_intensity_names, result.au_intensity.T, strict=True)
    }
    presence = {
        name: counted(values)
        for name, values in zip(result.au_presence_names, result.au_presence.T, strict=True)
    }
    chosen = tuple(_most_active(intensity) or list(presence)[:_CHOSEN])
    return [
        Course(
            key="intensity",
            title="Action units: intensity",
            unit="0 to 5",
            lines=tuple(
                Line(name=name, label=unit_label(name), values=values, step=0.01)
                for name, values in intensity.items()
            ),
            chooser="units",
            chosen=chosen,
            low=0.0,
            high=1.0 if is_of_pictures(result) else 2.0,
        ),
        Course(
            key="presence",
            title="Action units: presence",
            unit="",
            lines=tuple(
                Line(name=name, label=unit_label(name), values=np.round(values), step=1.0, bits=8)
                for name, values in presence.items()
            ),
            chooser="units",
            chosen=chosen,
        ),
    ]


def _most_active(values: Mapping[str, Floats]) -> list[str]:
    """Names of the lines that reach highest, by their 95th percentile, in the order of their names."""
    finite = {name: each[np.isfinite(each)] for name, each in values.items()}
    heights = {name: float(np.percentile(each, 95)) for name, each in finite.items() if len(each)}
    return sorted(sorted(heights, key=lambda name: -heights[name])[:_CHOSEN])


def _pose(face: Face, turned_deg: float) -> list[Course]:
    counted = _counted(face)
    angles = np.degrees(face.result.pose_rotation_rad).T
    places = face.result.pose_translation_mm.T
    return [
        Course(
            key="rotation",
            title="Head: rotation",
            unit="degrees",
            lines=_lines(("pitch", "yaw", "roll"), map(counted, angles), 0.05),
            low=-turned_deg - 2,
            high=turned_deg + 2,
            limits=(-turned_deg, turned_deg),
        ),
        Course(
            key="position",
            title="Head: position",
            unit="mm",
            lines=_lines(("to the right", "down", "away from the camera"), map(counted, places), 0.5),
        ),
    ]


def _gaze(face: Face) -> list[Course]:
    if face.result.gaze_angle_rad is None:
        return []
    angles = map(_counted(face), np.degrees(face.result.gaze_angle_rad).T)
    names = ("horizontal, to the right", "vertical, down")
    return [
        Course(
            key="gaze", title="Gaze", unit="degrees", lines=_lines(names, angles, 0.05), low=-10.0, high=10.0
        )
    ]


def _lines(names: Sequence[str], values: Iterable[Floats], step: float) -> tuple[Line, ...]:
    return tuple(
        Line(name=name, label=name, values=each, step=step) for name, each in zip(names, values, strict=True)
    )


def _measures(face: Face) -> list[Course]:
    counted = _counted(face)
    values = {name: counted(each) for name, each in face.result.measures.items()}
    pairs = sorted({_pair(name) for name in values if name.endswith((LEFT, RIGHT))})
    pairs = [pair for pair in pairs if pair + LEFT in values and pair + RIGHT in values]
    sided = [pair + side for pair in pairs for side in (LEFT, RIGHT)]
    rest = {name: each for name, each in values.items() if name not in sided}
    intensities = {pair: np.fmax(values[pair + LEFT], values[pair + RIGHT]) for pair in pairs if "_r" in pair}
    return [
        Course(
            key="sides",
            title="Left and right",
            unit="as measured",
            lines=tuple(_measure(name, values[name]) for name in sided),
            chooser="sides",
            chosen=_chosen_pairs(_most_active(intensities) or pairs),
        ),
        Course(
            key="measures",
            title="Measures",
            unit="as measured",
            lines=tuple(_measure(name, each) for name, each in rest.items()),
            chooser="measures",
            chosen=tuple(list(rest)[:2]),
        ),
    ]


def _chosen_pairs(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name + side for name in names[:1] for side in (LEFT, RIGHT))


def _pair(name: str) -> str:
    return name.removesuffix(LEFT).removesuffix(RIGHT)


def _measure(name: str, values: Floats) -> Line:
    known = values[np.isfinite(values)]
    extent = float(np.ptp(known)) if len(known) else 1.0
    label = readable(name).removesuffix(LEFT).removesuffix(RIGHT).replace("_", " ")
    side = " left" if name.endswith(LEFT) else " right" if name.endswith(RIGHT) else ""
    return Line(name=name, label=label + side, values=values, step=max(extent / 5000, 1e-6))

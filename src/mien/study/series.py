"""One face of one recording as arrays: what summaries and events are made from, whoever measured it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import TableError
from mien.results import columns

if TYPE_CHECKING:
    from mien.results.table import Table
    from mien.results.video_result import VideoResult

Floats = NDArray[np.float64]

EYES = ((36, 37, 38, 39, 40, 41), (42, 43, 44, 45, 46, 47))
"""Landmarks of each eye: a corner, two of the upper lid, the other corner, two of the lower lid."""
_EYE_POINTS = tuple(point for eye in EYES for point in eye)
_EYE_X = tuple(f"x_{point}" for point in _EYE_POINTS)
_EYE_Y = tuple(f"y_{point}" for point in _EYE_POINTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceSeries:
    """N frames of one face, in order; NaN stands for "not measured".

    Attributes
    ----------
    name
        Of the recording, or of the picture.
    face_id
        Which face.
    frame
        (N,) int64, counted from 1 as in tables.
    time_s
        (N,) float64, s, not decreasing; NaN where time is unknown, as in a picture.
    success, confidence
        (N,) bool; (N,) float64, 0 to 1.
    intensity, presence
        (N,) float64 each, under "AU12" and so on: 0 to 5, and 0 or 1.
    head_mm, head_rad
        (N, 3) float64: position of the head, and Euler angles with R = Rx Ry Rz, in the camera's frame.
    gaze_rad
        (N, 2) float64: horizontal, vertical.
    eye_aspect
        (N,) float64: mean of both eyes' aspect ratios, height of the opening over its width.
    """

    name: str
    face_id: int
    frame: NDArray[np.int64]
    time_s: Floats
    success: NDArray[np.bool_]
    confidence: Floats
    intensity: Mapping[str, Floats] = field(default_factory=dict)
    presence: Mapping[str, Floats] = field(default_factory=dict)
    head_mm: Floats | None = None
    head_rad: Floats | None = None
    gaze_rad: Floats | None = None
    eye_aspect: Floats | None = None

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def period_s(self) -> float:
        """Usual time from one frame to the next, s; NaN where time is unknown or stands still."""
        steps = np.diff(self.time_s)
        steps = steps[steps > 0]
        return float(np.median(steps)) if len(steps) else float("nan")


def eye_aspect_ratio(points: NDArray[np.floating]) -> Floats:
    """Aspect ratio of open eyes: mean height over width (Soukupová & Čech 2016, equation 1).

    Parameters
    ----------
    points
        (N, 6, 2), px: a corner, two points of the upper lid, the other corner, two of the lower lid.

    Returns
    -------
    ndarray
        (N,) float64, about 0.25 to 0.4 for an open eye; NaN where the corners coincide.
    """
    eye = points.astype(np.float64)

    def distance(one: int, other: int) -> Floats:
        difference = eye[:, one] - eye[:, other]
        return np.asarray(np.hypot(difference[:, 0], difference[:, 1]))

    width = distance(0, 3)
    height = (distance(1, 5) + distance(2, 4)) / 2
    return np.asarray(np.divide(height, width, out=np.full(len(eye), np.nan), where=width > 0))


def series_of_result(result: VideoResult, name: str | None = None) -> list[FaceSeries]:
    """Faces of a result; of pictures, every face of every picture by itself.

    Parameters
    ----------
    result
        What `mien.analyze` gives.
    name
        What it is called; by default as its source.
    """
    called = name or (result.source.name if result.source is not None else "")
    pictures = "pictures" in result.provenance
    whole = FaceSeries(
        name=called,
        face_id=0,
        frame=result.frame + 1,
        time_s=np.full(len(result), np.nan) if pictures else result.time_s,
        success=result.success,
        confidence=result.confidence,
        intensity=_named(result.au_intensity_names, result.au_intensity),
        presence=_named(result.au_presence_names, result.au_presence),
        head_mm=result.pose_translation_mm,
        head_rad=result.pose_rotation_rad,
        gaze_rad=result.gaze_angle_rad,
        eye_aspect=_both_eyes(result.landmarks[:, list(_EYE_POINTS)]),
    )
    return _split(whole, result.face_id, by_frame=pictures)


def series_of_table(table: Table, name: str, *, fps: float | None = None) -> list[FaceSeries]:
    """Faces of a table in OpenFace's columns, by whatever version or program; groups may be missing.

    Parameters
    ----------
    table
        The table of a video, or of pictures.
    name
        What the recording is called.
    fps
        Frames per second, in place of the time stamps.

    Raises
    ------
    TableError
        It is not such a table, or time runs backwards in it.
    """
    picture = columns.FACE in table and columns.FRAME not in table
    if not picture and not table.has((columns.FRAME, columns.CONFIDENCE, columns.SUCCESS)):
        raise TableError(
            f"{name}: expected a table in OpenFace's columns, with frame, confidence and success; got "
            f"{', '.join(table.names[:4]) or 'no column'} …"
        )
    rows = len(table)
    ones = np.ones(rows)
    frame = np.arange(1.0, rows + 1) if picture else table[columns.FRAME]
    whole = FaceSeries(
        name=name,
        face_id=0,
        frame=_whole_numbers(frame, name),
        time_s=_times(table, frame, fps, picture=picture),
        success=(ones if picture else table[columns.SUCCESS]) == 1,
        confidence=table[columns.CONFIDENCE] if table.has((columns.CONFIDENCE,)) else ones,
        intensity=_units(table, "_r"),
        presence=_units(table, "_c"),
        head_mm=_group(table, columns.POSE_TRANSLATION.names),
        head_rad=_group(table, columns.POSE_ROTATION.names),
        gaze_rad=_group(table, columns.GAZE_ANGLE.names),
        eye_aspect=_aspects(table),
    )
    column = columns.FACE if picture else columns.FACE_ID
    face_id = _whole_numbers(table[column], name) if column in table else np.zeros(rows, np.int64)
    return _split(whole, face_id, by_frame=picture)


def wanted_column(name: str) -> bool:
    """Whether a column of a table matters here: few of its hundreds do."""
    return name in _WANTED or (name.startswith("AU") and name.endswith(("_r", "_c")))


_WANTED = frozenset(
    (
        columns.FRAME,
        columns.FACE,
        columns.FACE_ID,
        columns.TIMESTAMP,
        columns.CONFIDENCE,
        columns.SUCCESS,
        *columns.POSE_TRANSLATION.names,
        *columns.POSE_ROTATION.names,
        *columns.GAZE_ANGLE.names,
        *_EYE_X,
        *_EYE_Y,
    )
)


def _named(names: Sequence[str], values: Floats | None) -> dict[str, Floats]:
    return {} if values is None else {name: values[:, index] for index, name in enumerate(names)}


def _both_eyes(points: NDArray[np.floating]) -> Floats:
    """(N, 12, 2) landmarks of both eyes to the mean of their ratios."""
    return (eye_aspect_ratio(points[:, :6]) + eye_aspect_ratio(points[:, 6:])) / 2


def _aspects(table: Table) -> Floats | None:
    if not table.has((*_EYE_X, *_EYE_Y)):
        return None
    return _both_eyes(np.stack([table.select(_EYE_X), table.select(_EYE_Y)], axis=-1))


def _group(table: Table, names: Sequence[str]) -> Floats | None:
    return table.select(names) if table.has(names) else None


def _units(table: Table, ending: str) -> dict[str, Floats]:
    found = [name for name in table.names if name.startswith("AU") and name.endswith(ending)]
    return {columns.unit_of(name): table[name] for name in found}


def _times(table: Table, frame: Floats, fps: float | None, *, picture: bool) -> Floats:
    if picture:
        return np.full(len(table), np.nan)
    if fps is not None:
        return np.asarray((frame - 1) / fps)
    if columns.TIMESTAMP not in table:
        return np.full(len(table), np.nan)
    return table[columns.TIMESTAMP]


def _whole_numbers(values: Floats, name: str) -> NDArray[np.int64]:
    if not np.isfinite(values).all():
        raise TableError(f"{name}: expected a number of the frame and of the face in every row")
    return values.astype(np.int64)


def _split(whole: FaceSeries, face_id: NDArray[np.integer], *, by_frame: bool) -> list[FaceSeries]:
    """Every face by itself; faces of pictures have nothing to do with one another."""
    if by_frame:
        parts = [np.arange(row, row + 1) for row in range(len(whole))]
    else:
        parts = [np.flatnonzero(face_id == number) for number in np.unique(face_id)]
    made = [_rows(whole, rows, int(face_id[rows[0]])) for rows in parts]
    for series in made:
        back = np.flatnonzero(np.diff(series.time_s) < 0)
        if len(back):
            frame = series.frame[back[0] + 1]
            raise TableError(f"{whole.name}: expected time to run forwards, it runs back at frame {frame}")
    return made


def _rows(whole: FaceSeries, rows: NDArray[np.intp], face_id: int) -> FaceSeries:
    """Some rows of all arrays."""
    chosen: dict[str, Any] = {"face_id": face_id}
    for field_ in fields(whole):
        value = getattr(whole, field_.name)
        if isinstance(value, np.ndarray):
            chosen[field_.name] = value[rows]
        elif isinstance(value, Mapping):
            chosen[field_.name] = {name: array[rows] for name, array in value.items()}
    return replace(whole, **chosen)

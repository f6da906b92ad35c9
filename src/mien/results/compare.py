"""How far two tables agree, in the figures by which OpenFace's own noise is measured.

Landmarks, pose, gaze and eyes are compared on rows that succeeded in both tables, action units on all rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mien.errors import TableError
from mien.results import columns
from mien.results.csv_reader import read_openface_csv
from mien.results.table import Table

if TYPE_CHECKING:
    from mien.results.video_result import VideoResult

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class UnitComparison:
    """One action unit in two tables.

    Attributes
    ----------
    name
        "AU01" and so on.
    r
        Correlation of the intensities. NaN where the unit is constant in both tables, which has no
        correlation; 0 where it is constant in one of them only.
    mean_difference
        Mean absolute difference of the intensities.
    presence_percent
        Rows with equal presence.
    constant
        Whether the intensity is constant in both tables.
    """

    name: str
    r: float
    mean_difference: float
    presence_percent: float
    constant: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Agreement of two tables; NaN where a group of columns is missing in one of them or nowhere measured.

    Attributes
    ----------
    rows
        Rows of the first and of the second table.
    matched
        Rows with the same frame and face in both.
    compared
        Matched rows with success in both: what all figures but ``success_percent`` and those of action
        units are computed from.
    same_rows
        Whether both tables have the same frames and the same faces in each of them.
    success_percent
        Matched rows with equal success.
    landmark_mean_px, landmark_p99_px
        Distance of the 68 landmarks, mean and 99th percentile.
    intensity_r_mean, intensity_r_lowest
        Correlation of intensities over the action units that have one.
    intensity_difference
        Mean absolute difference of intensities, all action units.
    presence_percent
        Equal presences, mean of the action units.
    pose_deg, pose_mm, gaze_deg, eye_px
        Mean absolute difference per coordinate: head's angles and position, angles of gaze, eye landmarks.
    units
        The action units one by one.
    """

    rows: tuple[int, int]
    matched: int
    compared: int
    same_rows: bool
    success_percent: float
    landmark_mean_px: float
    landmark_p99_px: float
    intensity_r_mean: float
    intensity_r_lowest: float
    intensity_difference: float
    presence_percent: float
    pose_deg: float
    pose_mm: float
    gaze_deg: float
    eye_px: float
    units: tuple[UnitComparison, ...] = field(repr=False)

    @property
    def constant_units(self) -> tuple[str, ...]:
        """Action units without a correlation, because they are constant in both tables."""
        return tuple(unit.name for unit in self.units if unit.constant)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What two tables may differ by; None sets no limit. Fields are those of `Comparison`."""

    same_rows: bool | None = None
    success_percent: float | None = None
    landmark_mean_px: float | None = None
    landmark_p99_px: float | None = None
    intensity_r_mean: float | None = None
    intensity_r_lowest: float | None = None
    intensity_difference: float | None = None
    presence_percent: float | None = None
    pose_deg: float | None = None
    pose_mm: float | None = None
    gaze_deg: float | None = None
    eye_px: float | None = None

    def exceeded(self, comparison: Comparison) -> tuple[str, ...]:
        """Names of the figures beyond their limit; one that could not be measured is beyond every limit."""
        return tuple(item.name for item in fields(self) if not self._holds(item.name, comparison))

    def _holds(self, name: str, comparison: Comparison) -> bool:
        limit, value = getattr(self, name), getattr(comparison, name)
        if limit is None:
            return True
        if name == "same_rows":
            return bool(value) or not limit
        # written so that NaN does not hold
        return bool(value >= limit if name in AT_LEAST else value <= limit)


AT_LEAST = frozenset({"success_percent", "intensity_r_mean", "intensity_r_lowest", "presence_percent"})
"""Figures that limits bound from below."""

_BUILDS = Limits(
    same_rows=True,
    success_percent=99.5,
    landmark_mean_px=0.08,
    landmark_p99_px=0.5,
    intensity_r_mean=0.985,
    intensity_r_lowest=0.95,
    intensity_difference=0.025,
    presence_percent=98.0,
    pose_deg=0.2,
    pose_mm=0.5,
    gaze_deg=0.3,
    eye_px=0.1,
)
PRESETS = {
    "openface": _BUILDS,
    "openface-lost": replace(
        _BUILDS,
        success_percent=98.5,
        landmark_mean_px=0.15,
        landmark_p99_px=1.5,
        intensity_r_mean=0.97,
        intensity_r_lowest=0.90,
        intensity_difference=0.04,
        presence_percent=97.0,
    ),
}
"""About OpenFace's own noise between two builds; "openface-lost" where the face is lost and found again."""


def compare_tables(a: Table | VideoResult | str | Path, b: Table | VideoResult | str | Path) -> Comparison:
    """Compare two results row by row, matched by frame and face.

    Parameters
    ----------
    a, b
        Tables, results, or paths of CSV files of mien or OpenFace.

    Returns
    -------
    Comparison

    Raises
    ------
    TableError
        A file can't be read, has no column of frames or faces, or has a face twice in one frame.
    """
    tables = (_table(a), _table(b))
    first, second = tables
    keys_a, keys_b = _keys(first), _keys(second)
    _, rows_a, rows_b = np.intersect1d(keys_a, keys_b, assume_unique=True, return_indices=True)
    success_a, success_b = _success(first)[rows_a], _success(second)[rows_b]
    good = success_a & success_b
    pair = _Pair(first, second, rows_a[good], rows_b[good])
    distances = pair.distances(columns.POINTS_2D.names)
    units = _units(_Pair(first, second, rows_a, rows_b))
    correlations = _measured([unit.r for unit in units])
    return Comparison(
        rows=(len(first), len(second)),
        matched=len(rows_a),
        compared=int(good.sum()),
        same_rows=bool(np.array_equal(np.sort(keys_a), np.sort(keys_b))),
        success_percent=_mean(100.0 * (success_a == success_b)),
        landmark_mean_px=_mean(distances),
        landmark_p99_px=float(np.percentile(distances, 99)) if distances.size else NAN,
        intensity_r_mean=_mean(correlations),
        intensity_r_lowest=float(correlations.min()) if correlations.size else NAN,
        intensity_difference=_mean([unit.mean_difference for unit in units]),
        presence_percent=_mean([unit.presence_percent for unit in units]),
        pose_deg=pair.angle_deg(columns.POSE_ROTATION.names),
        pose_mm=_mean(pair.differences(columns.POSE_TRANSLATION.names)),
        gaze_deg=pair.angle_deg(columns.GAZE_ANGLE.names),
        eye_px=_mean(pair.differences(columns.EYES_2D.names)),
        units=units,
    )


@dataclass(frozen=True, slots=True)
class _Pair:
    """Matched rows of two tables."""

    a: Table
    b: Table
    rows_a: NDArray[np.intp]
    rows_b: NDArray[np.intp]

    def has(self, names: Iterable[str]) -> bool:
        names = tuple(names)
        return self.a.has(names) and self.b.has(names)

    def values(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """One column of both, where both are measured."""
        a, b = self.a[name][self.rows_a], self.b[name][self.rows_b]
        both = ~(np.isnan(a) | np.isnan(b))
        return a[both], b[both]

    def differences(self, names: tuple[str, ...]) -> NDArray[np.float64]:
        """Absolute differences (rows, columns), NaN where not measured; no rows if a column is missing."""
        if not self.has(names):
            return np.empty((0, len(names)))
        return np.abs(self.a.select(names)[self.rows_a] - self.b.select(names)[self.rows_b])

    def distances(self, names: tuple[str, ...]) -> NDArray[np.float64]:
        """Distances of points whose columns are all x, then all y; those not measured are left out."""
        half = len(names) // 2
        differences = self.differences(names)
        return _measured(np.hypot(differences[:, :half], differences[:, half:]))

    def angle_deg(self, names: tuple[str, ...]) -> float:
        """Mean absolute difference of angles in rad, the short way round, in degrees."""
        turn = np.remainder(self.differences(names), 2 * np.pi)
        return _mean(np.degrees(np.minimum(turn, 2 * np.pi - turn)))


def _table(given: Table | VideoResult | str | Path) -> Table:
    if isinstance(given, Table):
        return given
    if isinstance(given, str | Path):
        return read_openface_csv(given)
    return given.to_table()


def _keys(table: Table) -> NDArray[np.int64]:
    """One number per row for its frame and face; tables of single images have faces only."""
    if columns.FRAME in table:
        frames = table[columns.FRAME]
        faces = table[columns.FACE_ID] if columns.FACE_ID in table else np.zeros(len(table))
    elif columns.FACE in table:
        frames, faces = np.zeros(len(table)), table[columns.FACE]
    else:
        raise TableError(
            f"expected a column {columns.FRAME!r} or {columns.FACE!r}, got {', '.join(table.names[:5])} …"
        )
    if np.isnan(frames).any() or np.isnan(faces).any():
        raise TableError("expected a frame and a face in every row, got empty cells")
    keys = frames.astype(np.int64) * (1 << 20) + faces.astype(np.int64)
    if len(np.unique(keys)) != len(keys):
        raise TableError(
            "expected every face once per frame, got one several times; is this one video's table?"
        )
    return keys


def _success(table: Table) -> NDArray[np.bool_]:
    """Tables of single images have no such column: every face in them was found."""
    if columns.SUCCESS not in table:
        return np.ones(len(table), np.bool_)
    return table[columns.SUCCESS] > 0


def _units(pair: _Pair) -> tuple[UnitComparison, ...]:
    """Action units that have an intensity or a presence in both tables and are measured there."""
    names = dict.fromkeys((*columns.INTENSITY_UNITS, *columns.PRESENCE_UNITS))
    found = (_unit(pair, name) for name in sorted(names))
    return tuple(
        unit for unit in found if not (np.isnan(unit.mean_difference) and np.isnan(unit.presence_percent))
    )


def _unit(pair: _Pair, name: str) -> UnitComparison:
    intensity, presence = columns.intensity((name,)).names[0], columns.presence((name,)).names[0]
    r = difference = percent = NAN
    constant = False
    if pair.has((intensity,)):
        a, b = pair.values(intensity)
        r, difference = _correlation(a, b), _mean(np.abs(a - b))
        constant = bool(len(a)) and np.ptp(a) == 0 and np.ptp(b) == 0
    if pair.has((presence,)):
        a, b = pair.values(presence)
        percent = _mean(100.0 * (np.round(a) == np.round(b)))
    return UnitComparison(name, r, difference, percent, bool(constant))


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    if len(a) < 2 or (np.ptp(a) == 0 and np.ptp(b) == 0):
        return NAN
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def _measured(values: Iterable[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    array = np.asarray(values, np.float64)
    return array[~np.isnan(array)]


def _mean(values: Iterable[float] | NDArray[np.float64]) -> float:
    array = _measured(values)
    return float(array.mean()) if array.size else NAN

"""Recordings in one row each: how usable they are, and what face, head and eyes did."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mien.results.summary import summarise_unit
from mien.study.blinks import BLINK_UNIT
from mien.study.composites import COMPOSITES
from mien.study.dictionary import LONG_COLUMNS, Column, summary_columns
from mien.study.event import BLINK, EYES, INTENSITY, PRESENCE
from mien.study.events import FaceEvents, counts
from mien.study.movement import distances, speed, spread, turns
from mien.study.rules import SummaryOptions
from mien.study.series import FaceSeries

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Row = dict[str, Any]


class Summary(Sequence[Row]):
    """One row for every face of every recording: mappings from names of columns to values.

    Parameters
    ----------
    rows
        The rows.
    intensities, presences
        Action units that any of them has.
    added
        Further columns, such as person and condition; they come after the first.

    Examples
    --------
    >>> summary = mien.analyze("interview.mp4").summary()
    >>> summary[0]["AU12_r_mean"], summary[0]["usable_share"]
    >>> summary.to_pandas()
    """

    def __init__(
        self,
        rows: Iterable[Row],
        intensities: Iterable[str],
        presences: Iterable[str],
        added: Sequence[Column] = (),
    ) -> None:
        self._rows = list(rows)
        self.intensities, self.presences = tuple(sorted(intensities)), tuple(sorted(presences))
        first, *rest = summary_columns(self.intensities, self.presences)
        self.columns: list[Column] = [first, *added, *rest]
        """All columns, with their meanings and units, in order."""

    def __getitem__(self, index: Any) -> Any:
        return self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return f"Summary({len(self)} rows, {len(self.columns)} columns)"

    @property
    def names(self) -> list[str]:
        """Names of all columns."""
        return [column.name for column in self.columns]

    def long(self) -> list[Row]:
        """One row for every number: what identifies the wide row, variable, signal, statistic, value."""
        every = []
        for row in self._rows:
            base = {column.name: row.get(column.name) for column in self.columns if not column.variable}
            for column in self.columns:
                if column.variable and column.name in row:
                    values = (column.variable, column.signal, column.statistic, row[column.name])
                    names = (part.name for part in LONG_COLUMNS)
                    every.append({**base, **dict(zip(names, values, strict=True))})
        return every

    @property
    def long_columns(self) -> list[Column]:
        """The columns of `long`."""
        return [*(column for column in self.columns if not column.variable), *LONG_COLUMNS]

    def to_pandas(self, *, long: bool = False) -> pd.DataFrame:
        """The same as a data frame; ``long`` gives one row per number.

        Raises
        ------
        OptionError
            pandas is not installed.
        """
        from mien.study.record_files import data_frame

        if long:
            return data_frame(self.long(), [column.name for column in self.long_columns])
        return data_frame(self._rows, self.names)

    def save(self, path: str | Path, *, long: bool = False) -> None:
        """Write it, with a description of the columns beside it (.json).

        Parameters
        ----------
        path
            .csv or .parquet.
        long
            Whether every number gets a row.

        Raises
        ------
        OptionError
            The ending is unknown, or a package that is needed is not installed.
        OutputError
            The file can't be written there.
        """
        from mien.study.record_files import write_records

        if long:
            write_records(self.long(), self.long_columns, path)
        else:
            write_records(self._rows, self.columns, path)


def summarise(series: FaceSeries | Sequence[FaceSeries], options: SummaryOptions | None = None) -> Summary:
    """Sum up faces.

    Parameters
    ----------
    series
        One face, or several of one or more recordings; see `mien.study.series`.
    options
        Which frames count, and what is an event.
    """
    options = options or SummaryOptions()
    faces = [series] if isinstance(series, FaceSeries) else series
    return Summary(
        (summarise_face(FaceEvents(face, options)) for face in faces),
        {name for face in faces for name in face.intensity},
        {name for face in faces for name in face.presence},
    )


def summarise_face(events: FaceEvents) -> Row:
    """The row of one face; what can't be known has no entry, or NaN."""
    return {
        **_quality(events),
        **_head_and_gaze(events),
        **_blinks(events),
        **_units(events),
        **_composites(events),
    }


def _quality(events: FaceEvents) -> Row:
    series, usable, at = events.series, events.usable, events.at
    rows = len(series)
    return {
        "file": series.name,
        "face_id": series.face_id,
        "frames": rows,
        "duration_s": float(series.time_s[-1] - series.time_s[0] + series.period_s) if rows else np.nan,
        "rule": events.options.rule,
        "usable_frames": int(usable.sum()),
        "usable_share": float(usable.mean()) if rows else np.nan,
        "usable_s": at.seconds if events.timed else np.nan,
        "success_share": float(series.success.mean()) if rows else np.nan,
        "mean_confidence": _mean(series.confidence),
    }


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _head_and_gaze(events: FaceEvents) -> Row:
    series, usable, at = events.series, events.usable, events.at
    row: Row = {}
    if series.head_mm is not None:
        row["head_speed_mm_s"] = speed(distances(series.head_mm[at.row]), at)
    angles: list[tuple[str, Floats]] = []
    if series.head_rad is not None:
        row["head_turning_deg_s"] = float(np.degrees(speed(turns(series.head_rad[at.row]), at)))
        angles += zip(("head_pitch", "head_yaw", "head_roll"), series.head_rad.T, strict=True)
    if series.gaze_rad is not None:
        angles += zip(("gaze_x", "gaze_y"), series.gaze_rad.T, strict=True)
    for name, values in angles:
        for statistic, value in spread(np.degrees(values[usable])).items():
            row[f"{name}_{statistic}_deg"] = value
    return row


def _events(prefix: str, events: FaceEvents, name: str, signal: str) -> Row:
    """Figures of events; nothing where time is unknown."""
    if not events.timed:
        return {}
    figures = counts(events.of(name, signal), events.at.seconds)
    return {f"{prefix}_{what}": value for what, value in figures.items()}


def _blinks(events: FaceEvents) -> Row:
    row: Row = {}
    if BLINK_UNIT in events.series.intensity and _known(events.series.intensity[BLINK_UNIT], events):
        row |= _events("blink_au45", events, BLINK, INTENSITY)
    if events.series.eye_aspect is not None:
        row |= _events("blink_eyes", events, BLINK, EYES)
    return row


def _units(events: FaceEvents) -> Row:
    series, usable = events.series, events.usable
    row: Row = {}
    for name in sorted({*series.intensity, *series.presence}):
        intensity, presence = series.intensity.get(name), series.presence.get(name)
        found = summarise_unit(name, _some(intensity, usable), _some(presence, usable))
        if found.frames:
            row |= {f"{name}_r_mean": found.mean, f"{name}_r_sd": found.sd, f"{name}_r_p95": found.p95}
            row |= _events(f"{name}_r", events, name, INTENSITY)
        if not np.isnan(found.present):
            row[f"{name}_c_share"] = found.present
            row |= _events(f"{name}_c", events, name, PRESENCE)
            if found.frames:
                row[f"{name}_r_mean_present"] = found.mean_present
    return row


def _some(values: Floats | None, rows: NDArray[np.bool_]) -> Floats:
    return np.empty(0) if values is None else values[rows]


def _known(values: Floats | None, events: FaceEvents) -> bool:
    return values is not None and bool(np.isfinite(values[events.usable]).any())


def _composites(events: FaceEvents) -> Row:
    row: Row = {}
    for composite in COMPOSITES:
        if _known(composite.intensity(events.series), events):
            row |= _events(f"{composite.name}_r", events, composite.name, INTENSITY)
        present = composite.presence(events.series)
        if present is not None and _known(present, events):
            row[f"{composite.name}_c_share"] = float(np.nanmean(present[events.usable]))
            row |= _events(f"{composite.name}_c", events, composite.name, PRESENCE)
    return row

"""Events of a recording: action units, blinks, and patterns of action units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from mien.results.summary import usable
from mien.study.blinks import BLINK_UNIT, closure
from mien.study.composites import COMPOSITES
from mien.study.event import (
    ACTION_UNIT,
    BLINK,
    COMPOSITE,
    EVENT_FIELDS,
    EYES,
    INTENSITY,
    PRESENCE,
    Event,
)
from mien.study.hysteresis import Samples, event_spans, samples
from mien.study.rules import EventRule, SummaryOptions
from mien.study.series import FaceSeries

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


class Events(Sequence[Event]):
    """Events in order of their onset.

    Parameters
    ----------
    found
        Them, in any order.
    end_s
        Length of the recordings, for exports; by default the last offset.

    Examples
    --------
    >>> events = mien.analyze("interview.mp4").events()
    >>> smiles = [event for event in events if event.name == "AU12" and event.signal == "intensity"]
    >>> events.save("interview.events.csv")
    """

    def __init__(self, found: Sequence[Event] = (), end_s: float | None = None) -> None:
        self._events = sorted(found, key=lambda event: (event.file, event.face_id, event.onset_s))
        last = max((event.offset_s for event in self._events), default=0.0)
        self.end_s = last if end_s is None or np.isnan(end_s) else max(end_s, last)

    @overload
    def __getitem__(self, index: int) -> Event: ...

    @overload
    def __getitem__(self, index: slice) -> Events: ...

    def __getitem__(self, index: int | slice) -> Event | Events:
        if isinstance(index, slice):
            return Events(self._events[index], self.end_s)
        return self._events[index]

    def __len__(self) -> int:
        return len(self._events)

    def __repr__(self) -> str:
        return f"Events({len(self)} events)"

    def rows(self) -> list[dict[str, Any]]:
        """Every event as a mapping from its fields' names to their values."""
        return [{name: getattr(event, name) for name in EVENT_FIELDS} for event in self._events]

    def to_pandas(self) -> pd.DataFrame:
        """One row per event.

        Raises
        ------
        OptionError
            pandas is not installed.
        """
        from mien.study.record_files import data_frame

        return data_frame(self.rows(), EVENT_FIELDS)

    def save(self, path: str | Path) -> None:
        """Write them as their file's name asks.

        Parameters
        ----------
        path
            .csv or .parquet: one row per event, with a description of the columns beside it (.json);
            .eaf: tiers for ELAN; .TextGrid: tiers for Praat.

        Raises
        ------
        OptionError
            The ending is unknown, or a package that is needed is not installed.
        OutputError
            The file can't be written there.
        """
        from mien.results.annotation_tiers import ANNOTATION_SUFFIXES
        from mien.study.annotations import write_annotations
        from mien.study.record_files import write_events

        if Path(path).suffix.lower() in ANNOTATION_SUFFIXES:
            write_annotations(self, path, end_s=self.end_s)
        else:
            write_events(self.rows(), path)


def find_events(series: FaceSeries | Sequence[FaceSeries], options: SummaryOptions | None = None) -> Events:
    """Find all events of faces.

    Parameters
    ----------
    series
        One face, or several.
    options
        What counts.
    """
    options = options or SummaryOptions()
    faces = [series] if isinstance(series, FaceSeries) else series
    found = [event for face in faces for event in FaceEvents(face, options).found]
    ends = [face.time_s[-1] + face.period_s for face in faces if len(face)]
    return Events(found, max(ends, default=None))


class FaceEvents:
    """The events of one face.

    Parameters
    ----------
    series
        The face.
    options
        What counts.

    Attributes
    ----------
    usable
        (N,) bool: frames that count.
    at
        Those with a known time.
    found
        Every event.
    """

    def __init__(self, series: FaceSeries, options: SummaryOptions) -> None:
        self.series, self.options = series, options
        self.usable = usable(series.success, series.confidence, options.min_confidence)
        self._period_s = series.period_s
        self.at = self._samples(self.usable)
        self.found: list[Event] = list(self._all()) if self.timed else []

    @property
    def timed(self) -> bool:
        """Whether time is known, and events can be found."""
        return bool(np.isfinite(self._period_s))

    def of(self, name: str, signal: str) -> list[Event]:
        """Events of this name in this signal."""
        return [event for event in self.found if event.name == name and event.signal == signal]

    def _all(self) -> Iterator[Event]:
        series, rules = self.series, self.options
        for unit, values in series.intensity.items():
            yield from self._find(unit, values, rules.intensity, (ACTION_UNIT, INTENSITY))
        for unit, values in series.presence.items():
            strength = series.intensity.get(unit)
            yield from self._find(unit, values, rules.presence, (ACTION_UNIT, PRESENCE), strength)
        for pattern in COMPOSITES:
            strength = pattern.intensity(series)
            yield from self._find(pattern.name, strength, rules.intensity, (COMPOSITE, INTENSITY))
            present = pattern.presence(series)
            yield from self._find(pattern.name, present, rules.presence, (COMPOSITE, PRESENCE), strength)
        yield from self._find(BLINK, series.intensity.get(BLINK_UNIT), rules.blink_unit, (BLINK, INTENSITY))
        if series.eye_aspect is not None:
            shut = closure(series.eye_aspect, self.usable, self._period_s)
            yield from self._find(BLINK, shut, rules.blink_eyes, (BLINK, EYES))

    def _samples(self, known: NDArray[np.bool_]) -> Samples:
        return samples(self.series.time_s, known, self._period_s, self.options.bridge_s)

    def _find(
        self,
        name: str,
        values: Floats | None,
        rule: EventRule,
        what: tuple[str, str],
        strength: Floats | None = None,
    ) -> list[Event]:
        if values is None:
            return []
        missing = np.isnan(values)
        at = self._samples(self.usable & ~missing) if missing.any() else self.at
        spans = event_spans(values[at.row], at, rule)
        if strength is None:
            strength = np.full(len(values), np.nan) if what[1] == PRESENCE else values
        measured = strength[at.row]
        return [self._event(name, what, at, span, measured) for span in spans]

    def _event(
        self, name: str, what: tuple[str, str], at: Samples, span: tuple[int, int], measured: Floats
    ) -> Event:
        a, b = span
        inside = measured[a : b + 1]
        known = not np.isnan(inside).all()
        apex = a + int(np.nanargmax(inside)) if known else None
        # of three rows only: a recording has many events
        rows = self.series.frame
        peak = float(measured[apex]) if apex is not None else float("nan")
        onset_seen = not at.first[a]
        return Event(
            file=self.series.name,
            face_id=self.series.face_id,
            kind=what[0],
            name=name,
            signal=what[1],
            onset_s=float(at.begin_s[a]),
            apex_s=float(at.begin_s[apex]) if apex is not None else float("nan"),
            offset_s=float(at.end_s[b]),
            duration_s=float(at.end_s[b] - at.begin_s[a]),
            peak=peak,
            amplitude=peak - float(measured[a - 1]) if onset_seen else float("nan"),
            mean=float(np.nanmean(inside)) if known else float("nan"),
            onset_seen=int(onset_seen),
            offset_seen=int(not at.last[b]),
            onset_frame=int(rows[at.row[a]]),
            apex_frame=int(rows[at.row[apex]]) if apex is not None else 0,
            offset_frame=int(rows[at.row[b]]),
        )


def counts(found: Sequence[Event], usable_s: float) -> dict[str, float]:
    """Number of events, how many a minute of usable time, and how long they last on average, s."""
    nothing = float("nan")
    return {
        "events": len(found),
        "events_per_min": 60 * len(found) / usable_s if usable_s > 0 else nothing,
        "event_mean_s": float(np.mean([event.duration_s for event in found])) if found else nothing,
    }

"""Which action was asked for when: read from a CSV, a coded table, a JSON list, or tiers of ELAN or Praat."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import OptionError, SourceError
from mien.results.annotation_tiers import read_tiers

REST = "BL"
"""Code of the face at rest."""

_UNITS = {"s": 1.0, "ms": 1e-3, "frame": math.nan, "frames": math.nan}
_ENDINGS = ".csv, .json, .eaf or .TextGrid"


@dataclass(frozen=True, slots=True)
class Epoch:
    """One action.

    Attributes
    ----------
    start_s, end_s
        Frames with start_s <= time < end_s belong to it.
    action
        Its code or name; `REST` for the face at rest.
    """

    start_s: float
    end_s: float
    action: str

    def frames(self, time_s: NDArray[np.float64]) -> NDArray[np.bool_]:
        """(N,) bool: which of the frames at these times (N,) belong to it."""
        return np.asarray((time_s >= self.start_s - 1e-9) & (time_s < self.end_s - 1e-9))


@dataclass(frozen=True, slots=True)
class _Coded:
    """An epoch as it was read: numbers in their unit, and the row to blame."""

    start: float
    end: float
    unit: str
    action: str
    row: str

    @property
    def in_frames(self) -> bool:
        return math.isnan(_UNITS[self.unit])

    @property
    def reach(self) -> tuple[float, float]:
        """Start and end; of frames their numbers, from that before the first to the last."""
        if self.in_frames:
            return self.start - 1, self.end
        return self.start * _UNITS[self.unit], self.end * _UNITS[self.unit]

    @property
    def span(self) -> str:
        """For messages."""
        if self.in_frames:
            return f"frames {self.start:g} to {self.end:g}"
        return "{:g} to {:g} s".format(*self.reach)


@dataclass(frozen=True, slots=True)
class _Frames:
    """Times (N,) of a video's frames, and the numbers (N,) that people know them by."""

    time_s: NDArray[np.float64]
    number: NDArray[np.int64]

    @property
    def step_s(self) -> float:
        return float(np.median(np.diff(self.time_s))) if len(self.time_s) > 1 else 1.0

    @property
    def end_s(self) -> float:
        return float(self.time_s[-1]) + self.step_s if len(self.time_s) else 0.0

    @property
    def last(self) -> int:
        return int(self.number[-1]) if len(self.number) else 0

    def hold(self, one: _Coded) -> bool:
        """Whether all of an epoch lies within."""
        if not len(self.number):
            return False
        if one.in_frames:
            return bool(one.start >= self.number[0]) and one.end <= self.last
        start, end = one.reach
        return start > self.time_s[0] - self.step_s and end <= self.end_s + self.step_s


def read_epochs(
    path: str | Path,
    time_s: NDArray[np.float64],
    *,
    tier: str | None = None,
    frames: NDArray[np.int64] | None = None,
    partial: bool = False,
) -> tuple[Epoch, ...]:
    """Read epochs.

    Parameters
    ----------
    path
        One of: CSV with the columns start, end, action, in seconds, or in what a column ``unit`` says (s, ms,
        frame), or start_frame and end_frame, or start_ms and end_ms; a table with one row per frame and a
        column ``action``, empty where nothing is coded; JSON, a list of objects with action, start, end;
        a file of ELAN (.eaf) or Praat (.TextGrid). Frames count from 1; an end frame belongs to the epoch.
    time_s
        (N,) times of the video's frames: epochs must lie within.
    tier
        Tier of ELAN or Praat; by default the only one with annotations.
    frames
        (N,) numbers of the frames, counted from 1, where they are not the first N of the video.
    partial
        Whether these frames are only a part of the video: then epochs that do not lie within are left out.

    Returns
    -------
    tuple of Epoch
        In the order of time.

    Raises
    ------
    SourceError
        The file can't be read, or an epoch is impossible: the message names the row.
    OptionError
        pympi-ling is not installed, or a tier is asked for in a file that has none.
    """
    coded = _read(Path(path), tier)
    number = np.arange(1, len(time_s) + 1) if frames is None else frames
    video = _Frames(np.asarray(time_s), np.asarray(number))
    if partial:
        coded = [one for one in coded if video.hold(one)]
    return _placed(coded, video, Path(path))


def codes_in(path: str | Path, *, tier: str | None = None) -> frozenset[str]:
    """Which actions a file codes; all of it is checked that can be without the video.

    Raises
    ------
    SourceError, OptionError
        As `read_epochs`.
    """
    return frozenset(one.action for one in _read(Path(path), tier))


def _read(path: Path, tier: str | None) -> list[_Coded]:
    reader = {".csv": _read_csv, ".json": _read_json}.get(path.suffix.lower())
    tiers = path.suffix.lower() in (".eaf", ".textgrid")
    if reader is None and not tiers:
        raise SourceError(f"{path}: expected epochs in a file that ends in {_ENDINGS}")
    if tier is not None and not tiers:
        raise OptionError(f"tier is for files of ELAN and Praat; leave it out for {path}")
    if not path.is_file():
        raise SourceError(f"{path}: no such file; expected epochs")
    try:
        coded = _read_tiers(path, tier) if reader is None else reader(path)
    except (OSError, UnicodeDecodeError, csv.Error, json.JSONDecodeError) as error:
        raise SourceError(f"{path}: expected epochs, got {type(error).__name__}: {error}") from error
    if not coded:
        raise SourceError(f"{path}: expected at least one epoch, found none")
    for one in coded:
        _check_alone(one, path)
    for in_frames in (False, True):
        same = [one for one in coded if one.in_frames is in_frames]
        _refuse_overlaps([one.reach for one in same], same, path)
    return coded


def codes(epochs: Sequence[Epoch], time_s: NDArray[np.float64]) -> list[str]:
    """Action of every frame, empty for none."""
    result = [""] * len(time_s)
    for epoch in epochs:
        for frame in np.flatnonzero(epoch.frames(time_s)):
            result[frame] = epoch.action
    return result


def _read_csv(path: Path) -> list[_Coded]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        file.seek(0)
        # Spreadsheets of countries with decimal commas put semicolons between cells, or tabs.
        mark = next((mark for mark in ",;\t" if mark in first), ",")
        reader = csv.DictReader(file, skipinitialspace=True, delimiter=mark)
        header = [name.strip().lower() for name in reader.fieldnames or []]
        reader.fieldnames = header
        rows = [
            (f"row {reader.line_num}", row)
            for row in reader
            if any((v or "") for v in row.values() if isinstance(v, str))
        ]
    if "action" not in header:
        raise SourceError(f"{path}: expected a column named action, got {', '.join(header[:8]) or 'none'}")
    for start, end, unit in (
        ("start", "end", "s"),
        ("start_s", "end_s", "s"),
        ("start_ms", "end_ms", "ms"),
        ("start_frame", "end_frame", "frame"),
    ):
        if start in header and end in header:
            return [_from_cells(row, start, end, unit, where, path) for where, row in rows]
    if "frame" in header:
        return list(_runs(rows, path))
    raise SourceError(
        f"{path}: expected the columns start, end, action, or a column frame beside action, got "
        f"{', '.join(header[:8])}"
    )


def _filled(row: Mapping[str, Any]) -> bool:
    return any(isinstance(cell, str) and cell.strip() for cell in row.values())


def _from_cells(row: Mapping[str, Any], start: str, end: str, unit: str, where: str, path: Path) -> _Coded:
    said = str(row.get("unit") or unit).strip().lower()
    if said not in _UNITS:
        raise SourceError(f"{path}: {where}: expected the unit s, ms or frame, got {said!r}")
    action = str(row.get("action") or "").strip()
    if not action:
        raise SourceError(f"{path}: {where}: expected the name of an action, got none")
    first, last = (_number(row.get(name), name, where, path) for name in (start, end))
    return _Coded(first, last, said, action, where)


def _number(cell: Any, name: str, where: str, path: Path) -> float:
    try:
        value = float(cell.replace(",", ".") if isinstance(cell, str) else cell)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise SourceError(f"{path}: {where}: expected a number for {name}, got {cell!r}")
    return value


def _runs(rows: Sequence[tuple[str, Mapping[str, Any]]], path: Path) -> Iterator[_Coded]:
    """Epochs of a table with an action per frame: runs of frames that have the same."""
    begin: tuple[float, str, str] | None = None
    last = -math.inf
    for where, row in rows:
        frame, action = _number(row.get("frame"), "frame", where, path), str(row.get("action") or "").strip()
        if frame <= last:
            raise SourceError(
                f"{path}: {where}: expected frames in rising order, got {frame:g} after {last:g}"
            )
        if begin is not None and (action != begin[1] or frame != last + 1):
            yield _Coded(begin[0], last, "frame", begin[1], begin[2])
            begin = None
        if action and begin is None:
            begin = frame, action, where
        last = frame
    if begin is not None:
        yield _Coded(begin[0], last, "frame", begin[1], begin[2])


def _read_json(path: Path) -> list[_Coded]:
    items = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise SourceError(f"{path}: expected a list of objects with action, start and end")
    return [
        _from_cells(item, "start", "end", "s", f"entry {number}", path)
        for number, item in enumerate(items, start=1)
    ]


def _read_tiers(path: Path, tier: str | None) -> list[_Coded]:
    tiers = read_tiers(path)
    filled = {name: spans for name, spans in tiers.items() if spans}
    if tier is None and len(filled) == 1:
        (tier,) = filled
    if tier not in tiers:
        names = ", ".join(filled) or "none"
        wanted = "one tier with annotations" if tier is None else f"a tier {tier!r}"
        raise SourceError(f"{path}: expected {wanted}, found {names}; choose one with --tier")
    return [
        _Coded(start, end, "s", action, f"annotation {number} of tier {tier}")
        for number, (start, end, action) in enumerate(tiers[tier], start=1)
    ]


def _check_alone(one: _Coded, path: Path) -> None:
    """Refuse what is impossible in any video."""
    if one.in_frames:
        for frame in (one.start, one.end):
            if frame != int(frame) or frame < 1:
                raise SourceError(f"{path}: {one.row}: expected whole frames, counted from 1, got {frame:g}")
        if one.end < one.start:
            raise SourceError(
                f"{path}: {one.row}: ends at frame {one.end:g}, before its start at {one.start:g}"
            )
        return
    start, end = one.reach
    if start < 0:
        raise SourceError(f"{path}: {one.row}: expected a start of 0 s or later, got {one.span}")
    if not end > start:
        raise SourceError(f"{path}: {one.row}: expected an end after the start, got {one.span}")


def _placed(coded: Sequence[_Coded], video: _Frames, path: Path) -> tuple[Epoch, ...]:
    if len(video.time_s) > 1 and not video.step_s:
        raise SourceError(f"{path}: epochs need to know when the pictures were taken; say with fps")
    epochs = [_in_seconds(one, video, path) for one in coded]
    _refuse_overlaps([(epoch.start_s, epoch.end_s) for epoch in epochs], coded, path)
    return tuple(sorted(epochs, key=lambda epoch: epoch.start_s))


def _in_seconds(one: _Coded, video: _Frames, path: Path) -> Epoch:
    if not one.in_frames:
        start, end = one.reach
        if end > video.end_s + video.step_s:
            raise SourceError(
                f"{path}: {one.row}: {one.span} goes on after the end of the video at {video.end_s:.3f} s"
            )
        return Epoch(start, end, one.action)
    for frame in (one.start, one.end):
        if frame > video.last:
            raise SourceError(
                f"{path}: {one.row}: frame {frame:g} comes after the end of the video at {video.last}"
            )
        if frame < video.number[0]:
            raise SourceError(
                f"{path}: {one.row}: frame {frame:g} comes before the first that is there, {video.number[0]}"
            )
    first, after = np.searchsorted(video.number, (one.start, one.end + 1))
    end = video.time_s[after] if after < len(video.time_s) else video.end_s
    return Epoch(float(video.time_s[first]), float(end), one.action)


def _refuse_overlaps(spans: Sequence[tuple[float, float]], coded: Sequence[_Coded], path: Path) -> None:
    order = sorted(range(len(spans)), key=lambda index: spans[index][0])
    for before, after in pairwise(order):
        if spans[after][0] < spans[before][1] - 1e-6:
            one, other = coded[after], coded[before]
            raise SourceError(
                f"{path}: {one.row}: {one.action}, {one.span}, overlaps {other.action}, {other.span} "
                f"({other.row})"
            )

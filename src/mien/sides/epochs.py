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

from mien.errors import SourceError
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


def read_epochs(
    path: str | Path, time_s: NDArray[np.float64], *, tier: str | None = None
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

    Returns
    -------
    tuple of Epoch
        In the order of time.

    Raises
    ------
    SourceError
        The file can't be read, or an epoch is impossible: the message names the row.
    OptionError
        pympi-ling is not installed.
    """
    path = Path(path)
    reader = {".csv": _read_csv, ".json": _read_json, ".eaf": _read_tiers, ".textgrid": _read_tiers}.get(
        path.suffix.lower()
    )
    if reader is None:
        raise SourceError(f"{path}: expected epochs in a file that ends in {_ENDINGS}")
    try:
        coded = reader(path, tier) if reader is _read_tiers else reader(path)  # type: ignore[operator]
    except (OSError, UnicodeDecodeError, csv.Error, json.JSONDecodeError) as error:
        raise SourceError(f"{path}: expected epochs, got {type(error).__name__}: {error}") from error
    return _checked([_in_seconds(one, time_s, path) for one in coded], coded, time_s, path)


def codes(epochs: Sequence[Epoch], time_s: NDArray[np.float64]) -> list[str]:
    """Action of every frame, empty for none."""
    result = [""] * len(time_s)
    for epoch in epochs:
        for frame in np.flatnonzero(epoch.frames(time_s)):
            result[frame] = epoch.action
    return result


def _read_csv(path: Path) -> list[_Coded]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, skipinitialspace=True)
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
        value = float(cell)
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


def _in_seconds(one: _Coded, time_s: NDArray[np.float64], path: Path) -> Epoch:
    if one.unit in ("s", "ms"):
        return Epoch(one.start * _UNITS[one.unit], one.end * _UNITS[one.unit], one.action)
    for frame in (one.start, one.end):
        if frame != int(frame) or frame < 1:
            raise SourceError(f"{path}: {one.row}: expected whole frames, counted from 1, got {frame:g}")
        if frame > len(time_s):
            raise SourceError(
                f"{path}: {one.row}: frame {frame:g} comes after the end of the video at {len(time_s)}"
            )
    if one.end < one.start:
        raise SourceError(f"{path}: {one.row}: ends at frame {one.end:g}, before its start at {one.start:g}")
    last = int(one.end)
    end = time_s[last] if last < len(time_s) else time_s[-1] + _step(time_s)
    return Epoch(float(time_s[int(one.start) - 1]), float(end), one.action)


def _step(time_s: NDArray[np.float64]) -> float:
    return float(np.median(np.diff(time_s))) if len(time_s) > 1 else 1.0


def _checked(
    epochs: list[Epoch], coded: Sequence[_Coded], time_s: NDArray[np.float64], path: Path
) -> tuple[Epoch, ...]:
    if not epochs:
        raise SourceError(f"{path}: expected at least one epoch, found none")
    length = float(time_s[-1]) + _step(time_s) if len(time_s) else 0.0
    for epoch, one in zip(epochs, coded, strict=True):
        span = f"{epoch.start_s:g} to {epoch.end_s:g} s"
        if epoch.start_s < 0:
            raise SourceError(f"{path}: {one.row}: expected a start of 0 s or later, got {span}")
        if not epoch.end_s > epoch.start_s:
            raise SourceError(f"{path}: {one.row}: expected an end after the start, got {span}")
        if epoch.end_s > length + _step(time_s):
            raise SourceError(
                f"{path}: {one.row}: {span} goes on after the end of the video at {length:.3f} s"
            )
    order = sorted(range(len(epochs)), key=lambda index: epochs[index].start_s)
    for before, after in pairwise(order):
        if epochs[after].start_s < epochs[before].end_s - 1e-6:
            raise SourceError(
                f"{path}: {coded[after].row}: {epochs[after].action} from {epochs[after].start_s:g} s "
                f"overlaps {epochs[before].action} until {epochs[before].end_s:g} s ({coded[before].row})"
            )
    return tuple(epochs[index] for index in order)

"""Coded actions summed up: what each side did, how far apart the sides are, what moved along.

Numbers only. Nothing here is a grade, and no number has a limit above which a face would be ill.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mien.action_units.catalogue import INTENSITY_NAMES
from mien.shape.mirror import SIDES
from mien.sides.epochs import REST, Epoch
from mien.sides.measures import SIDE_MEASURES
from mien.sides.side_tables import write_rows

if TYPE_CHECKING:
    from mien.sides.result import SidesResult

INTENSITY_FLOOR = 0.3
"""Points of intensity that the stronger side must move for a comparison of the sides."""
_PLATEAU, _ONSET = 0.8, 0.2
_SMOOTH = 5
_MOST_LAG_S = 0.5

COUPLINGS: tuple[tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...] = (
    ("ocular-oral", ("AU01", "AU02", "AU45"), ("AU12", "AU14", "AU25"), ("RE", "ES", "ET", "BK")),
    ("oral-ocular", ("AU12", "AU25"), ("AU06", "AU45"), ("SS", "BS", "SO", "SE", "PL", "LT")),
    ("snarl-smile", ("AU12",), ("AU10", "AU14", "AU15"), ("SS", "BS")),
    ("mentalis", ("AU12", "AU15"), ("AU17",), ()),
)
"""Movements that may go together after a palsy: name, triggers, what moves along, actions (none: all)."""

_STATISTICS = ("baseline", "plateau", "p95", "change", "peak_time", "onset_time", "peak")
_PAIRED = ("ratio", "index", "percent_difference", "correlation", "lag")
_DECIMALS = {"ratio": 3, "index": 3, "percent_difference": 1, "correlation": 3, "lag": 3}


@dataclass(frozen=True, slots=True)
class Curve:
    """One measure of both sides over time.

    Attributes
    ----------
    name, unit
        What it is.
    values
        (2, N) float64, left and right.
    floor
        Change of the stronger side below which the sides are not compared.
    """

    name: str
    unit: str
    values: NDArray[np.float64]
    floor: float


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One measure in one epoch.

    Attributes
    ----------
    epoch
        Number of the epoch, counted from 1.
    action, start_s, end_s
        The epoch.
    frames, usable
        Frames of it, and those that count.
    kind
        "action unit", "measure" or "coupling".
    measure, unit
        What the numbers are about.
    sides
        By name of the statistic, its values for left and right.
    paired
        By name of the statistic, one value for both sides.
    """

    epoch: int
    action: str
    start_s: float
    end_s: float
    frames: int
    usable: int
    kind: str
    measure: str
    unit: str
    sides: dict[str, tuple[float, float]]
    paired: dict[str, float]


class ActionTable:
    """All measures of all epochs: a sequence of `ActionRow`."""

    def __init__(self, rows: Sequence[ActionRow]) -> None:
        self.rows = tuple(rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[ActionRow]:
        return iter(self.rows)

    header: tuple[str, ...] = (
        *("epoch", "action", "start", "end", "frames", "usable", "kind", "measure", "unit"),
        *(f"{name}_{side}" for name in _STATISTICS for side in SIDES),
        *_PAIRED,
    )

    def cells(self) -> list[list[str]]:
        """Rows as text; empty where nothing was measured, or the sides moved too little to be compared."""
        return [_cells(row) for row in self.rows]

    def save(self, path: str | Path) -> None:
        """Write the table as CSV.

        Raises
        ------
        OutputError
            It can't be written there.
        """
        write_rows(self.header, self.cells(), Path(path))

    def to_pandas(self) -> Any:
        """The same as a pandas.DataFrame, unrounded."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    **{name: getattr(row, name) for name in ("epoch", "action", "start_s", "end_s")},
                    **{name: getattr(row, name) for name in ("frames", "usable", "kind", "measure", "unit")},
                    **{f"{k}_{side}": row.sides[k][s] for k in row.sides for s, side in enumerate(SIDES)},
                    **row.paired,
                }
                for row in self.rows
            ]
        )


def summarise(result: SidesResult, epochs: Sequence[Epoch]) -> ActionTable:
    """Sum up every epoch.

    Baseline is the median over all usable frames coded `REST`. Without such it is empty, and so is what
    depends on it: a face at rest is not guessed.

    Parameters
    ----------
    result
        Both sides of a video.
    epochs
        From `mien.sides.epochs.read_epochs`.

    Returns
    -------
    ActionTable
    """
    time_s = result.video.time_s
    usable = result.usable
    resting = np.zeros(len(time_s), np.bool_)
    for epoch in epochs:
        if epoch.action == REST:
            resting |= epoch.frames(time_s)
    curves = curves_of(result)
    base = {curve.name: _median(curve.values, resting & usable) for curve in curves}
    rows: list[ActionRow] = []
    for number, epoch in enumerate(epochs, start=1):
        inside = epoch.frames(time_s)
        good = inside & usable
        counts = int(inside.sum()), int(good.sum())
        row = partial(ActionRow, number, epoch.action, epoch.start_s, epoch.end_s, *counts)
        made: list[ActionRow] = []
        for curve in curves:
            kind = "action unit" if curve.unit == "points" else "measure"
            sides, paired = _compare(curve, base[curve.name], good, time_s, epoch)
            made.append(row(kind, curve.name, curve.unit, sides, paired))
        rows += made + _couplings(made, row, epoch.action)
    return ActionTable(rows)


def curves_of(result: SidesResult) -> list[Curve]:
    """Everything that both sides have."""
    found = []
    if result.intensity is not None:
        for unit, name in enumerate(INTENSITY_NAMES):
            found.append(Curve(name, "points", result.intensity[:, :, unit], INTENSITY_FLOOR))
    found += [Curve(m.name, m.unit, result.measures[m.name], m.floor) for m in SIDE_MEASURES]
    return [*found, Curve("closure", "pct", result.closure, 10.0)]


def _compare(
    curve: Curve,
    base: NDArray[np.float64],
    good: NDArray[np.bool_],
    time_s: NDArray[np.float64],
    epoch: Epoch,
) -> tuple[dict[str, tuple[float, float]], dict[str, float]]:
    """Statistics of one measure in one epoch."""
    values = curve.values[:, good]
    values = values[:, np.isfinite(values).all(axis=0)]
    times = time_s[good][np.isfinite(curve.values[:, good]).all(axis=0)]
    each = [_one_side(side, at_rest, times, epoch) for side, at_rest in zip(values, base, strict=True)]
    sides = {name: (each[0][name], each[1][name]) for name in _STATISTICS}
    left, right = sides["change"]
    paired = dict.fromkeys(_PAIRED, np.nan)
    a, b = abs(left), abs(right)
    if epoch.action != REST and max(a, b) >= curve.floor:
        paired["ratio"] = min(a, b) / max(a, b)
        paired["index"] = (a - b) / (a + b)
        paired["percent_difference"] = min(200.0, 100 * abs(a - b) / ((a + b) / 2))
        paired["correlation"], paired["lag"] = _together(values, times)
    elif epoch.action == REST and curve.unit != "points":
        a, b = sides["plateau"]
        if min(a, b) > 0:
            paired["ratio"] = min(a, b) / max(a, b)
            paired["index"] = (a - b) / (a + b)
            paired["percent_difference"] = min(200.0, 100 * abs(a - b) / ((a + b) / 2))
    return sides, paired


def _one_side(
    values: NDArray[np.float64], at_rest: float, times: NDArray[np.float64], epoch: Epoch
) -> dict[str, float]:
    """Statistics of one side. The peak is the largest departure from rest, up or down."""
    found = dict.fromkeys(_STATISTICS, np.nan)
    found["baseline"] = float(at_rest)
    if not len(values):
        return found
    if not np.isfinite(at_rest) or epoch.action == REST:
        found["plateau"] = float(np.median(values))
        found["p95"], found["peak"] = float(np.percentile(values, 95)), float(values.max())
        return found
    moved = values - at_rest
    smooth = smoothed(moved)
    sign = 1.0 if smooth.max() >= -smooth.min() else -1.0
    peak = int((sign * smooth).argmax())
    run = longest_run(sign * smooth >= _PLATEAU * sign * smooth[peak])
    found["plateau"] = float(np.median(values[run]))
    found["change"] = found["plateau"] - at_rest
    found["p95"] = float(at_rest + sign * np.percentile(sign * moved, 95))
    found["peak"] = float(values[(sign * moved).argmax()])
    found["peak_time"] = float(times[peak] - epoch.start_s)
    begun = np.flatnonzero(sign * smooth[: peak + 1] < _ONSET * sign * smooth[peak])
    found["onset_time"] = float(times[begun[-1] + 1 if len(begun) else 0] - epoch.start_s)
    return found


def smoothed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centred mean of five frames (N,), fewer at the ends."""
    width = min(_SMOOTH, len(values) - (len(values) + 1) % 2)
    kernel = np.ones(width)
    return np.asarray(np.convolve(values, kernel, "same") / np.convolve(np.ones(len(values)), kernel, "same"))


def longest_run(flags: NDArray[np.bool_]) -> slice:
    """The longest run of true flags (N,); the first of equal ones."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    starts, ends = edges[::2], edges[1::2]
    if not len(starts):
        return slice(0, len(flags))
    best = int((ends - starts).argmax())
    return slice(int(starts[best]), int(ends[best]))


def _together(values: NDArray[np.float64], times: NDArray[np.float64]) -> tuple[float, float]:
    """Correlation of the sides, and by how many seconds the left side comes later; NaN from too little."""
    if values.shape[1] < _SMOOTH or (values.std(axis=1) < 1e-9).any():
        return np.nan, np.nan
    correlation = _correlation(values[0], values[1])
    step = float(np.median(np.diff(times)))
    most = min(int(_MOST_LAG_S / step) if step > 0 else 0, values.shape[1] // 2)
    left, right = values[0] - values[0].mean(), values[1] - values[1].mean()
    score = {}
    for lag in range(-most, most + 1):
        a, b = left[max(0, lag) : len(left) + min(0, lag)], right[max(0, -lag) : len(right) - max(0, lag)]
        score[lag] = _correlation(a, b) if len(a) > 3 and a.std() > 0 and b.std() > 0 else -1.0
    best = max(score, key=lambda lag: (score[lag], -abs(lag)))
    return correlation, best * step


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    matrix: NDArray[np.float64] = np.corrcoef(np.stack((one, other)))
    return float(matrix[0, 1])


def _couplings(rows: Sequence[ActionRow], make: Callable[..., ActionRow], action: str) -> list[ActionRow]:
    """What moved along, per side: its change over that of the trigger, and how far the eyes narrowed."""
    change = {row.measure: row.sides["change"] for row in rows}
    found = {}
    for name, triggers, followers, actions in COUPLINGS:
        if "AU12" not in change or (actions and action not in actions):
            continue
        for trigger, follower in product(triggers, followers):
            found[f"{name} {follower}/{trigger}", "ratio"] = _over(change[follower], change[trigger])
    (fissure,) = (row.sides for row in rows if row.measure == "fissure_height")
    (left, right), (a, b) = fissure["change"], fissure["baseline"]
    found["fissure narrowing", "pct"] = -100 * left / a, -100 * right / b
    blank = dict.fromkeys(_STATISTICS, (np.nan, np.nan))
    nothing = dict.fromkeys(_PAIRED, np.nan)
    return [
        make("coupling", label, unit, blank | {"change": values}, nothing)
        for (label, unit), values in found.items()
        if np.isfinite(values).any()
    ]


def _over(follower: tuple[float, float], trigger: tuple[float, float]) -> tuple[float, float]:
    left, right = (
        one / other if abs(other) >= INTENSITY_FLOOR else np.nan
        for one, other in zip(follower, trigger, strict=True)
    )
    return left, right


def _median(values: NDArray[np.float64], frames: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Median (2,) over frames; NaN without any."""
    chosen = values[:, frames]
    chosen = chosen[:, np.isfinite(chosen).all(axis=0)]
    return np.median(chosen, axis=1) if chosen.shape[1] else np.full(2, np.nan)


def _cells(row: ActionRow) -> list[str]:
    cells = [str(row.epoch), row.action, f"{row.start_s:.3f}", f"{row.end_s:.3f}"]
    cells += [str(row.frames), str(row.usable), row.kind, row.measure, row.unit]
    cells += [_text(value, 3) for name in _STATISTICS for value in row.sides[name]]
    return cells + [_text(row.paired[name], _DECIMALS[name]) for name in _PAIRED]


def _text(value: float, places: int) -> str:
    return "" if not np.isfinite(value) else f"{value:.{places}f}"

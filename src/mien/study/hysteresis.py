"""Events in one signal: where it rises above a threshold, until it has fallen below a lower one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.study.rules import EventRule

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Samples:
    """Times at which something is known, in order.

    A sample stands for the time until the next one. Where the next one is further than a bridge away, nothing
    is known in between: a stretch ends, and its last sample stands for the usual period.

    Attributes
    ----------
    row
        (N,) rows of the samples in the recording.
    begin_s, end_s
        (N,) float64: the time that each sample stands for, s.
    first
        (N,) bool: whether a stretch begins with it.
    """

    row: NDArray[np.intp]
    begin_s: Floats
    end_s: Floats
    first: NDArray[np.bool_]

    @property
    def last(self) -> NDArray[np.bool_]:
        """(N,) bool: whether a stretch ends with it."""
        return np.append(self.first[1:], True)[: len(self.first)]

    @property
    def seconds(self) -> float:
        """Time that is known altogether, s."""
        return float((self.end_s - self.begin_s).sum())


def samples(time_s: Floats, known: NDArray[np.bool_], period_s: float, bridge_s: float) -> Samples:
    """Samples of a recording.

    Parameters
    ----------
    time_s
        (N,) time of every frame, s, not decreasing.
    known
        (N,) which frames count.
    period_s
        Usual time from one frame to the next; NaN gives no samples, since time is unknown.
    bridge_s
        Samples further apart than this, and than one and a half periods, belong to different stretches.
    """
    usable = known & np.isfinite(time_s) & np.isfinite(period_s)
    row = np.flatnonzero(usable)
    begin = time_s[row]
    first, end = np.ones(len(row), np.bool_), begin + period_s
    if len(row) > 1:
        # A hair's breadth more: times are sums of thirtieths, rounded to thousandths.
        first[1:] = np.diff(begin) > max(bridge_s + period_s, 1.5 * period_s) + 1e-6
        end[:-1] = np.where(first[1:], end[:-1], begin[1:])
    return Samples(row, begin, end, first)


def event_spans(values: Floats, at: Samples, rule: EventRule) -> list[tuple[int, int]]:
    """Find events.

    Parameters
    ----------
    values
        (N,) the signal at every sample.
    at
        The samples.
    rule
        What counts.

    Returns
    -------
    list of (int, int)
        First and last sample of every event, in order.
    """
    spans = [
        (a, b) for a, b in _runs(values >= rule.lower, at.first) if values[a : b + 1].max() >= rule.upper
    ]
    return [
        (a, b)
        for a, b in _joined(spans, at, rule.min_gap_s)
        if rule.min_duration_s - 1e-6 <= at.end_s[b] - at.begin_s[a] <= rule.max_duration_s + 1e-6
    ]


def _runs(above: NDArray[np.bool_], first: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last index of every run of true values; a new stretch begins a new run."""
    if not above.any():
        return []
    before, after = np.append(False, above[:-1]), np.append(above[1:], False)
    next_first = np.append(first[1:], True)
    starts = np.flatnonzero(above & (~before | first))
    ends = np.flatnonzero(above & (~after | next_first))
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def _joined(spans: list[tuple[int, int]], at: Samples, min_gap_s: float) -> list[tuple[int, int]]:
    """Events with a shorter pause between them become one, within a stretch."""
    joined: list[tuple[int, int]] = []
    for a, b in spans:
        near = joined and at.begin_s[a] - at.end_s[joined[-1][1]] < min_gap_s - 1e-6
        if near and not at.first[joined[-1][1] + 1 : a + 1].any():
            joined[-1] = (joined[-1][0], b)
        else:
            joined.append((a, b))
    return joined

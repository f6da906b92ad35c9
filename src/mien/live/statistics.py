"""How a live analysis keeps up: latency, rate, dropped frames."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

_STEP_S = 1e-4
_LONGEST_S = 10.0
_RECENT = 31
"""Results that the current rate is taken from."""


@dataclass(frozen=True, slots=True)
class LiveSummary:
    """A live analysis in numbers.

    Attributes
    ----------
    frames
        Analysed frames.
    dropped
        Frames that were not analysed because a later one was there already.
    seconds
        From the first result to the last.
    latency_median_s, latency_95_s, latency_worst_s
        Time from the capture of a frame to its result, to 0.1 ms; NaN without frames.
    """

    frames: int
    dropped: int
    seconds: float
    latency_median_s: float
    latency_95_s: float
    latency_worst_s: float


class LiveStatistics:
    """Counts results, in constant memory however long the analysis runs."""

    def __init__(self) -> None:
        self._counts = np.zeros(round(_LONGEST_S / _STEP_S) + 1, np.int64)
        self._moments: deque[float] = deque(maxlen=_RECENT)
        self._first_s = self._worst_s = float("nan")
        self.frames = 0
        self.dropped = 0

    def add(self, moment_s: float, latency_s: float, dropped: int) -> None:
        """Count a result.

        Parameters
        ----------
        moment_s
            When it came, on any clock.
        latency_s
            How long after the capture of its frame.
        dropped
            Frames dropped since the start.
        """
        if not self.frames:
            self._first_s, self._worst_s = moment_s, latency_s
        self.frames += 1
        self.dropped = dropped
        self._worst_s = max(self._worst_s, latency_s)
        self._moments.append(moment_s)
        self._counts[min(max(0, round(latency_s / _STEP_S)), len(self._counts) - 1)] += 1

    @property
    def fps(self) -> float:
        """Results per second over the last second or so; NaN before the second result."""
        moments = self._moments
        if len(moments) < 2 or moments[-1] <= moments[0]:
            return float("nan")
        return (len(moments) - 1) / (moments[-1] - moments[0])

    def latency_s(self, quantile: float) -> float:
        """Latency that this share of the results did not exceed; NaN before the first result."""
        if not self.frames:
            return float("nan")
        rank = min(self.frames, int(quantile * self.frames) + 1)
        return float((self._counts.cumsum() >= rank).argmax()) * _STEP_S

    def summary(self) -> LiveSummary:
        """All of it."""
        seconds = self._moments[-1] - self._first_s if self._moments else 0.0
        return LiveSummary(
            self.frames, self.dropped, seconds, self.latency_s(0.5), self.latency_s(0.95), self._worst_s
        )

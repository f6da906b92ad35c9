"""Every Nth frame is analysed, the ones between are interpolated from both sides: only when asked for."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import ActionUnitSeries, FaceResult, Frame
from mien.errors import OptionError
from mien.pipeline import Pipeline

_ANGLES = slice(1, 4)
"""Euler angles among the global parameters."""


class SparsePipeline:
    """Runs a pipeline on every Nth frame.

    Between two analysed frames with a face everything is interpolated linearly, presences are those of the
    nearer one. Where one of the two failed, and after the last one, frames repeat the nearest analysed one.

    Parameters
    ----------
    pipeline
        What analyses the chosen frames.
    every
        N; the first frame is chosen.

    Raises
    ------
    OptionError
        N is less than 1.
    """

    def __init__(self, pipeline: Pipeline, every: int) -> None:
        if every < 1:
            raise OptionError(f"every: expected 1 or more, got {every}")
        self._pipeline = pipeline
        self._every = every
        self._rows: list[tuple[int, int, float]] = []

    def run(self, frames: Iterable[Frame]) -> Generator[FaceResult, None, None]:
        """Results of all frames, in order; see `Pipeline.run`."""
        between: deque[tuple[int, float]] = deque()
        self._rows = []
        self._analysed = 0
        before: FaceResult | None = None
        with closing(self._pipeline.run(self._chosen(frames, between))) as results:
            for after in results:
                while between and between[0][0] < after.frame:
                    assert before is not None
                    yield self._between(before, after, *between.popleft())
                self._rows.append((self._analysed, self._analysed, 0.0))
                self._analysed += 1
                yield after
                before = after
        while between and before is not None:
            yield self._between(before, before, *between.popleft())

    def finish(self) -> ActionUnitSeries | None:
        """Action units of all frames since `run` began; see `Pipeline.finish`."""
        series = self._pipeline.finish()
        if series is None or not self._rows:
            return series
        first, second = (np.array([row[k] for row in self._rows]) for k in (0, 1))
        # The later neighbour of the last frames may never have been analysed.
        second = np.minimum(second, len(series.intensity) - 1)
        share = np.array([row[2] for row in self._rows])
        nearest = np.where(share > 0.5, second, first)
        measures = {
            name: _mix(values[first], values[second], share) for name, values in series.measures.items()
        }
        intensity = _mix(series.intensity[first], series.intensity[second], share[:, None])
        return ActionUnitSeries(intensity, series.presence[nearest], measures)

    def _chosen(
        self, frames: Iterable[Frame], between: deque[tuple[int, float]]
    ) -> Generator[Frame, None, None]:
        iterator = iter(frames)
        try:
            for count, frame in enumerate(iterator):
                if count % self._every:
                    between.append((frame.index, frame.time_s))
                else:
                    yield frame
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()

    def _between(self, before: FaceResult, after: FaceResult, frame: int, time_s: float) -> FaceResult:
        span = after.frame - before.frame
        share = (frame - before.frame) / span if span else 0.0
        if not (before.landmarks.valid and after.landmarks.valid):
            share = float(share > 0.5)
        self._rows.append((self._analysed - 1, self._analysed if span else self._analysed - 1, share))
        nearest = after if share > 0.5 else before
        if share in (0.0, 1.0):
            return dataclasses.replace(nearest, frame=frame, time_s=time_s)
        between: FaceResult = _mix(before, after, share)
        return dataclasses.replace(between, frame=frame, time_s=time_s)


def _mix(a: Any, b: Any, share: Any) -> Any:
    """Linear interpolation of all numbers, in the type of ``a``; what is no number is the nearer one's."""
    if a is None or b is None:
        return None
    if isinstance(a, np.ndarray):
        return np.asarray(a + (b - a) * share, a.dtype)
    if isinstance(a, float | np.floating):
        return a + (b - a) * share
    if isinstance(a, dict):
        return {name: _mix(value, b[name], share) for name, value in a.items()}
    if dataclasses.is_dataclass(a) and not isinstance(a, type):
        names = [field.name for field in dataclasses.fields(a)]
        mixed = {
            name: _OTHERWISE.get(name, _mix)(getattr(a, name), getattr(b, name), share) for name in names
        }
        return dataclasses.replace(a, **mixed)
    return _nearer(a, b, share)


def _nearer(a: Any, b: Any, share: float) -> Any:
    return b if share > 0.5 else a


def _both(a: bool, b: bool, share: float) -> bool:
    return a and b


def _mix_angles(a: NDArray[Any], b: NDArray[Any], share: float) -> Any:
    """The shorter way around."""
    turn = (b - a + np.pi) % (2 * np.pi) - np.pi
    return np.asarray(a + turn * share, a.dtype)


def _mix_placement(a: NDArray[np.float32], b: NDArray[np.float32], share: float) -> Any:
    place = _mix(a, b, share)
    place[_ANGLES] = _mix_angles(a[_ANGLES], b[_ANGLES], share)
    return place


def _mix_directions(a: NDArray[np.float64], b: NDArray[np.float64], share: float) -> Any:
    """Of unit length again."""
    directions = _mix(a, b, share)
    length = np.linalg.norm(directions, axis=1, keepdims=True)
    return np.divide(directions, length, out=np.zeros_like(directions), where=length > 0)


_OTHERWISE: dict[str, Callable[[Any, Any, Any], Any]] = {
    "global_params": _mix_placement,
    "rotation_rad": _mix_angles,
    "angle_rad": _mix_angles,
    "directions": _mix_directions,
    "presence": _nearer,
    "success": _both,
}
"""Fields that are interpolated in a way of their own."""

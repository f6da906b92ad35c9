"""Every Nth frame is analysed, the ones between are interpolated from both sides: only when asked for."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Generator, Iterable
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import (
    ActionUnits,
    ActionUnitSeries,
    Blendshapes,
    FaceLandmarks,
    FaceResult,
    Frame,
    Gaze,
    HeadPose,
)
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
        return FaceResult(
            frame=frame,
            time_s=time_s,
            face_id=nearest.face_id,
            landmarks=_mix_landmarks(before.landmarks, after.landmarks, nearest.landmarks, share),
            landmarks_3d=_mix(before.landmarks_3d, after.landmarks_3d, share),
            pose=HeadPose(
                _mix(before.pose.translation_mm, after.pose.translation_mm, share),
                _mix_angles(before.pose.rotation_rad, after.pose.rotation_rad, share),
            ),
            gaze=_mix_gaze(before.gaze, after.gaze, share),
            action_units=_mix_units(before.action_units, after.action_units, nearest.action_units, share),
        )


def _mix(a: Any, b: Any, share: Any) -> Any:
    """Linear interpolation in the type of ``a``."""
    return np.asarray(a + (b - a) * share, a.dtype) if isinstance(a, np.ndarray) else a + (b - a) * share


def _mix_angles(a: NDArray[Any], b: NDArray[Any], share: float) -> Any:
    """The shorter way around."""
    turn = (b - a + np.pi) % (2 * np.pi) - np.pi
    return np.asarray(a + turn * share, a.dtype)


def _mix_landmarks(a: FaceLandmarks, b: FaceLandmarks, nearest: FaceLandmarks, share: float) -> FaceLandmarks:
    place = _mix(a.global_params, b.global_params, share)
    place[_ANGLES] = _mix_angles(a.global_params[_ANGLES], b.global_params[_ANGLES], share)
    return dataclasses.replace(
        nearest,
        points=_mix(a.points, b.points, share),
        object_shape=_mix(a.object_shape, b.object_shape, share),
        global_params=place,
        local_params=_mix(a.local_params, b.local_params, share),
        confidence=_mix(a.confidence, b.confidence, share),
        success=a.success and b.success,
        mesh=None if a.mesh is None or b.mesh is None else _mix(a.mesh, b.mesh, share),
    )


def _mix_gaze(a: Gaze | None, b: Gaze | None, share: float) -> Gaze | None:
    if a is None or b is None:
        return None
    directions = _mix(a.directions, b.directions, share)
    length = np.linalg.norm(directions, axis=1, keepdims=True)
    return Gaze(
        directions=np.divide(directions, length, out=np.zeros_like(directions), where=length > 0),
        angle_rad=_mix_angles(a.angle_rad, b.angle_rad, share),
        eye_points=_mix(a.eye_points, b.eye_points, share),
        eye_points_3d=_mix(a.eye_points_3d, b.eye_points_3d, share),
    )


def _mix_units(
    a: ActionUnits | None, b: ActionUnits | None, nearest: ActionUnits | None, share: float
) -> ActionUnits | None:
    if a is None or b is None or nearest is None:
        return None
    measures = {name: _mix(value, b.measures[name], share) for name, value in a.measures.items()}
    shapes = _mix_blendshapes(a.blendshapes, b.blendshapes, share)
    return ActionUnits(_mix(a.intensity, b.intensity, share), nearest.presence, measures, shapes)


def _mix_blendshapes(a: Blendshapes | None, b: Blendshapes | None, share: float) -> Blendshapes | None:
    if a is None or b is None:
        return None
    return Blendshapes(_mix(a.coefficients, b.coefficients, share), _mix(a.logits, b.logits, share))

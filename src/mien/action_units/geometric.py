"""Action units and expression measures from the geometry of the face mesh (open-models.md §11)."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mien.action_units.catalogue import INTENSITY_NAMES, PRESENCE_NAMES
from mien.action_units.mesh_measures import RAW_NAMES, RULES, raw_measures
from mien.datatypes import ActionUnits, ActionUnitSeries, Appearance, FaceLandmarks, TrackedFace
from mien.shape.canonical_face import CanonicalFace, align

GAINS = {"AU01": 1.5, "AU02": 1.7, "AU06": 2.1, "AU12": 0.7, "AU25": 0.6, "AU26": 1.0, "AU45": 1.7}
"""Intensity per nominal cm; only its order of magnitude compares with OpenFace's (fitted on its output)."""
MAX_YAW_RAD = math.radians(30)
LIVE_FRAMES = 30
"""A live neutral exists from this many measured frames on."""
RECORDED_FRAMES = 60
"""A recording's own neutral exists from this many measured frames on."""

_WORDS = len(RAW_NAMES) - len(RULES)
_GROWTH = 1.05


def _series_names() -> tuple[str, ...]:
    measures = RAW_NAMES[:_WORDS]
    return measures + tuple(f"{name}_change" for name in measures) + tuple(f"{name}_cm" for name in RULES)


MEASURE_NAMES = _series_names()
"""Every measure that is reported: as it is, relative to the person's neutral, and the action units in cm."""


class GeometricActionUnits:
    """Measures one person's expression relative to their neutral face.

    The neutral is the median over the person's frames, which assumes that the face is neutral most of the
    time: a recording that smiles throughout has its smile as neutral. Frames without a face, and frames in
    which the head is turned too far aside, are not measured.

    Parameters
    ----------
    face
        The canonical face.
    neutral
        The person's neutral, as `neutral` gives it, from another recording. By default the recording's own,
        which takes 60 measured frames (30 for the live values).
    max_yaw_rad
        Frames with the head turned further to the side are not measured; None measures all.
    """

    def __init__(
        self,
        face: CanonicalFace,
        *,
        neutral: Mapping[str, float] | None = None,
        max_yaw_rad: float | None = MAX_YAW_RAD,
    ) -> None:
        self._face = face
        self._given = None if neutral is None else np.array([neutral[name] for name in RAW_NAMES])
        self._max_yaw = math.inf if max_yaw_rad is None else max_yaw_rad
        self.reset()

    def reset(self) -> None:
        """Forget the person."""
        self._rows = array("f")
        self._measured = 0
        self._live = self._given
        self._live_frames = 0

    def analyze(self, face: TrackedFace, appearance: Appearance | None = None) -> ActionUnits:
        """Measure one frame, relative to the neutral as known so far.

        Parameters
        ----------
        face
            Its landmarks with ``mesh`` and ``global_params`` as the mesh tracker gives them.
        appearance
            Not read: the mesh says it all.

        Returns
        -------
        ActionUnits
            Live values, not smoothed in time. All presences are NaN, and so is every intensity before a
            neutral is known.
        """
        raw = self._measure(face.landmarks)
        self._rows.extend(raw.tolist())
        if not math.isnan(raw[0]):
            self._measured += 1
            self._refresh_live_neutral()
        change = np.full(len(RAW_NAMES), np.nan) if self._live is None else raw - self._live
        series = _assemble(raw[None], change[None])
        measures = {name: float(values[0]) for name, values in series.measures.items()}
        return ActionUnits(series.intensity[0], series.presence[0], measures)

    def finish(self) -> ActionUnitSeries:
        """Measure all frames since the start, relative to the neutral of the whole recording.

        Changes and intensities are centred means of three frames; a gap ends a run, and at the ends of a
        run its edge counts twice.

        Returns
        -------
        ActionUnitSeries
            With one row per analysed frame; ``measures`` under the names of `MEASURE_NAMES`, lengths in
            nominal cm; all presences NaN. Changes and intensities are NaN throughout where fewer than 60
            frames were measured and no neutral was given.
        """
        raw = self._table()
        neutral = self._neutral(RECORDED_FRAMES)
        change = np.full_like(raw, np.nan) if neutral is None else smooth(raw - neutral)
        return _assemble(raw, change)

    @property
    def neutral(self) -> dict[str, float] | None:
        """Neutral of the frames so far, for other recordings of the person; None before 60 frames."""
        neutral = self._neutral(RECORDED_FRAMES)
        return None if neutral is None else dict(zip(RAW_NAMES, neutral.tolist(), strict=True))

    def _measure(self, landmarks: FaceLandmarks) -> NDArray[np.float64]:
        mesh = landmarks.mesh
        if mesh is None or not landmarks.valid or abs(landmarks.global_params[2]) > self._max_yaw:
            return np.full(len(RAW_NAMES), np.nan)
        return raw_measures(align(self._face, mesh).normalise(mesh))

    def _refresh_live_neutral(self) -> None:
        """Take the median anew whenever the recording has grown by a twentieth; between, it hardly moves."""
        if self._given is None and self._measured >= max(LIVE_FRAMES, _GROWTH * self._live_frames):
            self._live = self._neutral(LIVE_FRAMES)
            self._live_frames = self._measured

    def _neutral(self, least_frames: int) -> NDArray[np.float64] | None:
        if self._given is not None:
            return self._given
        if self._measured < least_frames:
            return None
        rows = self._table()
        return np.asarray(np.median(rows[~np.isnan(rows[:, 0])], axis=0))

    def _table(self) -> NDArray[np.float64]:
        return np.array(self._rows, np.float64).reshape(-1, len(RAW_NAMES))


def smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centred mean of three frames within each run of measured frames.

    Parameters
    ----------
    values
        (N, K) float64; NaN rows are gaps.

    Returns
    -------
    ndarray
        (N, K) float64; gaps stay gaps, and the frames beside them count themselves twice.
    """
    before, after = values.copy(), values.copy()
    before[1:], after[:-1] = values[:-1], values[1:]
    before, after = (np.where(np.isnan(side), values, side) for side in (before, after))
    return np.asarray((before + values + after) / 3)


def _assemble(raw: NDArray[np.float64], change: NDArray[np.float64]) -> ActionUnitSeries:
    """Name the columns of (N, 21) raw values and of their changes against the neutral."""
    intensity = np.full((len(raw), len(INTENSITY_NAMES)), np.nan)
    for column, name in enumerate(RULES, start=_WORDS):
        intensity[:, INTENSITY_NAMES.index(name)] = np.clip(GAINS[name] * change[:, column], 0, 5)
    columns = [*raw.T[:_WORDS], *change.T]
    measures = dict(zip(MEASURE_NAMES, columns, strict=True))
    return ActionUnitSeries(intensity, np.full((len(raw), len(PRESENCE_NAMES)), np.nan), measures)

"""Action units and expression measures of a face mesh, relative to the person's neutral face."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from mien.action_units.blendshapes import BlendshapeNetwork, no_blendshapes
from mien.action_units.catalogue import INTENSITY_NAMES, PRESENCE_NAMES
from mien.action_units.mesh_formulas import (
    SIDED_UNITS,
    SIDES,
    SIGNALS,
    Signals,
    side_units,
    signals_of,
    whole_units,
)
from mien.action_units.mesh_measures import RAW_NAMES, RULES, raw_measures
from mien.datatypes import (
    ActionUnits,
    ActionUnitSeries,
    Appearance,
    Blendshapes,
    FaceLandmarks,
    TrackedFace,
)
from mien.shape.canonical_face import CanonicalFace, align

MAX_YAW_RAD = math.radians(30)
LIVE_FRAMES = 30
"""A live neutral exists from this many measured frames on."""
RECORDED_FRAMES = 60
"""A recording's own neutral exists from this many measured frames on."""

_WORDS = len(RAW_NAMES) - len(RULES)
_GROWTH = 1.05


def _series_names() -> tuple[str, ...]:
    measures = RAW_NAMES[:_WORDS]
    changes = tuple(f"{name}_change" for name in measures) + tuple(f"{name}_cm" for name in RULES)
    return measures + changes + tuple(f"{name}_{side}" for side in SIDES for name in SIDED_UNITS)


MEASURE_NAMES = _series_names()
"""Measures as they are, relative to the person's neutral, and action units in cm and by side."""


class MeshActionUnits:
    """Measures one person's expression.

    What needs a neutral face is relative to the median over the person's frames, which assumes that the face
    is neutral most of the time. Frames without a face, and frames in which the head is turned too far aside,
    are not measured.

    Parameters
    ----------
    face
        The canonical face.
    blendshapes
        Reads the blendshapes; None leaves action units to geometry.
    neutral
        The person's neutral, as `neutral` gives it, from another recording. By default the recording's own,
        which takes 60 measured frames (30 for the live values). Without one, such as in a picture, the
        action units of ``mien.action_units.mesh_formulas.UNITS_WITHOUT_NEUTRAL`` are measured.
    max_yaw_rad
        Frames with the head turned further to the side are not measured; None measures all. Blendshapes are
        reported of all.
    """

    def __init__(
        self,
        face: CanonicalFace,
        blendshapes: BlendshapeNetwork | None = None,
        *,
        neutral: Mapping[str, float] | None = None,
        max_yaw_rad: float | None = MAX_YAW_RAD,
    ) -> None:
        self._face = face
        self._blendshapes = blendshapes
        self._given = None if neutral is None else np.array([neutral[name] for name in SIGNALS])
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
            Live values, not smoothed in time. All presences are NaN, and so is every intensity that needs a
            neutral before that is known.
        """
        shapes = self._read(face.landmarks)
        signals = self._measure(face.landmarks, shapes)
        self._rows.extend(signals.tolist())
        if not math.isnan(signals[0]):
            self._measured += 1
            self._refresh_live_neutral()
        series = _assemble(signals[None], self._live)
        measures = {name: float(values[0]) for name, values in series.measures.items()}
        return ActionUnits(series.intensity[0], series.presence[0], measures, shapes)

    def finish(self) -> ActionUnitSeries:
        """Measure all frames since the start, relative to the neutral of the whole recording.

        Changes and intensities are centred means of three frames; a gap ends a run, and at the ends of a
        run its edge counts twice.

        Returns
        -------
        ActionUnitSeries
            With one row per analysed frame; ``measures`` under the names of `MEASURE_NAMES`, lengths in
            nominal cm; all presences NaN. Where fewer than 60 frames were measured and no neutral was
            given, changes are NaN throughout, and so are intensities that need a neutral.
        """
        return _assemble(self._table(), self._neutral(RECORDED_FRAMES), smooth)

    @property
    def neutral(self) -> dict[str, float] | None:
        """Neutral of the frames so far, for other recordings of the person; None before 60 frames."""
        neutral = self._neutral(RECORDED_FRAMES)
        return None if neutral is None else dict(zip(SIGNALS, neutral.tolist(), strict=True))

    def _read(self, landmarks: FaceLandmarks) -> Blendshapes | None:
        if self._blendshapes is None:
            return None
        if landmarks.mesh is None or not landmarks.valid:
            return no_blendshapes()
        return self._blendshapes.read(landmarks.mesh)

    def _measure(self, landmarks: FaceLandmarks, shapes: Blendshapes | None) -> NDArray[np.float64]:
        mesh = landmarks.mesh
        if mesh is None or not landmarks.valid or abs(landmarks.global_params[2]) > self._max_yaw:
            return np.full(len(SIGNALS), np.nan)
        raw = raw_measures(align(self._face, mesh).normalise(mesh))
        return signals_of(raw, (shapes or no_blendshapes()).logits)

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
        return np.array(self._rows, np.float64).reshape(-1, len(SIGNALS))


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


def _assemble(
    table: NDArray[np.float64],
    neutral: NDArray[np.float64] | None,
    smoothed: Callable[[NDArray[np.float64]], NDArray[np.float64]] = np.asarray,
) -> ActionUnitSeries:
    """Name measures and action units of (N, 37) signals, relative to a neutral (37,)."""
    signals = Signals(table, neutral)
    by_side = [side_units(signals, side) for side in SIDES]
    whole = whole_units(signals, by_side)
    intensity = np.full((len(table), len(INTENSITY_NAMES)), np.nan)
    intensity[:, [INTENSITY_NAMES.index(name) for name in whole]] = np.column_stack(list(whole.values()))
    raw = table[:, : len(RAW_NAMES)]
    change = np.full_like(raw, np.nan) if neutral is None else raw - neutral[: len(RAW_NAMES)]
    sides = np.column_stack([units[name] for units in by_side for name in SIDED_UNITS])
    columns = [*raw.T[:_WORDS], *smoothed(change).T, *smoothed(sides).T]
    measures = dict(zip(MEASURE_NAMES, columns, strict=True))
    presence = np.full((len(table), len(PRESENCE_NAMES)), np.nan)
    return ActionUnitSeries(smoothed(intensity), presence, measures)

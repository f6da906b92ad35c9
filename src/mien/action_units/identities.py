"""Action units of several people in one video, each relative to their own neutral face."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mien.action_units.catalogue import INTENSITY_NAMES, PRESENCE_NAMES
from mien.datatypes import ActionUnits, ActionUnitSeries, Appearance, TrackedFace


class PersonAnalyzer(Protocol):
    """Action units of one person."""

    def analyze(self, face: TrackedFace, appearance: Appearance | None) -> ActionUnits:
        """Live values in the next frame in which the person is seen."""
        ...

    def finish(self) -> ActionUnitSeries:
        """Values of all of these frames."""
        ...


class IdentityAnalyzers:
    """One analyzer per person, made when the person is first seen.

    Frames in which a person is not seen do not exist for their analyzer: neutral face, zero of intensity
    and smoothing come from the person's own frames, as if these followed one another.

    Parameters
    ----------
    make
        Makes the analyzer of one person.
    """

    def __init__(self, make: Callable[[], PersonAnalyzer]) -> None:
        self._make = make
        self.reset()

    def reset(self) -> None:
        """Forget everybody: the next frame starts another video."""
        self._analyzers: dict[int, PersonAnalyzer] = {}
        self._rows: list[int] = []

    def analyze(self, face: TrackedFace, appearance: Appearance | None) -> ActionUnits:
        """Analyse one face of the next frame.

        Parameters
        ----------
        face
            One of its faces; the faces of a frame may come in any order, each once.
        appearance
            How it looks, where the analyzers read that.

        Returns
        -------
        ActionUnits
            Live values.
        """
        if face.face_id not in self._analyzers:
            self._analyzers[face.face_id] = self._make()
        self._rows.append(face.face_id)
        return self._analyzers[face.face_id].analyze(face, appearance)

    def finish(self) -> ActionUnitSeries:
        """Action units of all rows so far, each person's post-processed by itself."""
        order = np.array(self._rows, np.int64)
        intensity = np.full((len(order), len(INTENSITY_NAMES)), np.nan)
        presence = np.full((len(order), len(PRESENCE_NAMES)), np.nan)
        measures: dict[str, NDArray[np.float64]] = {}
        for face_id, analyzer in self._analyzers.items():
            rows, series = order == face_id, analyzer.finish()
            intensity[rows], presence[rows] = series.intensity, series.presence
            for name, values in series.measures.items():
                measures.setdefault(name, np.full(len(order), np.nan))[rows] = values
        return ActionUnitSeries(intensity, presence, measures)

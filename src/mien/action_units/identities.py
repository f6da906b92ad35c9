"""Action units of several people in one video, each relative to their own neutral face."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mien.action_units.catalogue import INTENSITY_NAMES, PRESENCE_NAMES
from mien.datatypes import ActionUnits, FaceLandmarks, Frame, TrackedFace


class PersonSeries(Protocol):
    """Post-processed action units of one person."""

    @property
    def intensity(self) -> NDArray[np.float64]:
        """(N, 17) float64."""
        ...

    @property
    def presence(self) -> NDArray[np.float64]:
        """(N, 18) float64."""
        ...


class FaceAnalyzer(Protocol):
    """Action units of a face."""

    def analyze(self, frame: Frame, landmarks: FaceLandmarks) -> ActionUnits:
        """Live values; of one person, in the next frame in which the person is seen."""
        ...


class PersonAnalyzer(FaceAnalyzer, Protocol):
    """Action units of one person."""

    def finish(self) -> PersonSeries:
        """Values of all of these frames."""
        ...


@dataclass(frozen=True, slots=True)
class RowSeries:
    """Post-processed action units of the rows of a video: faces in the order in which they were analysed.

    Attributes
    ----------
    intensity, presence
        (N, 17), (N, 18) float64; NaN where not measured.
    measures
        Further (N,) float64 arrays by name.
    """

    intensity: NDArray[np.float64]
    presence: NDArray[np.float64]
    measures: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)


class IdentityAnalyzers:
    """One analyzer per person, made when the person is first seen.

    Frames in which a person is not seen do not exist for their analyzer: neutral face, zero of intensity
    and smoothing come from the person's own frames, as if these followed one another.

    Parameters
    ----------
    make
        Makes the analyzer of one person.
    extractor
        What describes the faces' appearance, for outputs that need it.
    """

    def __init__(self, make: Callable[[], PersonAnalyzer], *, extractor: Any = None) -> None:
        self._make = make
        self.extractor = extractor
        self.reset()

    def reset(self) -> None:
        """Forget everybody: the next frame starts another video."""
        self._analyzers: dict[int, PersonAnalyzer] = {}
        self._rows: list[int] = []
        self._last: PersonAnalyzer | None = None

    @property
    def last(self) -> Any:
        """What the analyzer of the last face keeps of it (see ``ActionUnitAnalyzer.last``)."""
        return getattr(self._last, "last", None)

    def analyze(self, frame: Frame, face: TrackedFace) -> ActionUnits:
        """Analyse one face of the next frame.

        Parameters
        ----------
        frame
            The picture.
        face
            One of its faces; the faces of a frame may come in any order, each once.

        Returns
        -------
        ActionUnits
            Live values.
        """
        if face.face_id not in self._analyzers:
            self._analyzers[face.face_id] = self._make()
        self._last = self._analyzers[face.face_id]
        self._rows.append(face.face_id)
        return self._last.analyze(frame, face.landmarks)

    def finish(self) -> RowSeries:
        """Action units of all rows so far, each person's post-processed by itself."""
        order = np.array(self._rows, np.int64)
        intensity = np.full((len(order), len(INTENSITY_NAMES)), np.nan)
        presence = np.full((len(order), len(PRESENCE_NAMES)), np.nan)
        measures: dict[str, NDArray[np.float64]] = {}
        for face_id, analyzer in self._analyzers.items():
            rows, series = order == face_id, analyzer.finish()
            intensity[rows], presence[rows] = series.intensity, series.presence
            for name, values in getattr(series, "measures", {}).items():
                measures.setdefault(name, np.full(len(order), np.nan))[rows] = values
        return RowSeries(intensity, presence, measures)


class IndependentFaces:
    """Action units of faces that have nothing to do with one another, not even from frame to frame.

    Parameters
    ----------
    analyzer
        Analyses one face at a time.
    """

    def __init__(self, analyzer: FaceAnalyzer) -> None:
        self._analyzer = analyzer

    @property
    def last(self) -> Any:
        """What the analyzer keeps of the last face."""
        return getattr(self._analyzer, "last", None)

    @property
    def extractor(self) -> Any:
        """What describes the faces' appearance; None where nothing does."""
        return getattr(self._analyzer, "extractor", None)

    def analyze(self, frame: Frame, face: TrackedFace) -> ActionUnits:
        """Analyse one of the faces of a frame."""
        return self._analyzer.analyze(frame, face.landmarks)

    def finish(self) -> None:
        """Nothing is known at the end that was not known before."""

    def reset(self) -> None:
        """Nothing is remembered."""

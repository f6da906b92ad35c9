"""Looks at every frame of an ordinary analysis and keeps what both sides need: one pass over the video."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mien.action_units.analyzer import ScoreKeeper, StaticActionUnitAnalyzer
from mien.action_units.history import RowHistory
from mien.action_units.predictors import N_INTENSITY, N_OUTPUTS, PredictorSet
from mien.action_units.scores import ClipScores
from mien.datatypes import ActionUnits, Appearance, FaceLandmarks, FaceResult, Frame
from mien.models.records import ActionUnitRecord
from mien.sides.composite import CompositeMaker
from mien.sides.midplane import MidplaneFinder
from mien.sides.relative import BothSeries
from mien.sides.sketch import FaceSketch, Sketcher, openface_sketcher

Composites = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""Pictures of the composites of the left and of the right side, (h, w, 3) uint8, blue, green, red."""
Watcher = Callable[[Frame, FaceResult, FaceSketch | None, Composites | None], None]
"""Is shown a frame, its face, how it lies, and the composites where they are made."""

Unbiased = Callable[[Frame, FaceLandmarks], FaceLandmarks]
"""Landmarks of a face without the bias of what found them."""


class SideReader(Protocol):
    """Reads action units from both sides of a face."""

    def read(self, frame: Frame, face: FaceResult, sketch: FaceSketch | None) -> Composites | None:
        """Read the next frame, all or nothing of it; ``sketch`` is None where there is no face."""
        ...


class ScoringReader(SideReader, Protocol):
    """A reader for videos: what action units are relative to is decided at the end."""

    def scores(self) -> tuple[ClipScores, ClipScores]:
        """All that the action units of the left and of the right side are computed from."""
        ...


class DirectReader:
    """Composites mirrored from the landmarks of the whole face, see `CompositeMaker`.

    Parameters
    ----------
    record
        Dynamic predictors, their shape model and triangles.
    predictors
        Those of ``record``.
    """

    def __init__(self, record: ActionUnitRecord, predictors: PredictorSet) -> None:
        self._composites = CompositeMaker(record)
        self._keeper = ScoreKeeper(record, predictors, 2)

    def read(self, frame: Frame, face: FaceResult, sketch: FaceSketch | None) -> Composites | None:
        """Read the next frame."""
        if sketch is None:
            self._keeper.add(None)
            return None
        left, right = (made.appearance for made in self._composites.make(frame, sketch.midplane))
        self._keeper.add((left, right))
        return left.aligned.bgr, right.aligned.bgr

    def scores(self) -> tuple[ClipScores, ClipScores]:
        """Scores of the left and of the right side."""
        left, right = self._keeper.scores()
        return left, right


@dataclass(frozen=True, slots=True)
class Layout:
    """How the face lay in every frame of a video; N rows.

    Attributes
    ----------
    found
        (N,) bool: whether there was a face.
    inside
        (N,) bool: whether all of its landmarks lie in the picture, whatever size that had.
    face
        (N, 68, 2) float64, mm of the shape model, in the face's own frame; NaN without a face.
    irises, iris_radius
        (N, 2, 2) and (N,) float64, likewise; see `mien.sides.sketch.FaceSketch`.
    scale
        (N,) float64, px per mm of the shape model.
    yaw_rad, nod_rad, tilt_rad
        (N,) float64, see `mien.sides.midplane.Midplane`.
    """

    found: NDArray[np.bool_]
    inside: NDArray[np.bool_]
    face: NDArray[np.float64]
    irises: NDArray[np.float64]
    iris_radius: NDArray[np.float64]
    scale: NDArray[np.float64]
    yaw_rad: NDArray[np.float64]
    nod_rad: NDArray[np.float64]
    tilt_rad: NDArray[np.float64]


class SidesObserver:
    """Takes every frame and its faces from a pipeline (see `mien.pipeline.Observer`).

    Parameters
    ----------
    sketch
        Lays a face out in its own frame.
    reader
        Reads action units; None measures only.
    watch
        Is shown every frame too.
    unbiased
        Takes the tracker's bias out of landmarks before they are laid out; asked once for every face.
    """

    def __init__(
        self,
        sketch: Sketcher,
        reader: SideReader | None,
        watch: Watcher | None = None,
        *,
        unbiased: Unbiased | None = None,
    ) -> None:
        self._unbiased = unbiased or _as_they_are
        self._sketch = sketch
        self._reader = reader
        self._watch = watch
        self._rows = RowHistory(68 * 2 + 4 + 6, np.float32)

    @property
    def reader(self) -> SideReader | None:
        """What reads action units."""
        return self._reader

    def observe(self, frame: Frame, faces: Sequence[FaceResult], looks: Sequence[Appearance | None]) -> None:
        """Take in the next frame, face by face."""
        for face in faces:
            marks = self._unbiased(frame, face.landmarks)
            sketch = self._sketch(marks) if marks.valid else None
            composites = None if self._reader is None else self._reader.read(frame, face, sketch)
            # Where a frame can't be read, none of both has a row of it.
            self._rows.append(np.nan if sketch is None else _row(sketch, frame, face.landmarks))
            if self._watch is not None:
                self._watch(frame, face, sketch, composites)

    def layout(self) -> Layout:
        """All frames so far."""
        rows = self._rows.array().astype(np.float64)
        face, irises, others = np.split(rows, [68 * 2, 68 * 2 + 4], axis=1)
        *lengths, inside = others.T
        return Layout(
            np.isfinite(rows[:, 0]),
            inside == 1,
            face.reshape(-1, 68, 2),
            irises.reshape(-1, 2, 2),
            *(np.ascontiguousarray(column) for column in lengths),
        )


def _as_they_are(frame: Frame, landmarks: FaceLandmarks) -> FaceLandmarks:
    return landmarks


def _row(sketch: FaceSketch, frame: Frame, landmarks: FaceLandmarks) -> NDArray[np.float64]:
    plane, points = sketch.midplane, landmarks.points
    right, bottom = points.max(axis=0).tolist()
    inside = bool(points.min() > -0.5) and right < frame.size[0] - 0.5 and bottom < frame.size[1] - 0.5
    numbers = sketch.iris_radius, plane.scale, plane.yaw_rad, plane.nod_rad, plane.tilt_rad, inside
    return np.concatenate((plane.face[:, :2].reshape(-1), sketch.irises.reshape(-1), numbers))


def direct_sketcher(record: ActionUnitRecord) -> Sketcher:
    """Sketches for composites, with the shape model of the predictors."""
    return openface_sketcher(MidplaneFinder(record.pdm))


class PictureReader:
    """Action units of both sides of faces in pictures, which know no neutral face.

    Parameters
    ----------
    record
        Static predictors, their shape model and triangles.
    """

    def __init__(self, record: ActionUnitRecord) -> None:
        self._composites = CompositeMaker(record)
        self._analyzer = StaticActionUnitAnalyzer(record)
        self._rows: list[tuple[ActionUnits, ActionUnits] | None] = []

    def read(self, frame: Frame, face: FaceResult, sketch: FaceSketch | None) -> Composites | None:
        """Read the next face."""
        if sketch is None:
            self._rows.append(None)
            return None
        left, right = (made.appearance for made in self._composites.make(frame, sketch.midplane))
        self._rows.append((self._analyzer.observe(left), self._analyzer.observe(right)))
        return left.aligned.bgr, right.aligned.bgr

    def series(self) -> BothSeries:
        """All faces so far."""
        intensity = np.full((2, len(self._rows), N_INTENSITY), np.nan)
        presence = np.full((2, len(self._rows), N_OUTPUTS - N_INTENSITY), np.nan)
        for at, row in enumerate(self._rows):
            if row is not None:
                intensity[:, at] = [side.intensity for side in row]
                presence[:, at] = [side.presence for side in row]
        return BothSeries(intensity, intensity.copy(), presence)

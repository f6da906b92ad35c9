"""Action units of one person: live, for a whole video, and for single images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mien.action_units.catalogue import PRESENCE_NAMES
from mien.action_units.geometry import ShapeDescriptor
from mien.action_units.history import RowHistory
from mien.action_units.live_correction import LiveCorrection
from mien.action_units.postprocess import MAX_INTENSITY, finish_intensity, replace_first, vote_presence
from mien.action_units.predictors import N_INTENSITY, N_OUTPUTS, PredictorSet
from mien.action_units.running_median import RunningMedian, TalliedMedian
from mien.action_units.scores import ClipScores, PredictorFacts
from mien.datatypes import FHOG_LENGTH, ActionUnits, ActionUnitSeries, Appearance, TrackedFace
from mien.errors import OptionError
from mien.models.records import ActionUnitRecord

MAX_REPREDICTED = 3000
"""Successful frames of a video that are predicted again, with the neutral face that its end gives."""


class _Reader:
    """What both analyzers share: the descriptor of a face and the predictors that look at it."""

    def __init__(self, record: ActionUnitRecord, predictors: PredictorSet | None) -> None:
        self.shape = ShapeDescriptor(record.pdm)
        self.predictors = predictors or PredictorSet(record.predictors)
        self.length = FHOG_LENGTH + self.shape.length
        if self.predictors.length != self.length:
            raise ValueError(f"expected predictors for {self.length} numbers, got {self.predictors.length}")

    def describe(self, appearance: Appearance, out: NDArray[np.float64]) -> None:
        """Appearance, then geometry, into ``out`` (length,); docs/algorithms/action-unit-predictors.md."""
        out[:FHOG_LENGTH] = appearance.fhog
        out[FHOG_LENGTH:] = self.shape.describe(appearance.local_params)


class ActionUnitAnalyzer:
    """Action units of one person in a video, frame by frame (docs/algorithms/action-unit-predictors.md).

    Whether a frame counts is decided by ``Appearance.good``. Memory does not grow with the video, except
    by 155 bytes per frame for the rows that post-processing needs.

    Parameters
    ----------
    record
        Predictors and shape model; dynamic predictors look at a frame relative to the person's neutral face.
        With static predictors only, nothing but smoothing depends on other frames.
    camera_source
        Whether the live intensities are corrected as the original corrects those of a camera.
    predictors
        The predictors of ``record``, to share them among several analyzers.
    keep_scores
        Whether `scores` will be asked for; takes 280 bytes more per frame.

    Raises
    ------
    ValueError
        The predictors do not fit the shape model or one another.
    """

    def __init__(
        self,
        record: ActionUnitRecord,
        *,
        camera_source: bool = False,
        keep_scores: bool = False,
        predictors: PredictorSet | None = None,
    ) -> None:
        self._reader = _Reader(record, predictors)
        self._camera = LiveCorrection(N_INTENSITY) if camera_source else None
        shape = self._reader.shape.length
        self._fhog_median = RunningMedian(FHOG_LENGTH, -0.005, 1.0, 1000, floor=0.0)
        self._shape_median = RunningMedian(shape, -60.0, 60.0, 10000)
        self._keep_scores = keep_scores
        self._adapts = bool(self._reader.predictors.dynamic.any())
        # Descriptor of the frame, descriptor of the neutral face.
        self._descriptors = np.zeros((2, self._reader.length))
        self._intensity = RowHistory(N_INTENSITY, np.float64)
        self._positive = RowHistory(len(PRESENCE_NAMES), np.bool_)
        self._ok = RowHistory(1, np.bool_)
        self._projections = RowHistory(N_OUTPUTS, np.float64)
        self.reset()

    def reset(self) -> None:
        """Forget the person: the next frame is the first of another video."""
        self._fhog_median.reset()
        self._shape_median.reset()
        self._neutral = np.zeros(N_OUTPUTS)
        for history in (self._intensity, self._positive, self._ok, self._projections):
            history.clear()
        if self._camera is not None:
            self._camera.reset()

    def analyze(self, face: TrackedFace, appearance: Appearance | None) -> ActionUnits:
        """Analyse the next frame of the video.

        Parameters
        ----------
        face
            Not read: the appearance says it all.
        appearance
            The face's; frames whose landmarks are not valid are analysed too, as failed ones.

        Returns
        -------
        ActionUnits
            Live values: raw intensities (corrected and between 0 and 5 only for a camera), zeros where the
            frame failed.
        """
        return self.observe(_needed(appearance))

    def observe(self, appearance: Appearance) -> ActionUnits:
        """As `analyze`, from the appearance alone."""
        ok = appearance.good
        predictors = self._reader.predictors
        self._reader.describe(appearance, self._descriptors[0])
        # Only every other frame moves the neutral face, whether it succeeded or not.
        adapts = self._adapts and len(self._ok) % 2 == 0
        if adapts:
            self._adapt(ok)
        projections = predictors.project(self._descriptors if adapts else self._descriptors[:1])
        if adapts:
            self._neutral = projections[1]
        outputs = predictors.scores(projections[0], self._neutral) if ok else predictors.blank
        if ok and (self._keep_scores or len(self._projections) < MAX_REPREDICTED):
            self._projections.append(projections[0])
        intensity, decisions = outputs[:N_INTENSITY], outputs[N_INTENSITY:]
        self._ok.append(ok)
        self._intensity.append(intensity)
        positive = decisions > 0
        self._positive.append(positive)
        live = intensity.copy() if self._camera is None else self._camera.apply(intensity, ok)
        return ActionUnits(live, predictors.classes(positive) if ok else decisions.copy())

    def _adapt(self, ok: bool) -> None:
        """Let the frame move the neutral face."""
        frame, neutral = self._descriptors
        self._fhog_median.update(frame[:FHOG_LENGTH], ok)
        self._shape_median.update(frame[FHOG_LENGTH:], ok)
        neutral[:FHOG_LENGTH] = self._fhog_median.value
        neutral[FHOG_LENGTH:] = self._shape_median.value

    def finish(self) -> ActionUnitSeries:
        """Action units of all frames so far, finished (docs/algorithms/action-unit-postprocessing.md).

        The first 3000 successful frames are predicted again with the neutral face as it is now, which needs
        their projections only. More frames may follow, and `finish` be called again.
        """
        predictors = self._reader.predictors
        ok = self._ok.array()[:, 0]
        intensity, positive = self._intensity.array(), self._positive.array()
        if self._adapts:
            again = predictors.scores(self._projections.array()[:MAX_REPREDICTED], self._neutral)
            intensity = replace_first(intensity, ok, again[:, :N_INTENSITY])
            positive = replace_first(positive, ok, again[:, N_INTENSITY:] > 0)
        missing = np.isnan(predictors.blank)
        intensity = finish_intensity(intensity, ok, predictors.cutoffs)
        intensity[:, missing[:N_INTENSITY]] = np.nan
        presence = predictors.classes(positive)
        presence[~ok] = 0.0
        presence = vote_presence(presence)
        presence[:, missing[N_INTENSITY:]] = np.nan
        return ActionUnitSeries(intensity, presence)

    def scores(self) -> ClipScores:
        """All that the action units of the frames so far can be computed from again, see `normalise`.

        Raises
        ------
        ValueError
            The analyzer was made without ``keep_scores``.
        """
        if not self._keep_scores:
            raise ValueError("expected an analyzer with keep_scores=True")
        predictors = self._reader.predictors
        ok = self._ok.array()[:, 0]
        late = np.flatnonzero(ok)[MAX_REPREDICTED:] if self._adapts else np.zeros(0, np.int64)
        return ClipScores(
            ok=ok,
            scores=predictors.scores(self._projections.array()),
            live_intensity=self._intensity.array()[late],
            live_positive=self._positive.array()[late],
            neutral=self._neutral.copy(),
            histograms=(self._fhog_median.histogram(), self._shape_median.histogram()),
            predictors=PredictorFacts.of(predictors),
        )


class ScoreKeeper:
    """Scores of several versions of one face, frame by frame, for action units that are wanted at the end.

    Each version's scores equal those of an `ActionUnitAnalyzer` of its own, but for live values, which that
    one keeps after 3000 successful frames. All are projected together, and medians are taken at the end.

    Parameters
    ----------
    record
        Predictors and shape model.
    predictors
        Those of ``record``.
    versions
        How many.
    """

    def __init__(self, record: ActionUnitRecord, predictors: PredictorSet, versions: int) -> None:
        self._reader = _Reader(record, predictors)
        shape = self._reader.shape.length
        self._medians = [
            (
                TalliedMedian(FHOG_LENGTH, -0.005, 1.0, 1000, floor=0.0),
                TalliedMedian(shape, -60.0, 60.0, 10000),
            )
            for _ in range(versions)
        ]
        self._descriptors = np.zeros((versions, self._reader.length))
        self._ok = RowHistory(1, np.bool_)
        self._projections = [RowHistory(N_OUTPUTS, np.float64) for _ in range(versions)]

    def add(self, appearances: Sequence[Appearance] | None) -> None:
        """Take the next frame: the appearance of every version, or None where it failed."""
        adapts = len(self._ok) % 2 == 0
        self._ok.append(appearances is not None)
        if appearances is None:
            return
        for appearance, descriptor in zip(appearances, self._descriptors, strict=True):
            self._reader.describe(appearance, descriptor)
        projected = self._reader.predictors.project(self._descriptors)
        for index, (fhog, shape) in enumerate(self._medians):
            self._projections[index].append(projected[index])
            if adapts:
                fhog.add(self._descriptors[index, :FHOG_LENGTH])
                shape.add(self._descriptors[index, FHOG_LENGTH:])

    def scores(self) -> list[ClipScores]:
        """Scores of every version."""
        predictors, ok = self._reader.predictors, self._ok.array()[:, 0]
        found = []
        for (fhog, shape), projections in zip(self._medians, self._projections, strict=True):
            counted = fhog.histogram(), shape.histogram()
            neutral = predictors.project(np.concatenate([one.value for one in counted])[None])[0]
            found.append(
                ClipScores(
                    ok=ok,
                    scores=predictors.scores(projections.array()),
                    live_intensity=np.zeros((0, N_INTENSITY)),
                    live_positive=np.zeros((0, len(PRESENCE_NAMES)), np.bool_),
                    neutral=neutral,
                    histograms=counted,
                    predictors=PredictorFacts.of(predictors),
                )
            )
        return found


class StaticActionUnitAnalyzer:
    """Action units of single pictures, without any knowledge of the person (docs/algorithms/pictures.md).

    Parameters
    ----------
    record
        Static predictors and shape model.

    Raises
    ------
    OptionError
        The record has dynamic predictors.
    ValueError
        The predictors do not fit the shape model or one another.
    """

    def __init__(self, record: ActionUnitRecord) -> None:
        self._reader = _Reader(record, None)
        if self._reader.predictors.dynamic.any():
            raise OptionError(
                "expected static action-unit predictors for single pictures, got dynamic ones; "
                "read main_static_svms.txt"
            )

    def reset(self) -> None:
        """Nothing is remembered."""

    def analyze(self, face: TrackedFace, appearance: Appearance | None) -> ActionUnits:
        """Action units of one face, whether or not its landmarks are valid; intensities from 0 to 5."""
        return self.observe(_needed(appearance))

    def observe(self, appearance: Appearance) -> ActionUnits:
        """As `analyze`, from the appearance alone."""
        predictors = self._reader.predictors
        descriptor = np.empty((1, self._reader.length))
        self._reader.describe(appearance, descriptor[0])
        outputs = predictors.scores(predictors.project(descriptor)[0])
        return ActionUnits(
            np.clip(outputs[:N_INTENSITY], 0.0, MAX_INTENSITY),
            predictors.classes(outputs[N_INTENSITY:] > 0),
        )

    def finish(self) -> None:
        """Nothing is known at the end that was not known before."""


def _needed(appearance: Appearance | None) -> Appearance:
    if appearance is None:
        raise ValueError("expected the appearance of the face, got none")
    return appearance

"""The linear scores of a recording: its action units can be computed from them again, without the video."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.action_units.histogram import MedianHistogram
from mien.action_units.predictors import PredictorSet


@dataclass(frozen=True, slots=True)
class PredictorFacts:
    """What post-processing needs to know of the predictors; never their weights.

    Attributes
    ----------
    dynamic
        (35,) bool: which outputs are relative to the person's neutral face.
    measured
        (35,) bool: which outputs have a predictor.
    cutoffs
        (17,) float64: quantile that counts as the zero of an intensity; NaN where there is none.
    classes
        (2, 18) float64: presence on the negative and on the positive side of the decision.
    fingerprint
        SHA-256 of weights and offsets: scores of different predictors do not go together.
    """

    dynamic: NDArray[np.bool_]
    measured: NDArray[np.bool_]
    cutoffs: NDArray[np.float64]
    classes: NDArray[np.float64]
    fingerprint: str

    @classmethod
    def of(cls, predictors: PredictorSet) -> PredictorFacts:
        """Facts of a set of predictors."""
        n_presence = len(predictors.blank) - len(predictors.cutoffs)
        sides = [predictors.classes(np.full(n_presence, positive)) for positive in (False, True)]
        return cls(
            dynamic=predictors.dynamic,
            measured=~np.isnan(predictors.blank),
            cutoffs=predictors.cutoffs,
            classes=np.array(sides),
            fingerprint=predictors.fingerprint(),
        )


@dataclass(frozen=True, slots=True)
class ClipScores:
    """Scores of one person in one recording; N frames, G of them successful.

    The score of a dynamic output is (x - mu - m) w + b, with the neutral face m. Kept
    are the part that does not depend on m, and the products m w that do.

    Attributes
    ----------
    ok
        (N,) bool: which frames succeeded.
    scores
        (G, 35) float64: (x - mu) w + b of the successful frames; 17 intensities, then 18 decisions.
    live_intensity, live_positive
        (L, 17) float64 and (L, 18) bool: raw intensities and signs of the decisions relative to the neutral
        face as it was then, for the successful frames after the first 3000. L is 0 in shorter recordings.
    neutral
        (35,) float64: m w with the neutral face of the whole recording; zeros without dynamic outputs.
    histograms
        What the medians of appearance and of geometry have counted.
    predictors
        What the scores mean.
    """

    ok: NDArray[np.bool_]
    scores: NDArray[np.float64]
    live_intensity: NDArray[np.float64]
    live_positive: NDArray[np.bool_]
    neutral: NDArray[np.float64]
    histograms: tuple[MedianHistogram, MedianHistogram]
    predictors: PredictorFacts

    def __post_init__(self) -> None:
        good = int(self.ok.sum())
        shapes = {
            "scores": (self.scores, (good, len(self.predictors.dynamic))),
            "neutral": (self.neutral, (len(self.predictors.dynamic),)),
            "live_positive": (
                self.live_positive,
                (len(self.live_intensity), len(self.predictors.classes[0])),
            ),
        }
        for name, (array, expected) in shapes.items():
            if array.shape != expected:
                raise ValueError(f"{name}: expected shape {expected}, got {array.shape}")

    def __len__(self) -> int:
        return len(self.ok)

    def relative_to(self, neutral: NDArray[np.float64]) -> NDArray[np.float64]:
        """Raw outputs (G, 35) of the successful frames relative to a neutral face, given as m w (35,)."""
        return np.asarray(self.scores - self.predictors.dynamic * neutral)

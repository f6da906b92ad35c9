"""What the action units of both sides are relative to: one neutral face and zero for both, or others.

The scores of the predictors are linear, so all of this is decided after the video, without its pictures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.action_units.normalisation import Baseline, normalise, person_baseline, pooled_neutral
from mien.action_units.postprocess import MAX_INTENSITY, smooth_intensity
from mien.action_units.predictors import N_INTENSITY, PredictorSet
from mien.action_units.scores import ClipScores
from mien.errors import OptionError

BothScores = tuple[ClipScores, ClipScores]
"""Scores of the left and of the right side; N frames, G of them successful on both."""


@dataclass(frozen=True, slots=True)
class BothSeries:
    """Action units of both sides of a video; sides in the order left, right.

    Attributes
    ----------
    intensity
        (2, N, 17) float64, 0 to 5; NaN where there was no face.
    static
        The same without any neutral face and zero, as if every frame stood for itself.
    presence
        (2, N, 18) float64, 0 or 1; NaN where there was no face.
    """

    intensity: NDArray[np.float64]
    static: NDArray[np.float64]
    presence: NDArray[np.float64]


def pooled(scores: BothScores, predictors: PredictorSet) -> Baseline:
    """One neutral face and one zero of both sides, so that an asymmetry at rest and a silent side remain."""
    if not scores[0].ok.any():
        return Baseline()
    return person_baseline(scores, pooled_neutral(scores, predictors))


def resting(scores: BothScores, predictors: PredictorSet, frames: NDArray[np.bool_], what: str) -> Baseline:
    """What frames (N,) at rest give: the median of every score over them and over both sides.

    That counts as the zero of the intensities, too.

    Raises
    ------
    OptionError
        No face was found in them; ``what`` names them.
    """
    at_rest = frames[scores[0].ok]
    if not at_rest.any():
        raise OptionError(f"neutral {what}: expected frames with a face at rest, found none")
    middle = np.median(np.concatenate([clip.scores[at_rest] for clip in scores]), axis=0)
    constant = predictors.scores(np.zeros(len(middle)))
    dynamic = predictors.dynamic
    # What a dynamic output shows at rest is then its constant part; of a static one it is the median.
    offsets = np.where(dynamic, constant, 0.0)[:N_INTENSITY]
    rest = np.where(dynamic, 0.0, np.clip(middle, 0.0, MAX_INTENSITY))[:N_INTENSITY]
    return Baseline(np.where(dynamic, middle - constant, 0.0), np.nan_to_num(offsets), np.nan_to_num(rest))


def series_of(scores: BothScores, baseline: Baseline | None) -> BothSeries:
    """Action units of both sides; without a baseline each side is relative to itself, as if filmed alone."""
    both = [normalise(clip, baseline) for clip in scores]
    return BothSeries(
        np.stack([_seen(series.intensity, clip) for series, clip in zip(both, scores, strict=True)]),
        np.stack([_static(clip) for clip in scores]),
        np.stack([_seen(series.presence, clip) for series, clip in zip(both, scores, strict=True)]),
    )


def _static(clip: ClipScores) -> NDArray[np.float64]:
    """Intensities (N, 17) relative to nothing."""
    raw = np.zeros((len(clip), N_INTENSITY))
    raw[clip.ok] = np.clip(clip.scores[:, :N_INTENSITY], 0.0, MAX_INTENSITY)
    return _seen(smooth_intensity(raw), clip)


def _seen(values: NDArray[np.float64], clip: ClipScores) -> NDArray[np.float64]:
    return np.where(clip.ok[:, None], values, np.nan)

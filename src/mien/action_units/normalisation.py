"""Action units relative to what: a recording's own neutral face, one person's, or one that is given.

Pure functions of `ClipScores`: no video and no models are needed, except to turn the neutral face of several
recordings into scores. Shapes: N frames, G successful ones.

A recording alone is treated as by `finish` (docs/algorithms/action-unit-postprocessing.md), the limit of
3000 frames included. With a neutral face from elsewhere, all frames are relative to that one, however many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.action_units.histogram import pooled_median
from mien.action_units.postprocess import (
    MAX_INTENSITY,
    dynamic_offsets,
    shift_intensity,
    smooth_intensity,
    vote_presence,
)
from mien.action_units.predictors import N_INTENSITY, PredictorSet
from mien.action_units.scores import ClipScores
from mien.datatypes import ActionUnitSeries


@dataclass(frozen=True, slots=True)
class Baseline:
    """What action units are relative to.

    Attributes
    ----------
    neutral
        (35,) float64: scores m w of the neutral face; None takes the recording's own.
    offsets
        (17,) float64: what counts as the zero of each dynamic intensity; None takes it from the recording.
    rest
        (17,) float64, 0 or more: subtracted from the intensities besides.
    """

    neutral: NDArray[np.float64] | None = None
    offsets: NDArray[np.float64] | None = None
    rest: NDArray[np.float64] | None = None


def normalise(clip: ClipScores, baseline: Baseline | None = None) -> ActionUnitSeries:
    """Action units of a recording.

    Parameters
    ----------
    clip
        Its scores.
    baseline
        What they are relative to; None gives exactly what the analysis of the recording gave.

    Returns
    -------
    ActionUnitSeries
        One row per frame, post-processed.
    """
    baseline = baseline or Baseline()
    facts = clip.predictors
    raw, positive = _raw(clip, baseline.neutral)
    intensity = _scatter(clip.ok, raw)
    offsets = baseline.offsets
    if offsets is None:
        offsets = dynamic_offsets(intensity, clip.ok, facts.cutoffs)
    if baseline.rest is not None:
        offsets = offsets + baseline.rest
    presence = _scatter(clip.ok, np.where(positive, facts.classes[1], facts.classes[0]))
    measured = facts.measured
    return ActionUnitSeries(
        np.where(
            measured[:N_INTENSITY], smooth_intensity(shift_intensity(intensity, clip.ok, offsets)), np.nan
        ),
        np.where(measured[N_INTENSITY:], vote_presence(presence), np.nan),
    )


def pooled_neutral(clips: Sequence[ClipScores], predictors: PredictorSet) -> NDArray[np.float64]:
    """Scores m w (35,) of the neutral face of several recordings together.

    Raises
    ------
    ValueError
        There is no recording, or the scores were made by other predictors.
    """
    made_by = {clip.predictors.fingerprint for clip in clips}
    if made_by != {predictors.fingerprint()}:
        raise ValueError("expected scores made by these predictors, got scores of others")
    parts = [
        pooled_median(histograms) for histograms in zip(*(clip.histograms for clip in clips), strict=True)
    ]
    return np.asarray(predictors.project(np.concatenate(parts)[None])[0])


def person_baseline(clips: Sequence[ClipScores], neutral: NDArray[np.float64]) -> Baseline:
    """One neutral face, given as m w (35,), and the zeros that all frames of the recordings give together.

    Recordings relative to the neutral face of all (`pooled_neutral`) and these zeros equal the analysis of
    them one after the other as one, apart from the frames at the seams (one for intensities, three for
    presences, which smoothing does not join), where all but the last have an even number of frames (the
    neutral face takes every other frame), at least two frames counted for it, and at most 3000 succeeded.
    """
    raw = np.concatenate([clip.relative_to(neutral)[:, :N_INTENSITY] for clip in clips])
    everywhere = np.ones(len(raw), np.bool_)
    return Baseline(neutral, dynamic_offsets(raw, everywhere, clips[0].predictors.cutoffs))


def neutral_baseline(clip: ClipScores) -> Baseline:
    """What a recording of the person's neutral face gives for others.

    Dynamic action units take its neutral face and its zeros. Static ones have no zero of the person; from
    them the median of what they show in that recording is subtracted, where it is more than 0.
    """
    offsets = person_baseline([clip], clip.neutral).offsets
    rest = np.zeros(N_INTENSITY)
    static = ~clip.predictors.dynamic[:N_INTENSITY] & clip.predictors.measured[:N_INTENSITY]
    if len(clip.scores):
        shown = np.clip(clip.scores[:, :N_INTENSITY], 0.0, MAX_INTENSITY)
        rest[static] = np.median(shown[:, static], axis=0)
    return Baseline(clip.neutral, offsets, rest)


def resting_baseline(intensity: NDArray[np.float64], ok: NDArray[np.bool_]) -> Baseline:
    """What a table of a recording of the neutral face gives: the median of each intensity.

    A table has lost what the neutral face of the dynamic predictors would need: presences stay relative to
    the recording's own.

    Parameters
    ----------
    intensity
        (N, 17) post-processed intensities of the neutral recording.
    ok
        (N,) which frames succeeded.

    Raises
    ------
    ValueError
        No frame succeeded.
    """
    if not ok.any():
        raise ValueError("expected at least one successful frame, got none")
    return Baseline(rest=np.nan_to_num(np.clip(np.median(intensity[ok], axis=0), 0.0, MAX_INTENSITY)))


def _raw(
    clip: ClipScores, neutral: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Raw intensities (G, 17) and signs of decisions (G, 18) of the successful frames."""
    outputs = clip.relative_to(clip.neutral if neutral is None else neutral)
    intensity, positive = outputs[:, :N_INTENSITY], outputs[:, N_INTENSITY:] > 0
    late = len(clip.live_intensity)
    if neutral is None and late:
        # The original does not predict these again.
        intensity[-late:], positive[-late:] = clip.live_intensity, clip.live_positive
    return intensity, positive


def _scatter(ok: NDArray[np.bool_], good: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows of the successful frames (G, A) among those of all (N, A); zeros for the others."""
    result = np.zeros((len(ok), good.shape[1]))
    result[ok] = good
    return result

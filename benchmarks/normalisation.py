"""How far action units depend on what a video is compared with: the figures of docs/normalisation.md.

    python benchmarks/normalisation.py VIDEO [VIDEO ...]

Cuts each video in the middle and compares the values of the same frames: the halves by themselves, the halves
as recordings of one person, and the whole. Needs OpenFace's models.
"""

from __future__ import annotations

import sys
from pathlib import Path
from time import perf_counter

import numpy as np

from mien.action_units.catalogue import INTENSITY_NAMES, PRESENCE_NAMES
from mien.action_units.normalisation import normalise
from mien.analysis.recordings import RecordingScores, normalise_recordings
from mien.analysis.videos import Analysis
from mien.datatypes import ActionUnitSeries
from mien.options import AnalysisOptions
from mien.packs import choose_pack, read_predictors

SEAM = 3
"""Frames at a cut that smoothing treats differently."""


def scores_of(video: Path, start_s: float = 0.0, end_s: float | None = None) -> RecordingScores:
    options = AnalysisOptions(
        models="openface", landmarks="clnf", keep_scores=True, start_s=start_s, end_s=end_s
    )
    with Analysis(video, options) as analysis:
        for _ in analysis:
            pass
        return analysis.scores()


def cells(series: ActionUnitSeries, rows: slice) -> np.ndarray:
    return np.concatenate([series.intensity[rows], series.presence[rows]], axis=1)


def differences(name: str, values: np.ndarray, whole: np.ndarray, dynamic: np.ndarray) -> None:
    moved = np.abs(values - whole)
    intensity, presence = moved[:, :17], moved[:, 17:]
    moving, fixed = dynamic[:17], ~dynamic[:17]
    print(
        f"{name:34} intensity, dynamic {intensity[:, moving].mean():.3f} (worst unit "
        f"{intensity[:, moving].mean(axis=0).max():.2f}), static {intensity[:, fixed].mean():.3f}; "
        f"presence differs, dynamic {100 * presence[:, dynamic[17:]].mean():.1f} %, "
        f"static {100 * presence[:, ~dynamic[17:]].mean():.1f} %"
    )


def compare(video: Path) -> None:
    whole = scores_of(video)
    middle_s = float(whole.time_s[len(whole.frame) // 2])
    halves = [scores_of(video, 0.0, middle_s), scores_of(video, middle_s)]
    cut = len(halves[0].frame)
    dynamic = whole.clip.predictors.dynamic
    reference = normalise(whole.clip)
    rows = np.r_[0 : cut - SEAM, cut + SEAM : len(whole.frame)]
    print(f"{video.name}: {len(whole.frame)} frames, cut after {cut}")
    alone = [normalise(half.clip) for half in halves]
    predictors = read_predictors(choose_pack("openface"))
    begin = perf_counter()
    together = normalise_recordings(halves, one_person=True, predictors=predictors)
    seconds = perf_counter() - begin
    for name, (first, second) in (
        ("halves by themselves", alone),
        ("halves as one person's", together),
    ):
        joined = np.concatenate([cells(first, slice(None)), cells(second, slice(None))])
        differences(name, joined[rows], cells(reference, slice(None))[rows], dynamic)
    print(f"normalised together in {seconds:.2f} s")
    print(f"{'mean of the first half':34} whole   half by itself")
    for index in np.flatnonzero(dynamic[:17]):
        own, other = alone[0].intensity[:cut, index].mean(), reference.intensity[:cut, index].mean()
        print(f"  {INTENSITY_NAMES[index]} intensity {other:24.2f} {own:10.2f}")
    for index in np.flatnonzero(dynamic[17:]):
        own, other = alone[0].presence[:cut, index].mean(), reference.presence[:cut, index].mean()
        print(f"  {PRESENCE_NAMES[index]} presence  {100 * other:22.0f} % {100 * own:8.0f} %")
    for kind, part, names in (
        ("intensity", slice(0, 17), INTENSITY_NAMES),
        ("presence", slice(17, 35), PRESENCE_NAMES),
    ):
        print(f"  dynamic {kind}:", " ".join(np.array(names)[dynamic[part]]))
    agreement(reference)


def agreement(series: ActionUnitSeries) -> None:
    """How often an action unit is present without intensity, and intense without presence."""
    at = [PRESENCE_NAMES.index(name) for name in INTENSITY_NAMES]
    present = series.presence[:, at] == 1
    print(
        f"present with an intensity below 0.5: {100 * (present & (series.intensity < 0.5)).mean():.1f} % of "
        f"cells; absent with an intensity of 1 or more: "
        f"{100 * (~present & (series.intensity >= 1)).mean():.1f} %"
    )


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        compare(Path(argument))
        print()

"""Normalising kept scores: alone as the analysis did, together as if the clips were one, against others."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mien.action_units.analyzer as module
from mien.action_units.analyzer import ActionUnitAnalyzer
from mien.action_units.histogram import pooled_median
from mien.action_units.normalisation import (
    Baseline,
    neutral_baseline,
    normalise,
    person_baseline,
    pooled_neutral,
    resting_baseline,
)
from mien.action_units.predictors import PredictorSet
from mien.action_units.running_median import RunningMedian
from mien.appearance.extractor import AppearanceExtractor
from mien.datatypes import FaceLandmarks, Frame, TrackedFace
from mien.models.readers.action_units import read_action_units
from synthetic_face import Pose, landmarks, picture
from synthetic_models import PREDICTORS

SEAM = 3
"""Frames on either side of a seam that the vote over seven frames can change."""


@pytest.fixture(scope="module")
def dynamic(synthetic_openface):
    return read_action_units(synthetic_openface / PREDICTORS / "main_dynamic_svms.txt")


@pytest.fixture(scope="module")
def predictors(dynamic):
    return PredictorSet(dynamic.predictors)


@pytest.fixture(scope="module")
def appearances(dynamic):
    """Sixty frames of a face whose expression drifts; every seventh fails."""
    extractor = AppearanceExtractor(dynamic.pdm, dynamic.triangles)
    rows = []
    for i in range(60):
        pose = Pose(1.2, (0.1 * np.sin(i / 3), 0.0, 0.0), 160, 120, (20 * np.sin(i / 9), 10 * np.cos(i / 4)))
        bgr = picture(pose, 320, 240, noise=3, seed=i)
        face = dataclasses.replace(_FACE, points=landmarks(pose).astype(np.float32))
        rows.append(extractor.failed() if i % 7 == 3 else extractor.extract(_frame(i, bgr), face))
    return rows


def _frame(i, bgr):

    return Frame(i, i / 30, bgr, bgr[:, :, 0])


def _blank_face():

    zeros = [np.zeros(shape, np.float32) for shape in ((68, 2), (68, 3), 6, 34)]
    return FaceLandmarks(*zeros, (), 0.9, True, True)


_FACE = _blank_face()


def analysed(dynamic, predictors, rows):
    analyzer = ActionUnitAnalyzer(dynamic, predictors=predictors, keep_scores=True)
    for appearance in rows:
        analyzer.analyze(TrackedFace(0, _FACE), appearance)
    return analyzer


def assert_same(series, expected, rows=slice(None)):
    np.testing.assert_array_equal(series.intensity[rows], expected.intensity[rows])
    np.testing.assert_array_equal(series.presence[rows], expected.presence[rows])


@pytest.mark.parametrize("limit", [3000, 10])
def test_one_clip_alone_gives_exactly_the_ordinary_values(
    dynamic, predictors, appearances, limit, monkeypatch
):
    monkeypatch.setattr(module, "MAX_REPREDICTED", limit)
    analyzer = analysed(dynamic, predictors, appearances)
    ordinary = ActionUnitAnalyzer(dynamic, predictors=predictors)
    for appearance in appearances:
        ordinary.analyze(TrackedFace(0, _FACE), appearance)
    assert_same(analyzer.finish(), ordinary.finish())
    assert_same(normalise(analyzer.scores()), ordinary.finish())


def as_one_person(clips, predictors):
    baseline = person_baseline(clips, pooled_neutral(clips, predictors))
    return [normalise(clip, baseline) for clip in clips]


@pytest.mark.parametrize("cut", [20, 34])
def test_two_clips_of_a_person_equal_the_clips_analysed_as_one(dynamic, predictors, appearances, cut):
    whole = analysed(dynamic, predictors, appearances).finish()
    clips = [analysed(dynamic, predictors, part).scores() for part in (appearances[:cut], appearances[cut:])]
    first, second = as_one_person(clips, predictors)
    joined = type(whole)(
        np.concatenate([first.intensity, second.intensity]), np.concatenate([first.presence, second.presence])
    )
    assert_same(joined, whole, slice(0, cut - SEAM))
    assert_same(joined, whole, slice(cut + SEAM, None))
    inner = np.r_[0 : cut - 1, cut + 1 : len(appearances)]
    np.testing.assert_array_equal(joined.intensity[inner], whole.intensity[inner])
    alone = normalise(clips[0])
    assert np.abs(alone.intensity - first.intensity).max() > 0.01


def test_the_order_of_the_clips_does_not_matter(dynamic, predictors, appearances):
    clips = [analysed(dynamic, predictors, appearances[i : i + 15]).scores() for i in (0, 15, 30)]
    forth = as_one_person(clips, predictors)
    back = as_one_person(clips[::-1], predictors)
    for one, other in zip(forth, back[::-1], strict=True):
        assert_same(one, other)


def test_scores_of_other_predictors_are_refused(dynamic, predictors, appearances):
    clip = analysed(dynamic, predictors, appearances[:4]).scores()
    first, *rest = dynamic.predictors
    others = PredictorSet([dataclasses.replace(first, bias=first.bias + 1), *rest])
    with pytest.raises(ValueError, match="scores of others"):
        pooled_neutral([clip, clip], others)


def test_scores_are_kept_only_on_request(dynamic, predictors):
    with pytest.raises(ValueError, match="keep_scores=True"):
        ActionUnitAnalyzer(dynamic, predictors=predictors).scores()


def test_a_clip_as_its_own_neutral_keeps_its_dynamic_values(dynamic, predictors, appearances):
    clip = analysed(dynamic, predictors, appearances).scores()
    own, relative = normalise(clip), normalise(clip, neutral_baseline(clip))
    moving = clip.predictors.dynamic[:17]
    np.testing.assert_array_equal(relative.intensity[:, moving], own.intensity[:, moving])
    np.testing.assert_array_equal(relative.presence, own.presence)
    assert (relative.intensity[:, ~moving] <= own.intensity[:, ~moving] + 1e-12).all()


def test_a_neutral_clip_sets_the_zero_of_another(dynamic, predictors, appearances):
    neutral = analysed(dynamic, predictors, appearances[:30]).scores()
    clip = analysed(dynamic, predictors, appearances[30:]).scores()
    base = neutral_baseline(neutral)
    series = normalise(clip, base)
    good = np.clip(clip.relative_to(neutral.neutral)[:, :17] - base.offsets - base.rest, 0, 5)
    rows = np.zeros((len(clip), 17))
    rows[clip.ok] = good
    np.testing.assert_allclose(series.intensity[1:-1], (rows[:-2] + rows[1:-1] + rows[2:]) / 3, atol=1e-12)
    np.testing.assert_array_equal(series.intensity[[0, -1]], rows[[0, -1]])


def test_a_resting_table_lowers_intensities_and_leaves_presences(dynamic, predictors, appearances):
    clip = analysed(dynamic, predictors, appearances).scores()
    rest = resting_baseline(np.full((5, 17), 0.25), np.ones(5, bool))
    raised, own = normalise(clip, rest), normalise(clip)
    np.testing.assert_array_equal(raised.presence, own.presence)
    assert (raised.intensity <= own.intensity).all()
    assert raised.intensity.sum() < own.intensity.sum()
    with pytest.raises(ValueError, match="at least one successful frame"):
        resting_baseline(np.zeros((2, 17)), np.zeros(2, bool))


def test_an_empty_baseline_changes_nothing(dynamic, predictors, appearances):
    clip = analysed(dynamic, predictors, appearances).scores()
    assert_same(normalise(clip, Baseline()), normalise(clip))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 12), min_size=1, max_size=4))
def test_pooled_medians_equal_one_running_median_over_everything(seed, lengths):
    rng = np.random.default_rng(seed)
    make = lambda: RunningMedian(5, -1.0, 1.0, 40, floor=0.0)  # noqa: E731
    whole, parts = make(), []
    for length in lengths:
        part = make()
        for descriptor in rng.normal(0.1, 0.5, (length, 5)):
            ok = bool(rng.random() < 0.8)
            part.update(descriptor, ok)
            whole.update(descriptor, ok)
        parts.append(part.histogram())
    if whole.count != 1:  # a single descriptor: the last one seen counts, see `RunningMedian`
        np.testing.assert_array_equal(pooled_median(parts), whole.value if whole.count else parts_zero(make))


def parts_zero(make):
    untouched = make()
    untouched.update(np.zeros(5), False)
    return untouched.value


def test_histograms_of_other_layouts_are_refused():
    one, other = RunningMedian(3, 0.0, 1.0, 10), RunningMedian(3, 0.0, 1.0, 20)
    with pytest.raises(ValueError, match="one layout"):
        pooled_median([one.histogram(), other.histogram()])
    with pytest.raises(ValueError, match="at least one"):
        pooled_median([])

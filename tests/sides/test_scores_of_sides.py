import numpy as np
import pytest

from mien.action_units.analyzer import ActionUnitAnalyzer, ScoreKeeper
from mien.action_units.predictors import PredictorSet
from mien.datatypes import FHOG_LENGTH, AlignedFace, Appearance
from mien.errors import OptionError
from mien.sides.relative import pooled, resting, series_of

BLACK = AlignedFace(np.zeros((112, 112, 3), np.uint8), np.zeros((2, 3), np.float32))


def looks(rng, modes, good=True):
    if not good:
        return Appearance(
            BLACK,
            np.zeros(FHOG_LENGTH, np.float32),
            np.zeros(6, np.float32),
            np.zeros(modes, np.float32),
            False,
        )
    fhog = rng.uniform(0, 0.4, FHOG_LENGTH).astype(np.float32)
    return Appearance(BLACK, fhog, np.zeros(6, np.float32), rng.normal(0, 5, modes).astype(np.float32), True)


@pytest.fixture(scope="module")
def kept(synthetic_record):
    """Two versions of a face, the second like the first but for a constant; frames 3 and 8 failed."""
    predictors = PredictorSet(synthetic_record.predictors)
    modes = synthetic_record.pdm.basis.shape[2]
    keeper = ScoreKeeper(synthetic_record, predictors, 2)
    analyzers = [
        ActionUnitAnalyzer(synthetic_record, keep_scores=True, predictors=predictors) for _ in range(2)
    ]
    rng = np.random.default_rng(4)
    for frame in range(40):
        good = frame not in (3, 8)
        pair = [looks(rng, modes, good) for _ in range(2)]
        keeper.add(pair if good else None)
        for analyzer, look in zip(analyzers, pair, strict=True):
            analyzer.observe(look)
    return predictors, tuple(keeper.scores()), tuple(analyzer.scores() for analyzer in analyzers)


def test_scores_kept_together_are_those_of_two_analyzers(kept):
    _, ours, theirs = kept
    for one, other in zip(ours, theirs, strict=True):
        assert (one.ok == other.ok).all()
        assert np.abs(one.scores - other.scores).max() < 1e-9
        assert np.abs(one.neutral - other.neutral).max() < 1e-9
        for mine, his in zip(one.histograms, other.histograms, strict=True):
            assert (mine.cells == his.cells).all() and (mine.counters == his.counters).all()  # noqa: PT018


def test_each_side_by_itself_is_what_the_analysis_of_it_alone_gives(kept):
    _, ours, _ = kept
    series = series_of(ours, None)
    assert np.isnan(series.intensity[:, [3, 8]]).all()
    good = np.delete(series.intensity, [3, 8], axis=1)
    assert ((good >= 0) & (good <= 5)).all()


def test_sides_that_share_a_neutral_face_keep_their_difference(kept):
    predictors, ours, _ = kept
    baseline = pooled(ours, predictors)
    raw = [clip.relative_to(baseline.neutral) for clip in ours]
    assert np.abs((raw[0] - raw[1]) - (ours[0].scores - ours[1].scores)).max() < 1e-9
    swapped = pooled(ours[::-1], predictors)
    assert np.abs(swapped.neutral - baseline.neutral).max() < 1e-12
    assert (swapped.offsets == baseline.offsets).all()


def test_a_face_at_rest_reads_nothing_in_the_median(kept):
    predictors, ours, _ = kept
    frames = np.zeros(40, bool)
    frames[10:31] = True
    baseline = resting(ours, predictors, frames, "BL")
    at_rest = np.concatenate([clip.relative_to(baseline.neutral)[frames[clip.ok]] for clip in ours])
    shown = at_rest[:, :17] - baseline.offsets
    dynamic = predictors.dynamic[:17] & np.isfinite(predictors.blank[:17])
    assert np.abs(np.median(shown, axis=0)[dynamic]).max() < 1e-9


def test_a_neutral_face_needs_frames_with_a_face(kept):
    predictors, ours, _ = kept
    only_failed = np.zeros(40, bool)
    only_failed[[3, 8]] = True
    with pytest.raises(OptionError, match="found none"):
        resting(ours, predictors, only_failed, "BL")

"""All predictors as one matrix."""

from __future__ import annotations

import numpy as np
import pytest

from mien.action_units.catalogue import INTENSITY_NAMES, PRESENCE_NAMES
from mien.action_units.predictors import N_INTENSITY, N_OUTPUTS, PredictorSet
from mien.models.records import ActionUnitPredictor
from oracle import action_units as oracle

LENGTH = 23


def predictor(name, kind="svr", dynamic=False, length=LENGTH, cutoff=0.3, classes=(1.0, 0.0)):
    rng = np.random.default_rng([int(name[2:]), kind == "svm", dynamic])
    return ActionUnitPredictor(
        name=name,
        kind=kind,
        dynamic=dynamic,
        means=rng.normal(size=length),
        weights=rng.normal(size=length),
        bias=rng.normal(),
        cutoff=cutoff if kind == "svr" and dynamic else np.nan,
        positive_class=classes[0] if kind == "svm" else np.nan,
        negative_class=classes[1] if kind == "svm" else np.nan,
    )


def complete():
    intensity = [predictor(name, "svr", i % 2 == 0) for i, name in enumerate(INTENSITY_NAMES)]
    presence = [predictor(name, "svm", i % 3 == 0) for i, name in enumerate(PRESENCE_NAMES)]
    return intensity + presence


def test_scores_equal_the_formula_in_catalogue_order_whatever_the_order_of_the_files():
    rng = np.random.default_rng(0)
    predictors = complete()
    shuffled = [predictors[i] for i in rng.permutation(len(predictors))]
    together = PredictorSet(shuffled)
    pair = rng.normal(size=(2, LENGTH))
    descriptor, neutral = together.project(pair)
    expected = oracle.scores(predictors, pair[0], pair[1])
    np.testing.assert_allclose(together.scores(descriptor, neutral), expected, rtol=0, atol=1e-12)
    zero_median = oracle.scores(predictors, pair[0], np.zeros(LENGTH))
    np.testing.assert_allclose(together.scores(descriptor), zero_median, rtol=0, atol=1e-12)


def test_a_descriptor_relative_to_itself_leaves_what_the_mean_gives():
    together = PredictorSet(complete())
    descriptor = np.random.default_rng(1).random((1, LENGTH))
    (projection,) = together.project(descriptor)
    outputs = together.scores(projection, projection)
    at_zero = together.scores(np.zeros(N_OUTPUTS))
    np.testing.assert_allclose(outputs[together.dynamic], at_zero[together.dynamic], rtol=0, atol=1e-15)


def test_presence_is_the_stored_class_and_zero_is_negative():
    together = PredictorSet(
        [predictor("AU12", "svm", classes=(1, 0)), predictor("AU01", "svm", classes=(0, 1))]
    )
    decisions = np.array([[0.0, 1e-9], [0.0, -1.0]])
    columns = [PRESENCE_NAMES.index("AU12"), PRESENCE_NAMES.index("AU01")]
    for column, expected in zip(columns, ([[0, 1], [0, 0]], [[1, 0], [1, 1]]), strict=True):
        found = together.classes(np.repeat(decisions[:, :, None] > 0, 18, axis=2))[..., column]
        np.testing.assert_array_equal(found, expected)


def test_action_units_without_a_predictor_are_not_measured():
    together = PredictorSet([predictor("AU12"), predictor("AU28", "svm")])
    outputs = together.scores(together.project(np.zeros((1, LENGTH)))[0])
    measured = np.flatnonzero(~np.isnan(outputs))
    expected = [INTENSITY_NAMES.index("AU12"), N_INTENSITY + PRESENCE_NAMES.index("AU28")]
    np.testing.assert_array_equal(measured, expected)
    np.testing.assert_array_equal(np.isnan(together.blank), np.isnan(outputs))


def test_cutoffs_are_those_of_dynamic_intensities():
    together = PredictorSet(
        [
            predictor("AU01", dynamic=True, cutoff=0.55),
            predictor("AU02", dynamic=True, cutoff=-1.0),
            predictor("AU04"),
            predictor("AU05", "svm", dynamic=True),
        ]
    )
    assert together.cutoffs[0] == 0.55
    assert np.isnan(together.cutoffs[1:]).all()
    assert together.dynamic.sum() == 3


@pytest.mark.parametrize(
    ("predictors", "message"),
    [
        ([predictor("AU01"), predictor("AU01")], "second svr predictor of AU01"),
        ([predictor("AU28")], "svr predictor of AU28"),
        ([predictor("AU99", "svm")], "AU99"),
        ([predictor("AU01"), predictor("AU02", length=5)], r"one length, got \[5, 23\]"),
        ([], "one length"),
    ],
)
def test_sets_that_make_no_sense_are_refused(predictors, message):
    with pytest.raises(ValueError, match=message):
        PredictorSet(predictors)

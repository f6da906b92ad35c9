"""The early-terminating search and its peculiarities (docs/algorithms/hypotheses.md)."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers_cen import random_cen_model
from helpers_landmarks import textured
from mien.landmarks.detector import Detection, LandmarkDetector
from mien.landmarks.hypotheses import ORIENTATIONS, landmarks_from_box
from mien.landmarks.options import FitOptions
from mien.models.records import EarlyTermination
from mien.shape.model import ShapeParameters
from oracle import cen as oracle

pytestmark = pytest.mark.usefixtures("private_cache")

BOX = np.array([90, 50, 150, 145], np.float32)
GRAY = textured(np.random.default_rng(1))
COARSE, FINE = (11, 0, 0, 0), (0, 9, 7, 5)


def table(cutoff: float = 9.0) -> EarlyTermination:
    return EarlyTermination(np.array([1.0, 1.1, 0.9]), np.array([0.0, 0.1, -0.1]), np.full(3, cutoff))


class Scripted(LandmarkDetector):
    """Plays coarse and complete fits from lists instead of fitting, and remembers what was asked."""

    def script(self, coarse, fine) -> None:
        self.coarse = list(coarse)
        self.fine = list(fine)
        self.calls: list[tuple[ShapeParameters, tuple[int, ...], bool]] = []

    def detect(self, gray, start, windows, *, complete=True):
        self.calls.append((start, windows, complete))
        if not complete:
            view, likelihood = self.coarse[len(self.calls) - 1]
            fitted = ShapeParameters(start.global_params + 1, start.local_params + 2)
            return self._result(fitted, view, likelihood, 1.0)
        hypothesis = self.hypothesis_of(start)
        likelihood, certainty = self.fine[hypothesis]
        return self._result(start, 0, likelihood, certainty)

    def hypothesis_of(self, start: ShapeParameters) -> int:
        """Which orientation a complete fit begins with: coarse fits have moved it by 1."""
        turns = np.array(ORIENTATIONS) + 1
        return int(np.abs(turns - start.orientation).sum(axis=1).argmin())

    def _result(self, params, view, likelihood, certainty) -> Detection:
        points = np.zeros((self.pdm.n_points, 2), np.float32)
        return Detection(params, points, (), likelihood, certainty, certainty > 0.725, view)


@pytest.fixture(scope="module")
def detector() -> Scripted:
    return Scripted(random_cen_model(), FitOptions(), None)


LIKELIHOODS = st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.25, 1.0, 3.0])


@settings(max_examples=200, deadline=None)
@given(
    coarse=st.lists(st.tuples(st.integers(0, 2), LIKELIHOODS), min_size=11, max_size=11),
    fine=st.lists(
        st.tuples(LIKELIHOODS, st.sampled_from([0.025, 0.725, 0.775, 0.975])), min_size=11, max_size=11
    ),
    cutoffs=st.lists(st.sampled_from([-0.6, 0.2, 2.0, 9.0]), min_size=3, max_size=3),
    multi_view=st.booleans(),
)
def test_search_equals_its_definition(detector, coarse, fine, cutoffs, multi_view):
    terms = dataclasses.replace(table(), cutoffs=np.array(cutoffs))
    detector.early_termination = terms
    detector.script(coarse, fine)
    result, returned = landmarks_from_box(detector, GRAY, BOX, multi_view=multi_view)
    tried = coarse if multi_view else coarse[:1]
    winner, certainty, success, expected_return, completed = oracle.search(
        terms.weights,
        terms.biases,
        terms.cutoffs,
        tried,
        lambda h, _: (*fine[h], fine[h][1] > 0.725),
    )
    done = [call for call in detector.calls if call[2]]
    assert [(detector.hypothesis_of(s), bool(s.local_params.any())) for s, _, _ in done] == completed
    assert detector.hypothesis_of(result.params) == winner
    assert (result.certainty, result.success, returned) == (certainty, success, expected_return)
    assert {windows for _, windows, complete in detector.calls if not complete} == {COARSE}
    assert {windows for _, windows, _ in done} == {FINE}


def test_certainty_and_returned_flag_are_those_of_the_last_candidate(detector):
    """The winner is sure, the last candidate is not: the original returns the latter's verdict."""
    detector.early_termination = table()
    fine = [(-5.0, 0.025)] * 11
    fine[4], fine[2], fine[7] = (1.0, 0.975), (0.5, 0.975), (0.2, 0.025)
    coarse = [(0, -3.0)] * 11
    coarse[4], coarse[2], coarse[7] = (0, 2.0), (0, 1.0), (0, 0.0)
    detector.script(coarse, fine)
    result, returned = landmarks_from_box(detector, GRAY, BOX, multi_view=True)
    assert detector.hypothesis_of(result.params) == 4
    assert (result.certainty, result.success, returned) == (0.025, True, False)


def test_only_the_last_hypothesis_keeps_its_shape(detector):
    detector.early_termination = table()
    coarse = [(0, h / 2) for h in range(11)]
    detector.script(coarse, [(0.0, 0.975)] * 11)
    landmarks_from_box(detector, GRAY, BOX, multi_view=True)
    shapes = [start.local_params for start, _, complete in detector.calls if complete]
    assert shapes[0].any()
    assert not shapes[1].any()
    assert not shapes[2].any()


def test_likelihood_that_is_no_number_never_wins(detector):
    """In the original it stays the best once it comes first; here a number always beats it."""
    detector.early_termination = table()
    fine = [(-4.0, 0.975)] * 11
    fine[0] = (np.nan, 0.975)
    detector.script([(0, 5.0)] + [(0, 1.0)] * 10, fine)
    result, _ = landmarks_from_box(detector, GRAY, BOX, multi_view=True)
    assert detector.hypothesis_of(result.params) == 1
    detector.script([(0, np.nan)] * 11, fine)
    result, _ = landmarks_from_box(detector, GRAY, BOX, multi_view=True)
    assert [call[2] for call in detector.calls].count(True) == 3


def test_search_with_real_fits_ends_in_one_of_its_candidates():
    for cutoff in (-99.0, 99.0):
        record = random_cen_model(3, termination=table(cutoff))
        detector = LandmarkDetector(record, FitOptions(), None)
        result, returned = landmarks_from_box(detector, GRAY, BOX, multi_view=True)
        assert np.isfinite(result.points).all()
        assert returned == result.success
    first = detector.detect(GRAY, detector.pdm.from_box(BOX), COARSE, complete=False)
    whole = detector.detect(GRAY, first.params, FINE)
    accepting = LandmarkDetector(random_cen_model(3, termination=table(-99.0)), FitOptions(), None)
    accepted, _ = landmarks_from_box(accepting, GRAY, BOX, multi_view=True)
    np.testing.assert_array_equal(accepted.points, whole.points)


def test_one_orientation_gives_the_normal_sequence_on_either_branch():
    """With a single hypothesis both branches fit 11, 9, 7, 5 from the box."""
    results = []
    for cutoff in (-99.0, 99.0):
        record = random_cen_model(4, termination=table(cutoff))
        detector = LandmarkDetector(record, FitOptions(), None)
        results.append(landmarks_from_box(detector, GRAY, BOX, multi_view=False)[0].points)
    np.testing.assert_array_equal(*results)
    whole = detector.detect(GRAY, detector.pdm.from_box(BOX), (11, 9, 7, 5))
    np.testing.assert_array_equal(results[0], whole.points)

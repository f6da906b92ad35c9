"""Landmarks from a box: the likeliest of eleven head orientations wins (docs/algorithms/hypotheses.md)."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from helpers_landmarks import random_model, textured
from mien.landmarks import hypotheses
from mien.landmarks.detector import LandmarkDetector
from mien.landmarks.hypotheses import landmarks_from_box
from mien.landmarks.options import FitOptions

pytestmark = pytest.mark.usefixtures("private_cache")

BOX = np.array([90, 50, 150, 145], np.float32)
ORDER = (
    *((0, 0, 0), (0, -0.5236, 0), (0, 0.5236, 0), (0, -0.96, 0), (0, 0.96, 0), (0, 0, 0.5236)),
    *((0, 0, -0.5236), (0, -1.57, 0), (0, 1.57, 0), (0, -1.22, 0.698), (0, 1.22, -0.698)),
)


def picture(seed: int) -> np.ndarray:
    return textured(np.random.default_rng(seed))


def test_orientations_are_the_originals_in_its_order():
    assert ORDER == hypotheses.ORIENTATIONS
    assert ORDER[:1] == hypotheses.FRONTAL


@pytest.mark.parametrize("seed", range(5))
def test_likeliest_orientation_wins(seed):
    detector = LandmarkDetector(random_model(seed), FitOptions(), None)
    gray = picture(seed)
    tried = [
        detector.detect(gray, detector.pdm.from_box(BOX, turn), detector.options.windows_initial)
        for turn in ORDER
    ]
    best = tried[int(np.argmax([t.likelihood for t in tried]))]
    result, returned = landmarks_from_box(detector, gray, BOX, multi_view=True)
    assert result.likelihood == best.likelihood
    np.testing.assert_array_equal(result.params.global_params, best.params.global_params)
    np.testing.assert_array_equal(result.points, best.points)
    assert returned


def test_one_view_starts_from_the_frontal_mean_shape():
    detector = LandmarkDetector(random_model(), FitOptions(), None)
    gray = picture(6)
    result, _ = landmarks_from_box(detector, gray, BOX, multi_view=False)
    expected = detector.detect(gray, detector.pdm.from_box(BOX), detector.options.windows_initial)
    np.testing.assert_array_equal(result.points, expected.points)


class Scripted(LandmarkDetector):
    """Gives hypotheses with likelihoods of a list, and remembers their windows."""

    def script(self, likelihoods) -> None:
        self.likelihoods = list(likelihoods)
        self.windows: list[tuple[int, ...]] = []

    def detect(self, gray, start, windows, *, complete=True):
        self.windows.append(windows)
        found = super().detect(gray, start, windows, complete=complete)
        return dataclasses.replace(found, likelihood=self.likelihoods[len(self.windows) - 1])


@pytest.mark.parametrize(
    ("likelihoods", "winner"),
    [
        ([0.0] * 11, 0),
        ([-2.0, -1, -1, -1, -3, -1, -1, -1, -1, -1, -1], 1),
        ([*range(-11, 0)], 10),
        ([-np.inf] * 10 + [-5], 10),
        ([-np.inf] * 11, 0),
        ([np.nan] * 3 + [-4.0] + [np.nan] * 7, 3),
    ],
)
def test_first_of_equally_likely_orientations_wins(likelihoods, winner):
    detector = Scripted(random_model(), FitOptions(windows_initial=(7, 5, 3)), None)
    detector.script(likelihoods)
    gray = picture(7)
    result, _ = landmarks_from_box(detector, gray, BOX, multi_view=True)
    start = detector.pdm.from_box(BOX, ORDER[winner])
    expected = LandmarkDetector(random_model(), detector.options, None).detect(gray, start, (7, 5, 3))
    np.testing.assert_array_equal(result.points, expected.points)
    assert set(detector.windows) == {(7, 5, 3)}


@pytest.mark.parametrize(("certainty", "success"), [(0.9, True), (0.2, False)])
def test_success_is_that_of_the_winner(certainty, success):
    detector = LandmarkDetector(random_model(), FitOptions(), lambda *_: certainty)
    result, returned = landmarks_from_box(detector, picture(8), BOX, multi_view=True)
    assert returned is result.success is success
    assert result.certainty == pytest.approx(certainty)

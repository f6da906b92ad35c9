"""The approximate tracker leaves out what it is told to, and without that is the exact one."""

import dataclasses

import numpy as np
import pytest

from helpers_landmarks import random_model, random_part, textured
from mien.datatypes import FaceBoxes, Frame
from mien.landmarks.approximate_tracker import FAST, ApproximateTracker, Approximations
from mien.landmarks.detector import LandmarkDetector
from mien.landmarks.options import FitOptions
from mien.landmarks.tracker import FaceTracker

pytestmark = pytest.mark.usefixtures("private_cache")

OPTIONS = FitOptions(windows_initial=(5,), windows_tracking=(3,), iterations=4)
PICTURE = textured(np.random.default_rng(1))


@pytest.fixture
def record():
    main = random_model(scales=(0.35,))
    return dataclasses.replace(main, parts=(random_part(main, "left_eye_28", [(0, 1), (3, 4)], 28),))


def detect(bgr):
    return FaceBoxes(np.array([(90.0, 50.0, 150.0, 145.0)], np.float32), np.ones(1, np.float32))


def accept(orientation, gray, points):
    return 0.9


def frame(index, shift=0):
    gray = np.ascontiguousarray(np.roll(PICTURE, shift, axis=1))
    return Frame(index, index / 30, np.repeat(gray[..., None], 3, axis=2), gray)


def approximate(record, **what):
    return ApproximateTracker(LandmarkDetector(record, OPTIONS, accept), detect, Approximations(**what))


def test_with_nothing_left_out_it_is_the_exact_tracker(record):
    exact = FaceTracker(LandmarkDetector(record, OPTIONS, accept), detect)
    same = approximate(record)
    for i in range(4):
        a, b = exact.follow(frame(i, i)), same.follow(frame(i, i))
        np.testing.assert_array_equal(a.points, b.points)
        np.testing.assert_array_equal(a.global_params, b.global_params)


def test_iterations_are_limited_in_face_and_parts(record):
    detector = approximate(record, iterations=2).detector
    assert detector.model.options.iterations == 2
    assert all(part.model.options.iterations <= 2 for part in detector.parts)


def test_a_repeated_frame_is_not_computed_again(record):
    tracker = approximate(record, reuse_repeated=True)
    first = tracker.follow(frame(0))
    assert tracker.follow(frame(1)) is first
    assert tracker.follow(frame(2, 1)) is not first


def test_the_exact_tracker_moves_on_a_repeated_frame_so_that_reuse_is_an_approximation(record):
    exact = FaceTracker(LandmarkDetector(record, OPTIONS, accept), detect)
    first, second = exact.follow(frame(0)), exact.follow(frame(1))
    assert not np.array_equal(first.points, second.points)


def test_fits_start_where_the_motion_leads(record, monkeypatch):
    tracker = approximate(record, predict_motion=True)
    for i in range(3):
        tracker.follow(frame(i, i))
    before = tracker.state.detection.params.global_params[4:6].copy()
    motion = before - tracker._previous
    starts = []
    fit = tracker.detector.model.fit
    monkeypatch.setattr(
        tracker.detector.model,
        "fit",
        lambda gray, start, windows: (starts.append(start.global_params[4:6]), fit(gray, start, windows))[1],
    )
    tracker.follow(frame(3, 3))
    np.testing.assert_allclose(starts[0], before + motion, atol=1e-4)


def test_without_parts_there_are_no_eyes(record):
    tracker = approximate(record, parts=False)
    assert tracker.follow(frame(0)).eyes == ()


def test_reset_forgets_the_last_frame(record):
    tracker = ApproximateTracker(LandmarkDetector(record, OPTIONS, accept), detect, FAST)
    first = tracker.follow(frame(0))
    tracker.reset()
    assert tracker.follow(frame(1)) is not first

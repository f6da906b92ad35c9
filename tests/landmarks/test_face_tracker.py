"""The tracker loses, keeps and finds the face as docs/algorithms/tracker.md#one-frame prescribes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers_landmarks import random_model, random_part, textured
from mien.datatypes import FaceBoxes, Frame
from mien.landmarks.detector import LandmarkDetector
from mien.landmarks.options import FitOptions
from mien.landmarks.tracker import FaceTracker
from oracle import shape as shape_oracle
from oracle.tracking import Tracker as OracleTracker

pytestmark = pytest.mark.usefixtures("private_cache")

BOX = (90.0, 50.0, 150.0, 145.0)
GRAY = textured(np.random.default_rng(1))
FLAT = np.full((240, 320), 128, np.uint8)
GOOD, BAD = 0.9, 0.1
# One small scale and one iteration: what is tested is the state, not the fit.
QUICK = FitOptions(windows_initial=(5,), windows_tracking=(3,), iterations=1)


def no_faces() -> FaceBoxes:
    return FaceBoxes(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))


def faces(*boxes) -> FaceBoxes:
    return FaceBoxes(np.array(boxes, np.float32), np.ones(len(boxes), np.float32))


class Stage:
    """A tracker with a scripted detector and validator; ``log`` says what the last frame did."""

    def __init__(self, options: FitOptions = QUICK, gray: np.ndarray = FLAT, parts=()) -> None:
        record = dataclasses.replace(random_model(scales=(0.35,)), parts=parts)
        self.tracker = FaceTracker(LandmarkDetector(record, options, self._validate), self._detect)
        self.found: FaceBoxes = faces(BOX)
        self.certainty_when_continued = GOOD
        self.certainty_when_detected = GOOD
        self.gray = gray
        self.log: list[str] = []
        self.frames = 0
        self._watch_windows()

    def _watch_windows(self) -> None:
        model = self.tracker.detector.model
        fit = model.fit

        def watched(gray, start, windows):
            if self.log and self.log[-1] == "detect":
                self.log.append("hypotheses")
            elif not self.log:
                small = windows == self.tracker.detector.options.windows_tracking
                self.log.append("small windows" if small else "large windows")
            return fit(gray, start, windows)

        model.fit = watched

    def _detect(self, bgr) -> FaceBoxes:
        self.log.append("detect")
        return self.found

    def _validate(self, orientation, gray, points) -> float:
        return self.certainty_when_detected if "detect" in self.log else self.certainty_when_continued

    def frame(self):
        self.log = []
        bgr = np.repeat(self.gray[..., None], 3, axis=2)
        self.frames += 1
        return self.tracker.follow(Frame(self.frames - 1, self.frames / 30, bgr, self.gray))

    @property
    def state(self):
        return self.tracker.state


# --- against the numbered steps ---------------------------------------------------------------------------

FRAMES = st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=60)


@settings(deadline=None, max_examples=60)
@given(script=FRAMES, every=st.sampled_from([2, 1, 3, 5, -1]))
def test_tracker_follows_its_numbered_steps(script, every):
    compare_with_the_oracle(script, every)


def compare_with_the_oracle(script, every: int = 2) -> OracleTracker:
    """Play (face found, fit continued well, fit from a box went well) frame by frame on both."""
    stage = Stage(dataclasses.replace(QUICK, redetect_every=every))
    current = (False, False, False)
    twin = OracleTracker(lambda: current[0], lambda kind: current[1 if kind == "continue" else 2], every)
    for number, step in enumerate(script):
        current = step
        stage.found = faces(BOX) if current[0] else no_faces()
        stage.certainty_when_continued = GOOD if current[1] else BAD
        stage.certainty_when_detected = GOOD if current[2] else BAD
        result = stage.frame()
        assert result.success == twin.frame(), number
        assert stage.log == [step for step in twin.log if step != "restore"], number
        assert stage.state.failures == twin.failures, number
        assert stage.state.tracking == twin.tracking, number
        assert stage.state.detection.success == result.valid == twin.success, number
    return twin


def test_long_loss_agrees_with_the_steps():
    """More than 100 failures, then the face is found again."""
    lost = [(False, False, False)] * 130
    twin = compare_with_the_oracle(
        [(True, True, True), *lost, (True, True, True), *[(True, True, True)] * 12]
    )
    assert twin.tracking


# --- the steps one by one ---------------------------------------------------------------------------------


def test_first_frame_detects_tries_all_orientations_and_succeeds():
    stage = Stage()
    assert stage.state.failures == -1
    result = stage.frame()
    assert stage.log == ["detect", "hypotheses"]
    assert result.success
    assert result.valid
    assert stage.state.tracking
    assert stage.state.failures == -1


def test_tracked_frames_use_small_windows_and_no_detector():
    stage = Stage()
    stage.frame()
    for _ in range(5):
        assert stage.frame().success
        assert stage.log == ["small windows"]


def test_first_detection_returns_true_although_validation_failed():
    stage = Stage()
    stage.certainty_when_detected = BAD
    result = stage.frame()
    assert result.success
    assert not result.valid
    assert result.confidence == pytest.approx(BAD)
    assert stage.state.tracking
    assert stage.state.failures == -1
    stage.frame()
    assert stage.log[0] == "large windows"


def test_without_a_face_detection_is_tried_every_twelve_frames():
    stage = Stage()
    stage.found = no_faces()
    tried = []
    for number in range(50):
        result = stage.frame()
        assert not result.success
        assert stage.state.failures == number
        if stage.log:
            tried.append(number)
    assert tried == [0, 12, 24, 36, 48]


def test_frame_without_any_face_so_far_is_all_zero():
    stage = Stage(parts=(random_part(random_model(scales=(0.35,)), "left_eye_28", [(0, 1), (3, 4)], 8),))
    stage.found = no_faces()
    result = stage.frame()
    assert not result.points.any()
    assert (result.confidence, result.success, result.valid) == (0.0, False, False)
    np.testing.assert_array_equal(result.global_params, [1, 0, 0, 0, 0, 0])
    assert not result.local_params.any()
    assert len(result.eyes) == 1
    assert not result.eyes[0].points.any()


def test_first_failure_detects_in_the_same_frame_and_then_every_second_one():
    stage = Stage()
    stage.frame()
    stage.found = no_faces()
    stage.certainty_when_continued = BAD
    tried = []
    for number in range(8):
        assert not stage.frame().success
        assert stage.state.failures == number
        if "detect" in stage.log:
            tried.append(number)
    assert tried == [0, 2, 4, 6]


@pytest.mark.parametrize(("every", "expected"), [(1, [0, 1, 2, 3, 4, 5, 6]), (3, [0, 3, 6]), (-1, [])])
def test_period_of_redetection_is_an_option(every, expected):
    stage = Stage(dataclasses.replace(QUICK, redetect_every=every))
    stage.frame()
    stage.found = no_faces()
    stage.certainty_when_continued = BAD
    tried = []
    for number in range(7):
        stage.frame()
        if "detect" in stage.log:
            tried.append(number)
    assert tried == expected


def test_windows_are_large_after_a_failure_and_small_after_a_success():
    stage = Stage()
    stage.frame()
    stage.found = no_faces()
    stage.certainty_when_continued = BAD
    stage.frame()
    assert stage.log[0] == "small windows"
    stage.frame()
    assert stage.log[0] == "large windows"
    stage.certainty_when_continued = GOOD
    assert stage.frame().success
    assert stage.log == ["large windows"]
    assert stage.state.failures == -1
    stage.frame()
    assert stage.log == ["small windows"]


def test_successful_redetection_returns_true_and_resets_the_counter():
    stage = Stage()
    stage.frame()
    stage.certainty_when_continued = BAD
    stage.found = no_faces()
    stage.frame()
    stage.frame()
    stage.found = faces(BOX)
    result = stage.frame()
    assert stage.log == ["large windows", "detect", "hypotheses"]
    assert result.success
    assert result.valid
    assert stage.state.failures == -1


def test_failed_redetection_restores_the_fit_but_not_the_verdict():
    eye = random_part(random_model(scales=(0.35,)), "left_eye_28", [(0, 1), (3, 4), (6, 2)], 8)
    stage = Stage(gray=GRAY, parts=(eye,))
    stage.frame()
    stage.certainty_when_continued = 0.3
    stage.certainty_when_detected = 0.2
    stage.found = no_faces()
    without = stage.frame()
    assert without.confidence == pytest.approx(0.3)

    again = Stage(gray=GRAY, parts=(eye,))
    again.frame()
    again.certainty_when_continued = 0.3
    again.certainty_when_detected = 0.2
    again.found = faces((10.0, 20.0, 90.0, 80.0))
    result = again.frame()
    assert again.log == ["small windows", "detect", "hypotheses"]
    assert not result.success
    assert not result.valid
    # Parameters, landmarks and likelihood are those of the fit that was continued …
    np.testing.assert_array_equal(result.global_params, without.global_params)
    np.testing.assert_array_equal(result.local_params, without.local_params)
    np.testing.assert_array_equal(result.points, without.points)
    assert again.state.detection.likelihood == stage.state.detection.likelihood
    # … certainty and parts are those of the failed attempt.
    assert result.confidence == pytest.approx(0.2)
    assert not np.array_equal(result.eyes[0].points, without.eyes[0].points)
    assert again.state.tracking
    assert again.state.failures == 0


def test_tracking_goes_on_from_the_restored_fit():
    stage = Stage()
    stage.frame()
    stage.certainty_when_continued = stage.certainty_when_detected = BAD
    restored = stage.frame()
    starts = []
    model = stage.tracker.detector.model
    watched = model.fit
    model.fit = lambda gray, start, windows: (starts.append(start), watched(gray, start, windows))[1]
    stage.frame()
    np.testing.assert_array_equal(starts[0].global_params, restored.global_params)
    assert stage.log == ["large windows"]


def test_lost_face_stays_where_the_failed_fit_left_it():
    stage = Stage(gray=GRAY)
    stage.frame()
    stage.certainty_when_continued = BAD
    stage.found = no_faces()
    first = stage.frame()
    assert first.points.any()
    second = stage.frame()
    assert not np.array_equal(first.points, second.points)


def test_tracker_gives_up_after_more_than_a_hundred_failures():
    stage = Stage()
    stage.frame()
    stage.certainty_when_continued = BAD
    stage.found = no_faces()
    for number in range(101):
        stage.frame()
        assert stage.state.failures == number
        assert stage.state.tracking
    stage.frame()
    assert stage.state.failures == 101
    assert not stage.state.tracking
    # From now on only the detector is asked, every twelve frames: next when the counter has reached 107.
    tried = []
    for _ in range(31):
        stage.frame()
        assert stage.log in ([], ["detect"])
        if stage.log:
            tried.append(stage.state.failures)
    assert tried == [108, 120, 132]


def test_face_found_after_giving_up_counts_as_a_first_detection():
    stage = Stage()
    stage.frame()
    stage.certainty_when_continued = stage.certainty_when_detected = BAD
    stage.found = no_faces()
    for _ in range(102):
        stage.frame()
    stage.found = faces(BOX)
    results = [stage.frame() for _ in range(7)]
    assert [r.success for r in results].count(True) == 1
    assert stage.state.tracking


def test_widest_face_is_followed_the_first_on_ties():
    stage = Stage()
    stage.found = faces((5, 5, 40, 90), BOX, (180, 90, 150, 60), (0, 0, 120, 200))
    starts = []
    model = stage.tracker.detector.model
    watched = model.fit
    model.fit = lambda gray, start, windows: (starts.append(start), watched(gray, start, windows))[1]
    stage.frame()
    expected = stage.tracker.detector.pdm.from_box(np.array(BOX, np.float32))
    np.testing.assert_array_equal(starts[0].global_params, expected.global_params)
    assert len(starts) == 11


def test_reset_forgets_the_face():
    stage = Stage()
    stage.frame()
    stage.frame()
    stage.tracker.reset()
    assert stage.state.failures == -1
    assert not stage.state.tracking
    stage.frame()
    assert stage.log == ["detect", "hypotheses"]


def test_same_frames_give_the_same_results_after_a_reset():
    stage = Stage(FitOptions(windows_initial=(9,), windows_tracking=(7,)), gray=GRAY)
    first = [stage.frame().points for _ in range(3)]
    stage.tracker.reset()
    second = [stage.frame().points for _ in range(3)]
    np.testing.assert_array_equal(first, second)


def test_results_of_earlier_frames_do_not_change():
    stage = Stage(FitOptions(windows_initial=(9,), windows_tracking=(7,)), gray=GRAY)
    first = stage.frame()
    kept = [a.copy() for a in (first.points, first.object_shape, first.global_params, first.local_params)]
    for _ in range(3):
        stage.frame()
    for before, after in zip(
        kept, (first.points, first.object_shape, first.global_params, first.local_params), strict=True
    ):
        np.testing.assert_array_equal(before, after)


def test_eyes_come_left_first_whatever_their_order_in_the_file():
    main = random_model(scales=(0.35,))
    pairs = [(0, 1), (3, 4), (6, 2)]
    parts = (
        random_part(main, "right_eye_28", pairs, 9, 0.1),
        random_part(main, "brow", pairs, 8, 0.1),
        random_part(main, "left_eye_28", pairs, 8, 0.1),
    )
    result = Stage(gray=GRAY, parts=parts).frame()
    assert [len(eye.points) for eye in result.eyes] == [8, 9]
    assert [len(eye.depth_offsets) for eye in result.eyes] == [8, 9]


def test_depth_of_the_eyes_is_that_of_the_turned_shape():
    main = random_model(scales=(0.35,))
    part = random_part(main, "left_eye_28", [(0, 1), (3, 4), (6, 2), (8, 5)], 8, 50.0)
    stage = Stage(gray=GRAY, parts=(part,))
    eye = stage.frame().eyes[0]
    fit = stage.state.detection.parts[0]
    pdm = stage.tracker.detector.parts[0].model.pdm
    turned = shape_oracle.rotation_matrix(fit.params.orientation) @ pdm.object_shape(fit.params).T
    np.testing.assert_allclose(eye.depth_offsets, turned[2], atol=1e-3)
    assert eye.scale == fit.params.scale


def test_a_picture_of_another_shape_is_searched_for_the_face_and_tracked_as_number_0():
    stage = Stage()
    stage.frame()
    stage.tracker.lose()
    stage.frame()
    assert stage.log[0] == "detect"
    (face,) = stage.tracker.track(Frame(2, 2 / 30, np.repeat(FLAT[..., None], 3, axis=2), FLAT))
    assert face.face_id == 0
    np.testing.assert_array_equal(face.landmarks.points, stage.state.detection.points)

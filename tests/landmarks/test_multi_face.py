"""Four places for faces, taken and given up as docs/algorithms/several-faces.md prescribes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers_landmarks import random_model
from mien.datatypes import FaceBoxes, Frame
from mien.landmarks.detector import Detection, LandmarkDetector
from mien.landmarks.multi_face import MultiFaceTracker
from mien.landmarks.options import FitOptions
from oracle.multi_face import MultiFace

pytestmark = pytest.mark.usefixtures("private_cache")

BLANK = np.zeros((48, 64, 3), np.uint8)
BOXES = [(20.0 + 100 * k, 30.0, 80.0, 80.0) for k in range(6)]


def as_faces(boxes) -> FaceBoxes:
    return FaceBoxes(np.array(boxes, np.float32).reshape(-1, 4), np.ones(len(boxes), np.float32))


class Stage:
    """A tracker whose fits stay where they begin and are valid as told; ``calls`` counts detections."""

    def __init__(self):
        engine = LandmarkDetector(random_model(scales=(0.35,)), FitOptions(), None)
        self.tracker = MultiFaceTracker(engine, self._detect)
        self.pdm, self.windows = engine.pdm, []
        engine.detect = self._fit
        self.found, self.good, self.calls, self.frames = [], lambda place: True, 0, 0

    def _detect(self, bgr):
        self.calls += 1
        return as_faces(self.found)

    def _fit(self, gray, start, windows, *, complete=True):
        self.windows.append(windows)
        place = round((float(self.pdm.points(start).mean(axis=0)[0]) - 60) / 100)
        good = self.good(place)
        return Detection(start, self.pdm.points(start), (), 0.0, 0.9 if good else 0.1, good, 0)

    def frame(self):
        index, self.frames = self.frames, self.frames + 1
        return self.tracker.track(Frame(index, index / 30, BLANK, BLANK[..., 0]))

    def bounds(self, box):
        points = self.pdm.points(self.pdm.from_box(np.array(box, np.float32)))
        low, high = points.min(axis=0), points.max(axis=0)
        return (*low.tolist(), *(high - low).tolist())


def test_four_faces_are_followed_and_the_fifth_is_not():
    stage = Stage()
    stage.found = BOXES[:5]
    faces = stage.frame()
    assert [face.face_id for face in faces] == [0, 1, 2, 3]
    centres = [face.landmarks.points.mean(axis=0)[0] for face in faces]
    assert np.all(np.diff(centres) > 50)


def test_faces_are_looked_for_in_every_eighth_frame_while_a_place_is_free():
    stage = Stage()
    stage.found = BOXES[:1]
    for _ in range(17):
        stage.frame()
    assert stage.calls == 3
    stage.found = BOXES
    for _ in range(16):
        stage.frame()
    assert stage.calls == 4  # in frame 24 all places were taken


def test_a_face_that_appears_between_two_detections_waits():
    stage = Stage()
    stage.frame()
    stage.found = BOXES[:1]
    seen = [len(stage.frame()) for _ in range(8)]
    assert seen == [0] * 7 + [1]


def test_a_place_is_given_up_after_six_failures_in_a_row():
    stage = Stage()
    stage.found = BOXES[:2]
    stage.frame()
    stage.good = lambda place: place != 0
    rows = [[face.face_id for face in stage.frame()] for _ in range(7)]
    assert rows == [[0, 1]] * 6 + [[1]]


def test_failures_do_not_add_up_over_a_success():
    stage = Stage()
    stage.found = BOXES[:1]
    stage.frame()
    stage.found = []
    for index in range(40):
        stage.good = lambda place, index=index: index % 4 == 3
        assert len(stage.frame()) == 1


def test_success_is_the_validity_of_the_fit_even_in_the_first_frame():
    stage = Stage()
    stage.found = BOXES[:2]
    stage.good = lambda place: place == 0
    assert [face.landmarks.success for face in stage.frame()] == [True, False]


def test_a_new_face_is_fitted_once_with_large_windows_from_the_front():
    stage = Stage()
    stage.found = BOXES[:1]
    stage.frame()
    stage.frame()
    options = FitOptions()
    assert stage.windows == [options.windows_initial, options.windows_tracking]


def test_a_third_of_the_union_is_enough_to_be_the_same_face():
    stage = Stage()
    stage.found = BOXES[:1]
    stage.frame()
    x, y, width, height = stage.bounds(BOXES[0])
    for shift, more in ((0.45, 0), (0.6, 1)):  # shares of the union: 0.38 and 0.25
        stage.frames = 0
        stage.tracker._frames = 0
        stage.found = [(x + shift * width, y, width, height)]
        assert len(stage.frame()) == 1 + more


def test_reset_forgets_all_faces():
    stage = Stage()
    stage.found = BOXES[:3]
    stage.frame()
    stage.tracker.reset()
    stage.found = []
    assert stage.frame() == ()
    assert stage.calls == 2


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_places_are_taken_and_left_as_in_the_slow_twin(data):
    stage = Stage()
    twin = MultiFace(stage.bounds)
    for _ in range(data.draw(st.integers(1, 30))):
        stage.found = data.draw(st.lists(st.sampled_from(BOXES), max_size=6, unique=True))
        bad = set(data.draw(st.lists(st.integers(0, 5), max_size=4)))
        stage.good = lambda place, bad=bad: place not in bad
        rows = [face.face_id for face in stage.frame()]

        def good(slot, bad=bad):
            x, _, width, _ = twin.box[slot]
            return round((x + width / 2 - 60) / 100) not in bad

        assert rows == twin.frame(lambda: stage.found, good)

"""The tracker's own difference between left and right is found in mirrored frames, and taken out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.datatypes import EyeShape, FaceLandmarks, Frame, TrackedFace
from mien.shape.mirror import MIRRORED, mirror_landmarks
from mien.sides.tracker_bias import BiasMeasuringTracker, BiasMeter, unbiased_in_picture
from sides_faces import symmetric_face

WIDTH, HEIGHT, SCALE = 320, 240, 1.5
MIDDLE = np.array([160.0, 120.0])
OUTWARDS = np.array([-1.0, 1.0])


def frame(number=0):
    """A frame of which mirrored ones differ."""
    bgr = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    gray = np.zeros((HEIGHT, WIDTH), np.uint8)
    gray[0, 0] = 255
    return Frame(number, number / 30, bgr, gray)


def is_mirrored(gray):
    return gray[0, -1] == 255


def as_landmarks(points, irises, roll, *, valid=True):
    """Landmarks as a model gives them, with eyes around their irises."""
    eyes = tuple(
        EyeShape((iris + np.zeros((28, 2))).astype(np.float32), np.zeros(28, np.float32), SCALE)
        for iris in irises
    )
    return FaceLandmarks(
        points=points.astype(np.float32),
        object_shape=np.zeros((68, 3), np.float32),
        global_params=np.array([SCALE, 0, 0, roll, 0, 0], np.float32),
        local_params=np.zeros(1, np.float32),
        eyes=eyes,
        confidence=1.0,
        success=valid,
        valid=valid,
    )


def turned(points, angle):
    """Points (n, 2) turned by an angle, rad."""
    cos, sin = math.cos(angle), math.sin(angle)
    return points @ np.array([[cos, sin], [-sin, cos]])


def mirrored_back(landmarks):
    return mirror_landmarks(landmarks.points, WIDTH - 1)


class Person:
    """A crooked face, and a tracker with a bias: it lays landmarks beside their places, as it has learnt."""

    def __init__(self, seed, roll_deg, bias_mm):
        rng = np.random.default_rng(seed)
        self.roll = math.radians(roll_deg)
        face = (symmetric_face()[:, :2] + rng.normal(0, 2, (68, 2))) * SCALE
        self.truth = turned(face, self.roll) + MIDDLE
        self.irises = turned(np.array([[-30.0, -20.0], [31.0, -19.0]]), self.roll) + MIDDLE
        self.bias = rng.normal(0, bias_mm, (70, 2)) * SCALE
        self.fits = 0

    def laid(self, points, irises, roll):
        """What the tracker gives of a face that lies there: its bias turns with the face."""
        by = turned(self.bias, roll)
        return as_landmarks(points + by[:68], irises + by[68:], roll)

    def seen(self, mirrored=False):
        """In the frame, or in the mirrored one."""
        if not mirrored:
            return self.laid(self.truth, self.irises, self.roll)
        irises = np.array([(WIDTH - 1 - x, y) for x, y in self.irises[::-1]])
        return self.laid(mirror_landmarks(self.truth, WIDTH - 1), irises, -self.roll)

    def refit(self, gray, expected):
        self.fits += 1
        mirrored = is_mirrored(gray)
        found = self.seen(mirrored)
        # They are expected where the tracker found them, as near as it is unbiased.
        assert np.abs(found.points - expected).max() < 20
        return found

    def symmetric_part(self):
        """What a tracker that treats both sides alike does wrong, px: mirrored frames don't show it."""
        swapped = np.concatenate((MIRRORED, [69, 68]))
        return (self.bias + self.bias[swapped] * OUTWARDS) / 2


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.floats(-40, 40))
def test_what_differs_between_left_and_right_is_taken_out_and_the_face_stays_crooked(seed, roll_deg):
    person = Person(seed, roll_deg, 0.5)
    ours = unbiased_in_picture(person.refit, frame(), person.seen())
    alike = person.symmetric_part()
    wanted = Person(seed, roll_deg, 0.5)
    wanted.bias = alike
    np.testing.assert_allclose(ours.points, wanted.seen().points, atol=2e-4)
    for eye, other in zip(ours.eyes, wanted.seen().eyes, strict=True):
        np.testing.assert_allclose(eye.points, other.points, atol=2e-4)


def test_a_face_that_is_seen_alike_in_both_is_left_alone():
    person = Person(3, 12, 0.0)
    before = person.seen()
    ours = unbiased_in_picture(person.refit, frame(), before)
    np.testing.assert_allclose(ours.points, before.points, atol=1e-4)
    assert (ours.global_params == before.global_params).all()


def test_a_flipped_picture_gives_the_flipped_landmarks():
    person = Person(8, -20, 0.7)
    ours = unbiased_in_picture(person.refit, frame(), person.seen())
    picture = frame()
    flipped = Frame(0, 0.0, picture.bgr, np.ascontiguousarray(picture.gray[:, ::-1]))
    other = unbiased_in_picture(person.refit, flipped, person.seen(mirrored=True))
    np.testing.assert_allclose(mirrored_back(other), ours.points, atol=2e-4)
    assert np.abs(mirrored_back(person.seen(mirrored=True)) - person.seen().points).max() > 1


def fails(gray, expected):
    return None


def is_nowhere(gray, expected):
    return as_landmarks(np.full((68, 2), np.nan), np.zeros((2, 2)), 0.0)


def has_no_eyes(gray, expected):
    return as_landmarks(expected, np.zeros((0, 2)), 0.0)


def is_something_else(gray, expected):
    return as_landmarks(expected + 20 * SCALE, np.zeros((2, 2)), 0.0)


@pytest.mark.parametrize("refit", [fails, is_nowhere, has_no_eyes, is_something_else])
def test_a_mirrored_frame_in_which_nothing_fits_teaches_nothing(refit):
    person = Person(1, 0, 0.5)
    before = person.seen()
    assert unbiased_in_picture(refit, frame(), before) is before
    meter = BiasMeter(refit)
    meter.measure(frame(), before)
    assert meter.bias is None


def test_landmark_models_without_eyes_have_a_bias_too():
    person = Person(4, 5, 0.5)
    blind = as_landmarks(person.seen().points, np.zeros((0, 2)), person.roll)

    def refit(gray, expected):
        return as_landmarks(person.seen(is_mirrored(gray)).points, np.zeros((0, 2)), -person.roll)

    ours = unbiased_in_picture(refit, frame(), blind)
    np.testing.assert_allclose(ours.points, unbiased_in_picture(person.refit, frame(), person.seen()).points)


class Following:
    """A tracker whose face is lost in some frames."""

    def __init__(self, person, lost=(), turned_deg=()):
        self.person, self.lost, self.turned_deg, self.calls = person, set(lost), dict(turned_deg), []

    def seen(self, number):
        found = self.person.seen()
        if number in self.lost:
            return as_landmarks(found.points, self.person.irises, self.person.roll, valid=False)
        found.global_params[2] = math.radians(self.turned_deg.get(number, 0))
        return found

    def track(self, frame):
        return (TrackedFace(0, self.seen(frame.index)),)

    def lose(self):
        self.calls.append("lose")

    def reset(self):
        self.calls.append("reset")


def test_it_is_measured_often_at_first_and_then_now_and_then():
    person = Person(2, 0, 0.5)
    tracker = BiasMeasuringTracker(Following(person), person.refit)
    at = []
    for number in range(130):
        before = person.fits
        tracker.track(frame(number))
        at += [number] * (person.fits - before)
    assert at == [0, 1, 2, 4, 8, 16, 32, 64, 96, 128]
    assert tracker.bias.frames == 10
    assert tracker.bias.told() == {"frames": 10, "mean_mm": pytest.approx(0.44, abs=0.1)}


def test_frames_without_a_face_do_not_count():
    person = Person(2, 0, 0.5)
    tracker = BiasMeasuringTracker(Following(person, lost=(0, 1, 5)), person.refit)
    known = []
    for number in range(8):
        tracker.track(frame(number))
        known.append(tracker.next_bias())
    assert [bias and bias.frames for bias in known] == [None, None, 1, 2, 3, 3, 3, 4]


def test_a_tracker_that_is_ahead_does_not_change_what_a_frame_gets():
    person = Person(2, 0, 0.5)
    tracker = BiasMeasuringTracker(Following(person), person.refit)
    for number in range(3):
        tracker.track(frame(number))
    assert [tracker.next_bias().frames for _ in range(3)] == [1, 2, 3]


def test_the_faces_pass_unchanged_and_so_do_wishes():
    person = Person(2, 0, 0.5)
    inner = Following(person)
    tracker = BiasMeasuringTracker(inner, person.refit)
    (face,) = tracker.track(frame())
    assert (face.landmarks.points == person.seen().points).all()
    tracker.lose()
    tracker.reset()
    assert inner.calls == ["lose", "reset"]


def test_faces_of_a_video_that_are_turned_away_are_not_measured():
    person = Person(2, 0, 0.5)
    following = Following(person, turned_deg={0: 40, 1: -16, 2: 14, 4: -14})
    tracker = BiasMeasuringTracker(following, person.refit)
    known = []
    for number in range(6):
        tracker.track(frame(number))
        known.append(tracker.next_bias())
    assert [bias and bias.frames for bias in known] == [None, None, 1, 2, 3, 3]


def test_of_another_video_nothing_is_known():
    person = Person(2, 0, 0.5)
    tracker = BiasMeasuringTracker(Following(person, lost=(2,)), person.refit)
    tracker.track(frame(0))
    tracker.track(frame(1))
    tracker.reset()
    tracker.track(frame(2))
    assert tracker.next_bias() is None

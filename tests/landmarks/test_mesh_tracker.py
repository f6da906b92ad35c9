"""The mesh tracker follows a face as MediaPipe does, and finds it again."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from helpers_open import (
    BLACK_FRAMES,
    GOLDEN,
    canonical_face,
    frame_of,
    indices,
    read_golden,
    read_rgb,
    synthetic_sequence,
    tracker,
)
from mien.datatypes import FaceBoxes
from mien.landmarks.mesh import FaceMesh
from mien.landmarks.mesh_tracker import MeshTracker


def assert_follows(golden, frames, **options):
    follower = tracker(**options)
    for t, rgb in enumerate(frames):
        assert hashlib.sha256(rgb.tobytes()).hexdigest() == str(golden["rgb_sha256"][t])
        landmarks = follower.follow(frame_of(rgb, t))
        expected = golden["mp_landmarks"][t]
        assert landmarks.success == landmarks.valid == bool(np.isfinite(expected[0, 0]))
        np.testing.assert_allclose(landmarks.mesh, expected, atol=0.15, rtol=0, equal_nan=True)


@pytest.mark.parametrize("redetect_at_once", [False, True])
def test_moving_portrait_is_followed_as_by_mediapipe(redetect_at_once):
    assert_follows(read_golden(GOLDEN / "synth.npz"), synthetic_sequence(), redetect_at_once=redetect_at_once)


@pytest.mark.models
def test_recorded_face_is_followed_as_by_mediapipe(open_models_dir):
    folder = open_models_dir / "golden" / "restricted"
    frames = (read_rgb(folder / "seq" / f"{t:03d}.png") for t in range(60))
    assert_follows(read_golden(folder / "seq.npz"), frames, redetect_at_once=False)


def test_a_lost_face_is_nan_without_confidence_and_success():
    follower = tracker()
    frames = list(synthetic_sequence())
    for t in (0, BLACK_FRAMES[0]):
        landmarks = follower.follow(frame_of(frames[t], t))
    assert not landmarks.success
    assert not landmarks.valid
    assert landmarks.confidence == 0
    for array in (landmarks.points, landmarks.object_shape, landmarks.global_params, landmarks.mesh):
        assert np.all(np.isnan(array))
    assert follower.region is None


class FakeDetector:
    """Always finds one face and counts how often it was asked."""

    def __init__(self):
        self.calls = 0

    def detect(self, bgr):
        self.calls += 1
        return FaceBoxes(np.array([[40, 40, 20, 20]], np.float32), np.ones(1, np.float32))


class FakeNetwork:
    """Gives a canonical face of the size and presence that the frame's first two pixels ask for."""

    def read(self, bgr, region):
        size, presence, x = (float(value) for value in bgr[0, 0])
        vertices = np.vstack([canonical_face().vertices, np.zeros((10, 3))])
        points = vertices / 15 * size + (x, 50, 0)
        return FaceMesh(points.astype(np.float32), presence / 100)


def scene(size=20, presence=99, x=50):
    bgr = np.zeros((100, 100, 3), np.uint8)
    bgr[0, 0] = size, presence, x
    return frame_of(bgr[:, :, ::-1])


@pytest.fixture
def detector():
    return FakeDetector()


def follow(detector, scenes, **options):
    follower = MeshTracker(detector, FakeNetwork(), canonical_face(), indices().ibug68, **options)
    return [follower.follow(frame).success for frame in scenes]


def test_the_detector_runs_only_at_the_start(detector):
    assert all(follow(detector, [scene()] * 5))
    assert detector.calls == 1


@pytest.mark.parametrize(("redetect_at_once", "calls"), [(True, 3), (False, 2)])
def test_a_lost_face_is_searched_for_at_once_or_in_the_next_frame(detector, redetect_at_once, calls):
    frames = [scene(), scene(presence=10), scene(), scene()]
    assert follow(detector, frames, redetect_at_once=redetect_at_once) == [True, False, True, True]
    assert detector.calls == calls


def test_a_sudden_change_of_size_is_checked_by_the_detector(detector):
    frames = [scene(), scene(), scene(size=45), scene(size=45), scene(size=45)]
    assert all(follow(detector, frames))
    assert detector.calls == 2
    detector.calls = 0
    assert all(follow(detector, frames, guard=False))
    assert detector.calls == 1


def test_a_face_that_leaves_the_image_is_checked_by_the_detector(detector):
    assert all(follow(detector, [scene(), scene(x=120), scene()]))
    assert detector.calls == 2


@pytest.mark.parametrize("forget", ["reset", "lose"])
def test_the_face_is_looked_for_in_another_video_and_in_a_picture_of_another_shape(detector, forget):
    follower = MeshTracker(detector, FakeNetwork(), canonical_face(), indices().ibug68)
    follower.follow(scene())
    assert follower.region is not None
    getattr(follower, forget)()
    assert follower.region is None
    follower.follow(scene())
    assert detector.calls == 2

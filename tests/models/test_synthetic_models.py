"""The synthetic models recognise the drawn face: the ground that tests without licensed data stand on."""

from __future__ import annotations

import numpy as np
import pytest

import synthetic_models
from mien.datatypes import Frame
from mien.detection.mtcnn import MtcnnDetector
from mien.landmarks.detector import LandmarkDetector
from mien.landmarks.options import FitOptions
from mien.landmarks.tracker import FaceTracker
from mien.landmarks.validator import LandmarkValidator
from mien.models.readers import read_landmark_model, read_mtcnn
from synthetic_face import Pose, face_points, landmarks, mirror_landmarks, picture

NOTHING = np.full((480, 640, 3), 25, np.uint8)


@pytest.fixture(scope="module")
def detector(synthetic_openface):
    return MtcnnDetector(
        read_mtcnn(synthetic_openface / synthetic_models.MODEL / "mtcnn_detector/MTCNN_detector.txt")
    )


def frame(index: int, bgr: np.ndarray) -> Frame:
    return Frame(index, index / 30, bgr, np.ascontiguousarray(bgr[..., 1]))


def test_the_drawn_face_is_symmetric():
    points = face_points()
    np.testing.assert_allclose(points[mirror_landmarks()] * [-1, 1, 1], points, atol=1e-9)


@pytest.mark.parametrize(
    "pose",
    [
        Pose(1.0, (0, 0, 0), 200, 200),
        Pose(1.5, (0, 0.2, 0.1), 320, 240),
        Pose(0.7, (0.1, 0, -0.2), 400, 300),
        Pose(2.0, (0, 0, 0), 300, 240),
    ],
)
def test_the_detector_finds_the_drawn_face_and_nothing_else(detector, pose):
    faces = detector.detect(picture(pose, noise=2.0))
    points = landmarks(pose)
    truth = np.append(points.min(0), np.ptp(points, axis=0))
    assert len(faces) == 1
    assert np.abs(faces.boxes[0] - truth).max() < 0.25 * truth[2:].max()


def test_the_detector_finds_nothing_where_nothing_is(detector):
    assert len(detector.detect(NOTHING)) == 0


def test_the_drawn_face_is_followed_lost_and_found(synthetic_openface, detector):
    model = read_landmark_model(synthetic_openface / synthetic_models.MODEL / "main_clnf_general.txt")
    tracker = FaceTracker(
        LandmarkDetector(model, FitOptions(), LandmarkValidator(model.validator).certainty), detector.detect
    )
    for index in range(9):
        pose = Pose(1.3, (0.01 * index, 0.02 * index - 0.1, 0.01 * index), 310 + 3 * index, 240)
        lost = index in (4, 5)
        face = tracker.follow(frame(index, NOTHING if lost else picture(pose, noise=1.5, seed=index)))
        assert face.success == face.valid == (not lost)
        if not lost:
            assert face.confidence > 0.9
            assert np.linalg.norm(face.points - landmarks(pose), axis=1).mean() < 2.0
            assert len(face.eyes) == 2

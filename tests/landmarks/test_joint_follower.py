"""Faces that are followed at the same time are followed as one by one; their networks' calls are joined."""

from __future__ import annotations

import numpy as np
import pytest

import synthetic_models
from mien.datatypes import Frame
from mien.detection.mtcnn import MtcnnDetector
from mien.landmarks.accelerator import Accelerator
from mien.landmarks.detector import LandmarkDetector
from mien.landmarks.follower import LandmarkFollower
from mien.landmarks.joint_follower import JointFollower
from mien.landmarks.options import FitOptions
from mien.landmarks.validator import LandmarkValidator
from mien.models.readers import read_landmark_model, read_mtcnn
from mien.people.people_tracker import PeopleTracker
from synthetic_faces import picture_of, poses

pytestmark = pytest.mark.usefixtures("private_cache")


def frame(bgr: np.ndarray, index: int) -> Frame:
    return Frame(index, index / 30, bgr, np.ascontiguousarray(bgr[..., 1]))


@pytest.fixture(scope="module")
def frames():
    return [frame(picture_of(poses((k, 0), (4, -k), (-k, 2))), k) for k in range(4)]


@pytest.fixture(scope="module")
def models(synthetic_openface):
    folder = synthetic_openface / synthetic_models.MODEL
    record = read_landmark_model(folder / "main_ceclm_general.txt")
    detector = MtcnnDetector(read_mtcnn(folder / "mtcnn_detector/MTCNN_detector.txt"))
    return record, detector.detect, LandmarkValidator(record.validator).certainty


def track(models, frames, accelerator, most):
    record, detect, validate = models
    first, *others = (
        LandmarkFollower(LandmarkDetector(record, FitOptions(), validate, device=accelerator))
        for _ in range(1 + most)
    )
    follow_all = JointFollower(others, accelerator).follow_all if most else None
    tracker = PeopleTracker(first, detect, follow_all=follow_all)
    return [tracker.track(frame) for frame in frames]


@pytest.mark.parametrize("most", [1, 2, 4])
@pytest.mark.parametrize("takes_part", [False, True])
def test_together_is_as_one_by_one(models, frames, most, takes_part):
    alone, together = Accelerator("cpu"), Accelerator("cpu", wait_s=0.5)
    expected = track(models, frames, alone, 0)
    if takes_part:
        with together.member():
            found = track(models, frames, together, most)
    else:
        found = track(models, frames, together, most)
    assert [len(faces) for faces in found] == [3] * len(frames)
    for faces, wanted in zip(found, expected, strict=True):
        assert [face.face_id for face in faces] == [face.face_id for face in wanted]
        for face, other in zip(faces, wanted, strict=True):
            np.testing.assert_array_equal(face.landmarks.points, other.landmarks.points)
    assert together.calls == alone.calls
    assert (together.runs < together.calls) == (most > 1)

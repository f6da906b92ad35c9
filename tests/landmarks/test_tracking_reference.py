"""The tracker on real videos against the original: one frame from its exact state before, and running free.

Tolerances: docs/algorithms/numerical-noise.md. They are in units of the face's scale s, px per mm.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from helpers_reference import read_video
from mien.datatypes import Frame
from mien.detection.mtcnn import MtcnnDetector
from mien.imaging.kernels import bgr_to_gray
from mien.landmarks.detector import Detection, LandmarkDetector
from mien.landmarks.options import FitOptions
from mien.landmarks.tracker import FaceTracker, TrackerState
from mien.landmarks.validator import LandmarkValidator
from mien.models.readers import read_landmark_model, read_mtcnn
from mien.shape.model import ShapeParameters

pytestmark = pytest.mark.models


class CountingDetector:
    """MTCNN that counts its calls."""

    def __init__(self, detector: MtcnnDetector) -> None:
        self.detector = detector
        self.calls = 0

    def __call__(self, bgr):
        self.calls += 1
        return self.detector.detect(bgr)


@pytest.fixture(scope="module")
def tracker_and_detector(openface_dir) -> tuple[FaceTracker, CountingDetector]:
    model = openface_dir / "LandmarkDetector/model"
    record = read_landmark_model(model / "main_clnf_general.txt")
    detect = CountingDetector(MtcnnDetector(read_mtcnn(model / "mtcnn_detector/MTCNN_detector.txt")))
    return FaceTracker(
        LandmarkDetector(record, FitOptions(), LandmarkValidator(record.validator).certainty), detect
    ), detect


@pytest.fixture
def tracker(tracker_and_detector) -> FaceTracker:
    tracker_and_detector[0].reset()
    return tracker_and_detector[0]


@pytest.fixture
def detector(tracker_and_detector) -> CountingDetector:
    tracker_and_detector[1].calls = 0
    return tracker_and_detector[1]


def video_frames(path: Path, first: int, last: int) -> Iterator[Frame]:
    """Frames ``first`` to ``last`` - 1."""
    with av.open(str(path)) as container:
        for index, picture in enumerate(container.decode(video=0)):
            if index >= last:
                return
            if index >= first:
                bgr = np.ascontiguousarray(picture.to_ndarray(format="bgr24"))
                gray = np.empty(bgr.shape[:2], np.uint8)
                bgr_to_gray(bgr, gray)
                yield Frame(index, index / 30, bgr, gray)


def state_after(dump, row: int) -> TrackerState:
    """The original tracker's state after a frame (its parts keep no state)."""
    return TrackerState(
        Detection(
            params=ShapeParameters(
                dump["params_global"][row].astype(np.float32), dump["params_local"][row].astype(np.float32)
            ),
            points=dump["landmarks"][row].astype(np.float32),
            parts=(),
            likelihood=float(dump["likelihood"][row, 0]),
            certainty=float(dump["certainty"][row, 0]),
            success=bool(dump["detection_success"][row, 0]),
            view=0,
        ),
        tracking=True,
        failures=int(dump["failures_in_a_row"][row, 0]),
    )


def relative_error(points: np.ndarray, dump, row: int) -> tuple[float, float]:
    """Mean and largest distance to the original's landmarks in units of its scale."""
    distance = np.linalg.norm(points - dump["landmarks"][row], axis=1) / dump["params_global"][row, 0]
    return distance.mean(), distance.max()


def same_certainty(result, dump, row: int) -> bool:
    return bool(abs(result.confidence - dump["certainty"][row, 0]) < 1e-6)


def follow_from_states(tracker: FaceTracker, path: Path, dump, first: int, last: int):
    """Every frame from the original's state before it: errors (N, 2), equal certainties (N,)."""
    errors, same = [], []
    for frame in video_frames(path, first, last):
        tracker.state = state_after(dump, frame.index - 1)
        result = tracker.follow(frame)
        errors.append(relative_error(result.points, dump, frame.index))
        same.append(same_certainty(result, dump, frame.index))
        assert result.success == bool(dump["success"][frame.index, 0])
    return np.array(errors), np.array(same)


def test_single_frames_agree_from_the_exact_state_before(tracker, media_dir, reference_dir):
    """120 frames of two videos."""
    errors, same = [], []
    for name, suffix, last in (("2015-10-15-15-14", "avi", 81), ("0417_02_003_bill_clinton", "avi", 41)):
        dump = read_video(reference_dir / "videos" / name)
        found = follow_from_states(tracker, media_dir / f"{name}.{suffix}", dump, 1, last)
        errors.append(found[0])
        same.append(found[1])
    means, largest = np.concatenate(errors).T
    assert len(means) == 120
    assert np.median(means) < 0.005
    assert np.quantile(means, 0.99) < 0.03
    assert largest.max() < 0.3
    assert np.concatenate(same).mean() >= 0.99


def test_loss_and_return_of_the_face_agree_from_the_exact_states(tracker, detector, media_dir, reference_dir):
    """clip2 loses the face in frame 188 and finds it in 194; 190 and 192 try in vain.

    Where there is no face one unit in the last place of tx decides where the landmarks go: in frame 192 it
    moves their mean by 0.075 s. So single frames have a wide bound, the median has the usual one.
    """
    dump = read_video(reference_dir / "videos/clip2")
    calls = dump["n_mtcnn_calls"][:, 0]
    means = []
    for frame in video_frames(media_dir / "clip2.mp4", 187, 199):
        row = frame.index
        tracker.state = state_after(dump, row - 1)
        detector.calls = 0
        result = tracker.follow(frame)
        assert detector.calls == calls[row] - calls[row - 1], row
        assert result.success == bool(dump["success"][row, 0]), row
        assert result.valid == bool(dump["detection_success"][row, 0]), row
        assert tracker.state.failures == dump["failures_in_a_row"][row, 0], row
        assert same_certainty(result, dump, row), row
        means.append(relative_error(result.points, dump, row)[0])
    assert np.median(means) < 0.005
    assert np.max(means) < 0.1


def test_redetection_by_failure_in_a_small_face_agrees(tracker, detector, media_dir, reference_dir):
    """One failed frame, made good by a detection in the same frame (244); the face is below half scale."""
    dump = read_video(reference_dir / "videos/0417_02_003_bill_clinton")
    calls = dump["n_mtcnn_calls"][:, 0]
    for frame in video_frames(media_dir / "0417_02_003_bill_clinton.avi", 242, 247):
        row = frame.index
        tracker.state = state_after(dump, row - 1)
        detector.calls = 0
        result = tracker.follow(frame)
        assert detector.calls == calls[row] - calls[row - 1], row
        assert result.success == bool(dump["success"][row, 0]), row
        assert tracker.state.failures == dump["failures_in_a_row"][row, 0], row
        mean, _ = relative_error(result.points, dump, row)
        assert mean < 0.03, row


def test_free_running_tracker_stays_with_the_original(tracker, detector, media_dir, reference_dir):
    """60 frames of a clean video, from the first."""
    dump = read_video(reference_dir / "videos/2015-10-15-15-14")
    errors, same = [], []
    for frame in video_frames(media_dir / "2015-10-15-15-14.avi", 0, 60):
        result = tracker.follow(frame)
        assert result.success
        errors.append(relative_error(result.points, dump, frame.index))
        same.append(same_certainty(result, dump, frame.index))
    means, largest = np.array(errors).T
    assert detector.calls == 1
    assert np.median(means) < 0.03
    assert np.quantile(largest, 0.95) < 0.3
    assert np.mean(same) >= 0.97


def test_free_running_tracker_loses_and_finds_the_face_with_the_original(
    tracker, detector, media_dir, reference_dir
):
    """clip2, from the original's state some frames before the loss."""
    dump = read_video(reference_dir / "videos/clip2")
    first, last = 180, 210
    tracker.state = state_after(dump, first - 1)
    errors, same, success = [], [], []
    for frame in video_frames(media_dir / "clip2.mp4", first, last):
        result = tracker.follow(frame)
        errors.append(relative_error(result.points, dump, frame.index))
        same.append(same_certainty(result, dump, frame.index))
        success.append(result.success)
    expected = dump["success"][first:last, 0].astype(bool)
    assert (np.array(success) != expected).sum() <= 1
    assert abs(detector.calls - np.ptp(dump["n_mtcnn_calls"][first - 1 : last, 0])) <= 1
    means, largest = np.array(errors)[expected].T
    assert np.median(means) < 0.03
    assert np.quantile(largest, 0.95) < 0.7
    assert np.mean(same) >= 0.9

"""BlazeFace finds what MediaPipe finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers_open import GOLDEN, frame_of, full_range, read_golden, read_rgb, short_range
from mien.datatypes import FaceBoxes
from mien.detection.blazeface import (
    FULL_RANGE,
    SHORT_RANGE,
    BlazeFace,
    anchor_centres,
    box_overlaps,
    suppress_weighted,
)
from mien.detection.several import FirstSuccess

RESTRICTED = ("sample1", "default_100")


def as_rows(faces: FaceBoxes) -> np.ndarray:
    corners = faces.boxes.reshape(-1, 2, 2).astype(np.float64)
    corners[:, 1] += corners[:, 0]
    points = [corners.reshape(-1, 4), faces.keypoints.reshape(len(faces), -1)]
    return np.concatenate([faces.scores[:, None], *points], axis=1)


def assert_golden(folder, name):
    golden = read_golden(folder / f"{name}.npz")
    bgr = frame_of(read_rgb(folder / f"{name}.png")).bgr
    for detector, key in ((short_range(), "det_short"), (full_range(), "det_full")):
        rows = as_rows(detector.detect(bgr))
        for expected in (golden[f"mp_{key}"], golden[f"own_{key}"]):
            assert rows.shape == expected.shape
            np.testing.assert_allclose(rows[:, 0], expected[:, 0], atol=1e-5, rtol=0)
            np.testing.assert_allclose(rows[:, 1:], expected[:, 1:], atol=1e-3, rtol=0)


def test_portrait_gives_the_faces_of_mediapipe():
    assert_golden(GOLDEN, "astronaut")


@pytest.mark.models
@pytest.mark.parametrize("name", RESTRICTED)
def test_photographs_give_the_faces_of_mediapipe(open_models_dir, name):
    assert_golden(open_models_dir / "golden" / "restricted", name)


def test_no_face_in_an_empty_picture():
    faces = full_range().detect(np.zeros((90, 160, 3), np.uint8))
    assert len(faces) == 0
    assert faces.boxes.shape == (0, 4)
    assert faces.keypoints.shape == (0, 6, 2)


def test_anchors_are_cell_centres_row_by_row():
    centres = anchor_centres(SHORT_RANGE.grids)
    assert centres.shape == (896, 2)
    np.testing.assert_allclose(centres[:4] * 16, [[0.5, 0.5], [0.5, 0.5], [1.5, 0.5], [1.5, 0.5]])
    np.testing.assert_allclose(centres[512:518] * 8, np.full((6, 2), 0.5))
    assert anchor_centres(FULL_RANGE.grids).shape == (2304, 2)


class FakeSession:
    """Answers with given rows, as a network would."""

    def __init__(self, regressors, logits):
        self.answer = [regressors[None].astype(np.float32), logits[None, :, None].astype(np.float32)]

    def run(self, names, inputs):
        return self.answer


def test_rows_are_decoded_relative_to_their_anchor():
    regressors, logits = np.zeros((896, 16)), np.full(896, -200.0)
    regressors[3, :4] = [8, -8, 32, 16]
    regressors[3, 4:6] = [1, 2]
    logits[3] = 200
    detector = BlazeFace(FakeSession(regressors, logits), SHORT_RANGE)
    faces = detector.detect(np.zeros((128, 256, 3), np.uint8))
    # the letterbox halves the picture and adds 32 rows above; the anchor is (12, 4) in its pixels
    np.testing.assert_allclose(faces.boxes, [[2 * (12 + 8 - 16), 2 * (4 - 8 - 8 - 32), 64, 32]], atol=1e-4)
    np.testing.assert_allclose(faces.keypoints[0, 0], [2 * 13, 2 * (6 - 32)], atol=1e-4)
    assert faces.scores[0] == pytest.approx(1)


def test_the_second_detector_is_asked_only_when_the_first_finds_nothing():
    class Counting:
        def __init__(self, count):
            self.count, self.calls = count, 0

        def detect(self, bgr):
            self.calls += 1
            return FaceBoxes(np.ones((self.count, 4), np.float32), np.ones(self.count, np.float32))

    bgr = np.zeros((8, 8, 3), np.uint8)
    for first, second, found in ((Counting(2), Counting(1), 2), (Counting(0), Counting(1), 1)):
        assert len(FirstSuccess([first, second]).detect(bgr)) == found
        assert second.calls == (first.count == 0)


candidates = st.lists(
    st.tuples(*[st.floats(0, 1)] * 2, *[st.floats(0.01, 1)] * 2, st.floats(0.5, 1)), max_size=12
).map(lambda rows: np.array(rows, np.float64).reshape(-1, 5))


@settings(deadline=None)
@given(candidates)
def test_suppression_keeps_the_best_and_never_invents(rows):
    boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)
    faces, scores = suppress_weighted(boxes, rows[:, 4], 0.3)
    assert len(faces) <= len(rows)
    assert np.all(np.diff(scores) <= 0)
    assert set(scores) <= set(rows[:, 4])
    if len(rows):
        assert scores[0] == rows[:, 4].max()
        assert np.all(faces >= boxes.min(axis=0) - 1e-9)
        assert np.all(faces <= boxes.max(axis=0) + 1e-9)


def test_overlapping_candidates_become_their_weighted_mean():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 12, 10], [50, 50, 60, 60]], np.float64)
    faces, scores = suppress_weighted(boxes, np.array([0.6, 0.9, 0.7]), 0.3)
    np.testing.assert_allclose(faces, [[0, 0, (6 + 0.9 * 12) / 1.5, 10], [50, 50, 60, 60]])
    np.testing.assert_allclose(scores, [0.9, 0.7])


@given(candidates)
def test_overlap_is_one_with_itself_and_symmetric(rows):
    boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)
    for box in boxes:
        overlaps = box_overlaps(box, boxes)
        assert np.all((overlaps >= 0) & (overlaps <= 1 + 1e-12))
        np.testing.assert_allclose([box_overlaps(b, box[None])[0] for b in boxes], overlaps)
    for i, box in enumerate(boxes):
        assert box_overlaps(box, boxes)[i] == pytest.approx(1)

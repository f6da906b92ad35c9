"""Several detectors asked together find every face once."""

from __future__ import annotations

import numpy as np

from mien.datatypes import FaceBoxes
from mien.detection.several import Together

PICTURE = np.zeros((10, 10, 3), np.uint8)


class Fixed:
    def __init__(self, *boxes, keypoints=False):
        self.faces = FaceBoxes(
            np.array(boxes, np.float32).reshape(-1, 4),
            np.linspace(1, 0.5, len(boxes)).astype(np.float32),
            np.ones((len(boxes), 6, 2), np.float32) if keypoints else None,
        )

    def detect(self, bgr):
        return self.faces


def test_the_first_detector_comes_first_and_the_next_adds_what_it_missed():
    together = Together([Fixed((0, 0, 10, 10)), Fixed((50, 0, 10, 10), (1, 0, 10, 10), keypoints=True)])
    faces = together.detect(PICTURE)
    assert faces.boxes.tolist() == [[0, 0, 10, 10], [50, 0, 10, 10]]
    assert faces.scores.tolist() == [1.0, 1.0]
    assert np.isnan(faces.keypoints[0]).all()
    assert (faces.keypoints[1] == 1).all()


def test_neighbouring_faces_of_one_detector_stay():
    faces = Together([Fixed((0, 0, 10, 10), (2, 0, 10, 10))]).detect(PICTURE)
    assert len(faces) == 2


def test_nothing_is_found_where_nobody_finds_anything():
    faces = Together([Fixed(), Fixed(keypoints=True)]).detect(PICTURE)
    assert faces.boxes.shape == (0, 4)
    assert faces.keypoints.shape == (0, 6, 2)

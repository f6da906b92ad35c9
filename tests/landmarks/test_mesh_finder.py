"""All faces of a picture are found, each once."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from helpers_open import GOLDEN, frame_of, read_golden, read_rgb
from mien.geometry.pinhole import default_camera
from mien.options import AnalysisOptions
from mien.packs.open import build


@pytest.fixture(scope="module")
def tracker():
    return build(AnalysisOptions(), default_camera, pictures=True).tracker


def landmarks(tracker, frame):
    faces = tracker.track(frame)
    assert [face.face_id for face in faces] == list(range(len(faces)))
    return [face.landmarks for face in faces]


def test_one_portrait_has_one_face_although_every_detector_sees_it(tracker):
    golden = read_golden(GOLDEN / "astronaut.npz")
    (face,) = landmarks(tracker, frame_of(read_rgb(GOLDEN / "astronaut.png")))
    np.testing.assert_allclose(face.mesh, golden["mp_landmarks"], atol=0.02)
    assert face.success


def test_faces_of_any_size_are_found_once_each(tracker):
    canvas = np.full((700, 1200, 3), 128, np.uint8)
    portrait = Image.open(GOLDEN / "astronaut.png").convert("RGB").crop((60, 0, 400, 340))
    places = [(20, 20, 600), (700, 30, 300), (900, 350, 260)]
    for x, y, side in places:
        canvas[y : y + side, x : x + side] = np.asarray(portrait.resize((side, side)))
    faces = landmarks(tracker, frame_of(canvas))
    noses = sorted(tuple(face.points[30]) for face in faces)
    assert len(noses) == 3
    for (x, y), (left, top, side) in zip(noses, places, strict=True):
        assert left < x < left + side
        assert top < y < top + side


def test_an_empty_picture_has_none(tracker):
    assert landmarks(tracker, frame_of(np.zeros((100, 200, 3), np.uint8))) == []


def test_pictures_are_independent(tracker):
    frame = frame_of(read_rgb(GOLDEN / "astronaut.png"))
    first = landmarks(tracker, frame)[0]
    landmarks(tracker, frame_of(np.zeros((100, 200, 3), np.uint8)))
    np.testing.assert_array_equal(landmarks(tracker, frame)[0].mesh, first.mesh)

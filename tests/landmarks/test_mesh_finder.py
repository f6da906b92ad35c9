"""All faces of a picture are found, each once."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from helpers_open import GOLDEN, frame_of, read_golden, read_rgb
from mien.models.open.build import build_finder
from mien.options import AnalysisOptions


@pytest.fixture(scope="module")
def finder():
    return build_finder(AnalysisOptions())


def test_one_portrait_has_one_face_although_every_detector_sees_it(finder):
    golden = read_golden(GOLDEN / "astronaut.npz")
    (face,) = finder.find(frame_of(read_rgb(GOLDEN / "astronaut.png")))
    np.testing.assert_allclose(face.mesh, golden["mp_landmarks"], atol=0.02)
    assert face.success


def test_faces_of_any_size_are_found_once_each(finder):
    canvas = np.full((700, 1200, 3), 128, np.uint8)
    portrait = Image.open(GOLDEN / "astronaut.png").convert("RGB").crop((60, 0, 400, 340))
    places = [(20, 20, 600), (700, 30, 300), (900, 350, 260)]
    for x, y, side in places:
        canvas[y : y + side, x : x + side] = np.asarray(portrait.resize((side, side)))
    faces = finder.find(frame_of(canvas))
    noses = sorted(tuple(face.points[30]) for face in faces)
    assert len(noses) == 3
    for (x, y), (left, top, side) in zip(noses, places, strict=True):
        assert left < x < left + side
        assert top < y < top + side


def test_an_empty_picture_has_none(finder):
    assert finder.find(frame_of(np.zeros((100, 200, 3), np.uint8))) == []


def test_pictures_are_independent(finder):
    frame = frame_of(read_rgb(GOLDEN / "astronaut.png"))
    first = finder.find(frame)[0]
    finder.find(frame_of(np.zeros((100, 200, 3), np.uint8)))
    np.testing.assert_array_equal(finder.find(frame)[0].mesh, first.mesh)

"""OpenFace's style of drawing (docs/algorithms/output-table.md#drawings)."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mien.view.openface_style import OpenFaceOverlay
from mien.view.scene import box_corners, project
from synthetic_drawing import CAMERA, drawn_face

BLANK = np.full((480, 640, 3), 128, np.uint8)


def draw(face, **options):
    return OpenFaceOverlay(CAMERA, **options).draw(BLANK, [face])


def test_landmarks_are_blue_with_a_red_rim():
    face = drawn_face(turn=(0, 0, 0))
    image = draw(face)
    x, y = face.landmarks.points[8].round().astype(int)
    np.testing.assert_array_equal(image[y, x], (255, 0, 0))
    assert image[y, x + 2, 2] > 180
    assert image[y, x + 2, 0] < 100


@pytest.mark.parametrize(
    ("confidence", "colour"), [(1.0, (255, 0, 0)), (0.7, (128, 0, 128)), (0.42, (8, 0, 247))]
)
def test_the_cube_turns_from_red_to_blue_with_confidence(confidence, colour):
    face = drawn_face(confidence=confidence)
    corners = project(box_corners(face.pose, (-100.0,) * 3, (100.0,) * 3), CAMERA)
    x, y = (0.75 * corners[0] + 0.25 * corners[1]).round().astype(int)
    assert np.abs(draw(face)[y, x].astype(int) - colour).max() <= 12


def test_nothing_is_drawn_of_faces_that_are_not_sure():
    np.testing.assert_array_equal(draw(drawn_face(confidence=0.4)), BLANK)
    assert (draw(drawn_face(confidence=0.41)) != BLANK).any()


def test_success_does_not_matter():
    assert (draw(drawn_face(success=False)) != BLANK).any()


def test_single_images_show_landmarks_whatever_the_confidence_but_no_gaze():
    face = drawn_face(confidence=0.1)
    image = draw(face, single_image=True)
    assert (image != BLANK).any()
    without = dataclasses.replace(face, gaze=None)
    np.testing.assert_array_equal(image, draw(without, single_image=True))


def test_gaze_is_green():
    face = drawn_face()
    green = (draw(face) == (110, 220, 0)).all(axis=2)
    assert green.any()
    assert not (draw(dataclasses.replace(face, gaze=None)) == (110, 220, 0)).all(axis=2).any()


def test_edges_without_an_end_in_the_picture_are_left_out():
    face = drawn_face()
    drawn = []
    for distance in (230.0, 330.0):
        # the upper edge of the cube's front lies at the same height; when near, both its ends lie outside
        height = 100 - 88 * (distance - 100) / 500
        pose = dataclasses.replace(
            face.pose, translation_mm=np.array([0.0, height, distance]), rotation_rad=np.zeros(3)
        )
        drawn.append((draw(dataclasses.replace(face, pose=pose))[150:155, 480:520] != BLANK[:5, :40]).any())
    assert drawn == [False, True]


def test_the_rate_is_written_in_red():
    image = OpenFaceOverlay(CAMERA).draw(np.zeros((480, 640, 3), np.uint8), [], ["FPS:30"])
    rows, columns = image[:, :, 2].nonzero()
    assert rows.max() <= 20
    assert columns.min() >= 9
    assert not image[:, :, :2].any()

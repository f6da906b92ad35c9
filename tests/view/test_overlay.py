"""The overlay draws what was measured, where it was measured."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from helpers_open import GOLDEN, canonical_face, default_camera, landmarks_of, read_golden, read_rgb
from mien.datatypes import FaceResult
from mien.gaze.mesh_gaze import MeshGazeEstimator
from mien.landmarks.mesh_tracker import no_face
from mien.pose.mesh_pose import MeshPoseEstimator
from mien.view.overlay import Overlay
from synthetic_drawing import CAMERA as OTHER_CAMERA
from synthetic_drawing import drawn_face

CAMERA = default_camera(512, 512)
BGR = np.ascontiguousarray(read_rgb(GOLDEN / "astronaut.png")[..., ::-1])


def face_result(landmarks) -> FaceResult:
    pose, landmarks_3d = MeshPoseEstimator(canonical_face()).estimate(landmarks, CAMERA)
    gaze = MeshGazeEstimator(canonical_face()).estimate(landmarks, landmarks_3d, pose, CAMERA)
    return FaceResult(0, 0.0, 0, landmarks, landmarks_3d, pose, gaze, None)


def portrait_result() -> FaceResult:
    return face_result(landmarks_of(read_golden(GOLDEN / "astronaut.npz")["own_landmarks"]))


def changed(faces, bgr=BGR, camera=CAMERA, **notes) -> np.ndarray:
    """Which pixels of the picture the drawing touches."""
    overlay = Overlay(camera, zoom=1, panel=False)
    return (overlay.draw(bgr, faces, **notes) != bgr).any(axis=2)


def test_a_face_is_drawn_on_its_landmarks():
    result = portrait_result()
    touched = changed([result])
    for x, y in result.landmarks.points.round().astype(int):
        assert touched[y - 2 : y + 3, x - 2 : x + 3].any()
    assert touched.mean() < 0.1


def test_nothing_is_drawn_without_a_face():
    assert not changed([face_result(no_face())]).any()


def test_a_face_without_mesh_and_gaze_is_drawn_too():
    result = portrait_result()
    bare = dataclasses.replace(result, gaze=None, landmarks=dataclasses.replace(result.landmarks, mesh=None))
    assert 0 < changed([bare]).sum() < changed([result]).sum()


def test_the_picture_that_is_given_stays_as_it_is():
    before = BGR.copy()
    Overlay(CAMERA).draw(BGR, [portrait_result()])
    np.testing.assert_array_equal(BGR, before)


def test_drawings_do_not_share_memory():
    overlay = Overlay(CAMERA)
    first = overlay.draw(BGR, [portrait_result()])
    copy = first.copy()
    overlay.draw(np.zeros_like(BGR), [])
    np.testing.assert_array_equal(first, copy)


def test_a_second_drawing_shows_nothing_of_the_first():
    overlay = Overlay(CAMERA)
    overlay.draw(BGR, [portrait_result()])
    np.testing.assert_array_equal(overlay.draw(BGR, []), Overlay(CAMERA).draw(BGR, []))


def test_notes_stand_in_the_lower_left_corner():
    touched = changed([], notes=["one", "two"])
    assert touched[-30:-10, 10:40].mean() > 0.9
    assert not touched[: 512 // 2].any()


@pytest.mark.parametrize(
    ("size", "zoomed"), [((120, 160), (480, 640)), ((480, 640), (480, 640)), ((720, 1280), (720, 1280))]
)
def test_small_pictures_are_enlarged_until_text_is_legible(size, zoomed):
    picture = np.zeros((*size, 3), np.uint8)
    assert Overlay(CAMERA, panel=False).draw(picture, []).shape == (*zoomed, 3)


def test_the_panel_makes_the_width_even():
    for width in (640, 641):
        drawing = Overlay(CAMERA).draw(np.zeros((480, width, 3), np.uint8), [])
        assert drawing.shape[1] > width
        assert drawing.shape[1] % 2 == 0


def test_pictures_of_other_sizes_may_follow():
    overlay = Overlay(CAMERA)
    for size in ((480, 640), (960, 1280), (480, 640)):
        assert overlay.draw(np.zeros((*size, 3), np.uint8), [drawn_face()]).shape[0] == size[0]


def test_identities_have_colours_of_their_own():
    drawings = [
        Overlay(OTHER_CAMERA, panel=False).draw(np.zeros((480, 640, 3), np.uint8), [drawn_face(face_id=i)])
        for i in range(3)
    ]
    assert (drawings[0] != drawings[1]).any()
    assert (drawings[1] != drawings[2]).any()


def test_lines_grow_with_the_picture():
    shares = []
    for factor in (1, 2):
        blank = np.zeros((480 * factor, 640 * factor, 3), np.uint8)
        camera = dataclasses.replace(
            OTHER_CAMERA, **{name: getattr(OTHER_CAMERA, name) * factor for name in ("fx", "fy", "cx", "cy")}
        )
        shares.append(changed([drawn_face(factor=factor)], blank, camera).mean())
    assert shares[0] == pytest.approx(shares[1], rel=0.15)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30, -1e30])
def test_numbers_that_make_no_sense_do_no_harm(value):
    face = drawn_face()
    points = face.landmarks.points.copy()
    points[5] = value
    broken = dataclasses.replace(face, landmarks=dataclasses.replace(face.landmarks, points=points))
    assert Overlay(OTHER_CAMERA).draw(np.zeros((480, 640, 3), np.uint8), [broken]).any()


def test_a_head_behind_the_camera_does_no_harm():
    face = drawn_face()
    pose = dataclasses.replace(face.pose, translation_mm=np.array([0.0, 0.0, -200.0]))
    Overlay(OTHER_CAMERA).draw(np.zeros((480, 640, 3), np.uint8), [dataclasses.replace(face, pose=pose)])


def test_a_face_without_any_usable_number_does_no_harm():
    face = drawn_face()
    nowhere = dataclasses.replace(
        face,
        landmarks=dataclasses.replace(face.landmarks, points=np.full((68, 2), np.nan, np.float32)),
        landmarks_3d=np.full((68, 3), np.nan, np.float32),
        pose=dataclasses.replace(face.pose, translation_mm=np.full(3, np.nan)),
    )
    Overlay(OTHER_CAMERA).draw(np.zeros((480, 640, 3), np.uint8), [nowhere, face])

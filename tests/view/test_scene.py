"""What of a head, its eyes and its gaze is seen where in the picture."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mien.datatypes import Camera, HeadPose
from mien.view.scene import (
    BOX_EDGES,
    box_corners,
    eye_rings,
    gaze_rays,
    hidden_landmarks,
    project,
    visible_edges,
)
from synthetic_drawing import CAMERA, drawn_face


def head(turn=(0.0, 0.0, 0.0), at=(0.0, 0.0, 500.0)):
    return HeadPose(np.array(at), np.array(turn))


def cube(pose):
    return box_corners(pose, (-100.0,) * 3, (100.0,) * 3)


def test_points_are_projected_through_the_pinhole():
    camera = Camera(500, 400, 320, 240)
    np.testing.assert_allclose(project(np.array([[10.0, -20.0, 100.0]]), camera), [[370, 160]])
    assert np.isnan(project(np.array([[0.0, 0.0, -5.0]]), camera)).all()


def test_a_box_has_twelve_edges_along_its_axes():
    corners = cube(head())
    assert len(set(BOX_EDGES)) == 12
    for one, other in BOX_EDGES:
        assert np.linalg.norm(corners[one] - corners[other]) == pytest.approx(200)


def test_a_box_turns_and_moves_with_the_head():
    corners = cube(head(turn=(0, 0.5, 0), at=(10, 20, 500)))
    np.testing.assert_allclose(corners.mean(axis=0), [10, 20, 500])
    assert corners[1, 2] - corners[0, 2] == pytest.approx(-200 * np.sin(0.5))


@pytest.mark.parametrize(("turn", "seen"), [((0, 0, 0), 4), ((0, 0.6, 0), 7), ((0.5, 0.6, 0), 9)])
def test_only_edges_of_sides_that_face_the_camera_are_visible(turn, seen):
    assert visible_edges(cube(head(turn))).sum() == seen


def test_rays_begin_at_the_iris_and_point_along_the_gaze():
    face = drawn_face()
    rays = gaze_rays(face, CAMERA, 50.0)
    rings = eye_rings(face)
    assert rays.shape == (2, 2, 2)
    for ray, ring in zip(rays, rings, strict=True):
        np.testing.assert_allclose(ray[0], ring.iris.mean(axis=0), atol=0.1)
        assert ray[1, 1] > ray[0, 1]


def test_zeros_and_nan_are_no_gaze():
    face = drawn_face()
    for value in (0.0, np.nan):
        directions = face.gaze.directions.copy()
        directions[1] = value
        half = dataclasses.replace(face, gaze=dataclasses.replace(face.gaze, directions=directions))
        assert len(gaze_rays(half, CAMERA, 50.0)) == 1
    assert len(gaze_rays(dataclasses.replace(face, gaze=None), CAMERA, 50.0)) == 0


def test_irises_come_from_the_mesh_where_there_are_no_eye_landmarks():
    face = drawn_face()
    mesh = np.zeros((478, 3), np.float32)
    mesh[469:473, :2] = [[110, 200], [100, 190], [90, 200], [100, 210]]
    mesh[474:478, :2] = [[210, 200], [200, 190], [190, 200], [200, 210]]
    blank = dataclasses.replace(
        face.gaze,
        eye_points=np.full((56, 2), np.nan, np.float32),
        eye_points_3d=np.full((56, 3), np.nan, np.float32),
    )
    open_face = dataclasses.replace(
        face, gaze=blank, landmarks=dataclasses.replace(face.landmarks, mesh=mesh)
    )
    first, second = eye_rings(open_face)
    np.testing.assert_allclose(np.linalg.norm(first.iris - (100, 200), axis=1), 10, atol=1e-4)
    np.testing.assert_allclose(second.iris.mean(axis=0), (200, 200), atol=1e-4)
    assert first.pupil is None
    np.testing.assert_array_equal(first.lids, face.landmarks.points[36:42])
    np.testing.assert_allclose(gaze_rays(open_face, CAMERA, 50.0)[0, 0], (100, 200), atol=0.1)
    assert eye_rings(dataclasses.replace(face, gaze=blank)) == []


def test_the_far_side_of_a_turned_head_is_hidden():
    assert not hidden_landmarks(drawn_face(turn=(0, 0, 0))).any()
    for sign in (-1, 1):
        # a positive yaw shows the side that lies to the right in the picture
        hidden = hidden_landmarks(drawn_face(turn=(0.0, 1.1 * sign, 0.0)))
        jaw = hidden[:17]
        near, far = (jaw[9:], jaw[:8]) if sign > 0 else (jaw[:8], jaw[9:])
        assert not near.any()
        assert far.sum() >= 4

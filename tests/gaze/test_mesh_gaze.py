"""Coarse gaze: golden values, signs, and honesty about what is missing."""

from __future__ import annotations

import numpy as np
import pytest

from helpers_open import GOLDEN, canonical_face, default_camera, landmarks_of, read_golden
from mien.gaze.mesh_gaze import VERTICAL_OFFSET_RAD, MeshGazeEstimator
from mien.landmarks.mesh_tracker import no_face
from mien.pose.mesh_pose import MeshPoseEstimator


def look(mesh, size=(640, 480), shift_origin=True, **options):
    camera = default_camera(*size)
    landmarks = landmarks_of(mesh)
    estimator = MeshPoseEstimator(canonical_face(), shift_origin=shift_origin)
    pose, landmarks_3d = estimator.estimate(landmarks, camera)
    gaze = MeshGazeEstimator(canonical_face(), shift_origin=shift_origin, **options)
    return gaze.estimate(landmarks, landmarks_3d, pose, camera)


@pytest.mark.parametrize("shift_origin", [False, True])
def test_portrait_has_the_golden_gaze(shift_origin):
    golden = read_golden(GOLDEN / "astronaut.npz")
    gaze = look(golden["own_landmarks"], golden["size"], shift_origin, vertical_offset_rad=0.0)
    np.testing.assert_allclose(gaze.directions, golden["feat_gaze"], atol=1e-4)
    np.testing.assert_allclose(gaze.angle_rad, golden["feat_gaze_angle"], atol=1e-4)


def test_moving_portrait_has_the_golden_gaze():
    golden = read_golden(GOLDEN / "synth.npz")
    for mesh, angle in zip(golden["own_landmarks"], golden["gaze_angle"], strict=True):
        if np.isfinite(angle[0]):
            gaze = look(mesh, golden["size"], vertical_offset_rad=0.0)
            np.testing.assert_allclose(gaze.angle_rad, angle, atol=1e-4)


def facing_mesh():
    """The canonical face 60 cm ahead, irises in the middle of the eyes' corners."""
    vertices = canonical_face().vertices
    mesh = np.vstack([vertices, np.zeros((10, 3))]) * 9 + (320, 240, 0)
    mesh[468:473] = (mesh[33] + mesh[133]) / 2
    mesh[473:478] = (mesh[362] + mesh[263]) / 2
    return mesh


def test_angles_follow_the_irises():
    mesh = facing_mesh()
    straight = look(mesh).angle_rad
    for axis in (0, 1):
        moved = mesh.copy()
        moved[468:, axis] += 4
        assert look(moved).angle_rad[axis] > straight[axis] + 0.1


def test_directions_are_unit_vectors_towards_the_camera():
    gaze = look(facing_mesh())
    np.testing.assert_allclose(np.linalg.norm(gaze.directions, axis=1), 1)
    assert np.all(gaze.directions[:, 2] < 0)


def test_the_vertical_offset_turns_directions_and_angle_alike():
    mesh = facing_mesh()
    plain, turned = look(mesh, vertical_offset_rad=0.0), look(mesh)
    assert turned.angle_rad[1] - plain.angle_rad[1] == pytest.approx(VERTICAL_OFFSET_RAD)
    x, y, z = turned.directions.mean(axis=0)
    np.testing.assert_allclose(turned.angle_rad, [np.arctan2(x, -z), np.arctan2(y, -z)])


def test_eye_landmarks_are_missing():
    gaze = look(facing_mesh())
    assert gaze.eye_points.shape == (56, 2)
    assert gaze.eye_points_3d.shape == (56, 3)
    assert np.all(np.isnan(gaze.eye_points))
    assert np.all(np.isnan(gaze.eye_points_3d))


def test_without_face_or_irises_there_is_no_gaze():
    camera = default_camera(640, 480)
    landmarks = no_face()
    pose, landmarks_3d = MeshPoseEstimator(canonical_face()).estimate(landmarks, camera)
    gaze = MeshGazeEstimator(canonical_face()).estimate(landmarks, landmarks_3d, pose, camera)
    plain = facing_mesh()
    plain[468:] = np.nan
    for missing in (gaze, look(plain)):
        assert np.all(np.isnan(missing.directions))
        assert np.all(np.isnan(missing.angle_rad))

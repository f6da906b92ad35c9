"""The overlay draws what was measured, where it was measured."""

from __future__ import annotations

import dataclasses

import numpy as np

from helpers_open import GOLDEN, canonical_face, default_camera, landmarks_of, read_golden, read_rgb
from mien.datatypes import FaceResult
from mien.gaze.mesh_gaze import MeshGazeEstimator
from mien.landmarks.mesh_tracker import no_face
from mien.pose.mesh_pose import MeshPoseEstimator
from mien.view.overlay import Overlay

CAMERA = default_camera(512, 512)
RGB = read_rgb(GOLDEN / "astronaut.png")


def face_result(landmarks) -> FaceResult:
    pose, landmarks_3d = MeshPoseEstimator(CAMERA, canonical_face()).estimate(landmarks)
    gaze = MeshGazeEstimator(CAMERA, canonical_face()).estimate(landmarks, landmarks_3d, pose)
    return FaceResult(0, 0.0, 0, landmarks, landmarks_3d, pose, gaze, None)


def portrait_result() -> FaceResult:
    return face_result(landmarks_of(read_golden(GOLDEN / "astronaut.npz")["own_landmarks"]))


def changed(result, **notes) -> np.ndarray:
    """Which pixels of the picture the drawing touches."""
    plain = np.asarray(Overlay(CAMERA, zoom=1).draw(RGB, []))
    return (np.asarray(Overlay(CAMERA, zoom=1).draw(RGB, result, **notes)) != plain).any(axis=2)


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


def test_notes_stand_in_the_lower_left_corner():
    touched = changed([], notes=["one", "two"])
    assert touched[-5:, :20].all()
    assert not touched[: 512 // 2].any()


def test_the_picture_is_enlarged():
    assert Overlay(CAMERA, zoom=3).draw(RGB, []).size == (1536, 1536)

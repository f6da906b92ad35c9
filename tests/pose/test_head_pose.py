"""Head pose: golden values, OpenCV and SciPy as oracles, the original's dumps, states without a face."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers_reference import VIDEOS, camera_of, landmarks_of, main_pdm, read_video
from mien.datatypes import HeadPose
from mien.geometry.pinhole import default_camera
from mien.geometry.rotation import euler_from_rotation, rotation_from_euler
from mien.pose.head_pose import HeadPoseEstimator, pose_towards_camera
from oracle import camera_geometry as oracle
from synthetic_pose import CAMERA, seen_landmarks

ANGLES = st.tuples(st.floats(-0.6, 0.6), st.floats(-0.8, 0.8), st.floats(-0.6, 0.6))
PLACE = st.tuples(st.floats(-150, 150), st.floats(-100, 100), st.floats(300, 1500))


def opencv_pose(landmarks, camera):
    """What the original calls: solvePnP, iterative, with a guess (docs/algorithms/head-pose.md#pose)."""
    scale, *angles, tx, ty = landmarks.global_params.astype(float)
    depth = camera.fx / scale
    guess = [depth * (tx - camera.cx) / camera.fx, depth * (ty - camera.cy) / camera.fy, depth]
    matrix = np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1]])
    shape, points = landmarks.object_shape.astype(float), landmarks.points.astype(float)
    _, vector, translation = cv2.solvePnP(
        shape, points, matrix, None, np.array(angles), np.array(guess), True, cv2.SOLVEPNP_ITERATIVE
    )
    return translation.ravel(), euler_from_rotation(cv2.Rodrigues(vector)[0])


@settings(deadline=None, max_examples=50)
@given(ANGLES, PLACE)
def test_a_known_pose_is_found(angles, place):
    pose, _ = HeadPoseEstimator().estimate(seen_landmarks(angles, place), CAMERA)
    np.testing.assert_allclose(pose.translation_mm, place, atol=0.02)
    np.testing.assert_allclose(pose.rotation_rad, angles, atol=2e-5)


@settings(deadline=None, max_examples=50)
@given(ANGLES, PLACE, st.floats(0, 20), st.integers(0, 1000))
def test_pose_agrees_with_opencv(angles, place, noise_px, seed):
    landmarks = seen_landmarks(angles, place, noise_px=noise_px, seed=seed)
    pose, _ = HeadPoseEstimator().estimate(landmarks, CAMERA)
    translation, rotation = opencv_pose(landmarks, CAMERA)
    np.testing.assert_allclose(pose.translation_mm, translation, atol=1e-4)
    np.testing.assert_allclose(pose.rotation_rad, rotation, atol=1e-6)


@settings(deadline=None, max_examples=25)
@given(ANGLES, PLACE, st.integers(0, 1000))
def test_pose_is_the_minimum_that_scipy_finds(angles, place, seed):
    landmarks = seen_landmarks(angles, place, noise_px=1.0, seed=seed)
    pose, lifted = HeadPoseEstimator().estimate(landmarks, CAMERA)
    params = landmarks.global_params.astype(float)
    translation, rotation = oracle.head_pose(landmarks.points, landmarks.object_shape, params, CAMERA)
    # the iteration ends before the last digits, as the original's does
    np.testing.assert_allclose(pose.translation_mm, translation, atol=0.01)
    np.testing.assert_allclose(pose.rotation_rad, rotation, atol=2e-5)
    expected = oracle.lift(landmarks.points, landmarks.object_shape, params, CAMERA)
    np.testing.assert_allclose(lifted, expected, atol=2e-3)


@pytest.mark.parametrize("points", [np.zeros((68, 2)), np.full((68, 2), 17.0)], ids=["origin", "one point"])
def test_a_face_never_found_has_a_zero_pose_and_finite_points(points):
    start = np.array([1, 0, 0, 0, 0, 0], np.float32)
    landmarks = replace(
        seen_landmarks((0, 0, 0), (0, 0, 500), success=False),
        points=points.astype(np.float32),
        global_params=start,
    )
    camera = default_camera(640, 480)
    pose, lifted = HeadPoseEstimator().estimate(landmarks, camera)
    np.testing.assert_array_equal([pose.translation_mm, pose.rotation_rad], 0)
    np.testing.assert_allclose(lifted[:, 2], camera.fx + landmarks.object_shape[:, 2], rtol=1e-6)


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_without_a_scale_the_pose_is_zero(value):
    landmarks = seen_landmarks((0.1, 0.2, 0.3), (0, 0, 500))
    landmarks.global_params[0] = value
    pose, _ = HeadPoseEstimator().estimate(landmarks, CAMERA)
    np.testing.assert_array_equal([pose.translation_mm, pose.rotation_rad], 0)


def test_points_that_are_no_numbers_give_a_zero_pose():
    landmarks = seen_landmarks((0.1, 0.2, 0.3), (0, 0, 500))
    landmarks.points[5, 1] = np.inf
    pose, _ = HeadPoseEstimator().estimate(landmarks, CAMERA)
    np.testing.assert_array_equal([pose.translation_mm, pose.rotation_rad], 0)


def test_arrays_of_other_shapes_are_refused():
    landmarks = replace(seen_landmarks((0, 0, 0), (0, 0, 500)), object_shape=np.zeros((3, 68), np.float32))
    with pytest.raises(ValueError, match=r"expected .* got .*\(3, 68\)"):
        HeadPoseEstimator().estimate(landmarks, CAMERA)


def test_a_head_that_faces_the_camera_has_no_angle_towards_it():
    place = np.array([120.0, -80.0, 600.0])
    x, y, z = place
    towards = rotation_from_euler([np.arctan2(y, np.hypot(x, z)), -np.arctan2(x, np.hypot(y, z)), 0.0])
    pose = HeadPose(place, euler_from_rotation(towards.T))
    relative = pose_towards_camera(pose)
    np.testing.assert_allclose(relative.rotation_rad, 0, atol=1e-12)
    np.testing.assert_array_equal(relative.translation_mm, place)


def specified_landmarks(openface_dir):
    """The drawn face of docs/algorithms/worked-example.md: an exact weak-perspective projection."""
    pdm = main_pdm(openface_dir)
    local = np.zeros(34, np.float32)
    local[[0, 1, 4]] = 10, -5, 4
    params = np.array([2, 0.1, -0.2, 0.05, 300, 250], np.float32)
    shape = (pdm.mean + pdm.basis @ local).astype(np.float32)
    points = 2 * (shape @ rotation_from_euler(params[1:4]).T)[:, :2] + params[4:]
    template = seen_landmarks((0, 0, 0), (0, 0, 500))
    return replace(template, points=points.astype(np.float32), object_shape=shape, global_params=params)


@pytest.mark.models
def test_specified_face_has_the_specified_pose(openface_dir):
    landmarks = specified_landmarks(openface_dir)
    pose, lifted = HeadPoseEstimator().estimate(landmarks, default_camera(640, 480))
    np.testing.assert_allclose(landmarks.points[0], (139.595, 178.784), atol=1e-3)
    np.testing.assert_allclose(lifted[30], (-1.032, 0.484, 212.108), atol=1e-3)
    np.testing.assert_allclose(lifted[36], (-54.461, -33.107, 245.379), atol=1e-3)
    np.testing.assert_allclose(lifted[39], (-26.828, -30.516, 242.922), atol=1e-3)
    np.testing.assert_allclose(pose.translation_mm, (-9.317, 4.918, 243.882), atol=1e-3)
    np.testing.assert_allclose(pose.rotation_rad, (0.03148, -0.19552, 0.04788), atol=1e-5)
    relative = pose_towards_camera(pose).rotation_rad
    np.testing.assert_allclose(relative, (0.05141, -0.15736, 0.04666), atol=1e-5)


@pytest.mark.models
@pytest.mark.parametrize("name", VIDEOS)
def test_poses_and_3d_landmarks_of_whole_videos_are_the_originals(name, reference_dir, openface_dir):
    dump = read_video(reference_dir / "videos" / name)
    camera, pdm = camera_of(dump), main_pdm(openface_dir)
    estimator = HeadPoseEstimator()
    found = [
        estimator.estimate(landmarks_of(dump, row, pdm, camera), camera) for row in range(len(dump["frame"]))
    ]
    translations = np.array([pose.translation_mm for pose, _ in found])
    rotations = np.array([pose.rotation_rad for pose, _ in found])
    np.testing.assert_allclose(translations, dump["pose"][:, :3], atol=4.9e-4)
    np.testing.assert_allclose(rotations, dump["pose"][:, 3:], atol=7.2e-7)
    np.testing.assert_allclose([lifted for _, lifted in found], dump["landmarks3d"], atol=5.5e-4)

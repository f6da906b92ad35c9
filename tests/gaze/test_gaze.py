"""Gaze: golden values, a slow twin, the original's dumps, frames without success."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers_reference import VIDEOS, camera_of, landmarks_of, main_pdm, read_video
from mien.datatypes import EyeShape, HeadPose
from mien.gaze.eye_gaze import GazeEstimator
from mien.geometry.pinhole import default_camera
from oracle import camera_geometry as oracle
from synthetic_pose import CAMERA, seen_landmarks


def looking(iris_shift, *, angles=(0.0, 0.0, 0.0), success=True, distance=600.0):
    """A head with eyes at (±30, -30, 0) mm from its origin; the irises moved by some mm.

    Returns landmarks, 3D landmarks and pose, the 3D landmarks those that the eyes' corners are read from.
    """
    landmarks = seen_landmarks(angles, (0.0, 0.0, distance), success=success)
    rotation = oracle.rotation_from_euler(angles)
    landmarks_3d = np.zeros((68, 3))
    eyes = []
    turn = np.arange(28) * np.pi / 4
    for x, corners in ((-30.0, (36, 39)), (30.0, (42, 45))):
        for side, corner in zip((-14.0, 14.0), corners, strict=True):
            landmarks_3d[corner] = rotation @ (x + side, -30.0, 0.0) + (0, 0, distance)
        # the eyeball is 7 mm behind the corners and 3.5 mm above; its surface 12 mm before that
        ring = np.stack([x + 5 * np.cos(turn), -33.5 + 5 * np.sin(turn), np.full(28, -5.0)], axis=1)
        ring = (ring + iris_shift) @ rotation.T + (0, 0, distance)
        offsets = (ring[:, 2] - distance).astype(np.float32)
        points = oracle.project(ring, CAMERA).astype(np.float32)
        eyes.append(EyeShape(points, offsets, CAMERA.fx / distance))
    pose = HeadPose(np.array([0.0, 0.0, distance]), np.array(angles, float))
    return replace(landmarks, eyes=tuple(eyes)), landmarks_3d.astype(np.float32), pose


def estimate(*args, always=False, **options):
    return GazeEstimator(always=always).estimate(*looking(*args, **options), CAMERA)


def test_centred_irises_look_straight_ahead():
    gaze = estimate((0, 0, 0))
    np.testing.assert_allclose(gaze.directions, [[0, 0, -1], [0, 0, -1]], atol=0.06)
    np.testing.assert_allclose(gaze.angle_rad, 0, atol=0.06)


@pytest.mark.parametrize("axis", [0, 1])
def test_angles_are_positive_to_the_images_right_and_down(axis):
    shift = np.zeros(3)
    shift[axis] = 4.0
    assert estimate(shift).angle_rad[axis] > 0.2
    assert estimate(-shift).angle_rad[axis] < -0.2


@settings(deadline=None, max_examples=50)
@given(st.tuples(*[st.floats(-5, 5)] * 3), st.tuples(*[st.floats(-0.5, 0.5)] * 3), st.floats(300, 1200))
def test_gaze_agrees_with_the_oracle(shift, angles, distance):
    landmarks, landmarks_3d, pose = looking(shift, angles=angles, distance=distance)
    gaze = GazeEstimator().estimate(landmarks, landmarks_3d, pose, CAMERA)
    rotation = oracle.rotation_from_euler(angles)
    for eye, corners in enumerate(((36, 39), (42, 45))):
        part = landmarks.eyes[eye]
        points_3d = oracle.points_in_camera(part.points, part.depth_offsets, part.scale, CAMERA)
        np.testing.assert_allclose(gaze.eye_points_3d[eye * 28 : eye * 28 + 28], points_3d, atol=1e-3)
        expected = oracle.eye_direction(points_3d[:8], landmarks_3d[list(corners)].astype(float), rotation)
        # float32, as in the original, and a cancellation that grows with the square of the distance
        np.testing.assert_allclose(gaze.directions[eye], expected, atol=4e-3 if distance > 600 else 1e-3)
    np.testing.assert_allclose(gaze.angle_rad, oracle.gaze_angles(gaze.directions), atol=1e-12)


def test_a_ray_that_misses_the_eyeball_takes_a_point_before_the_camera():
    landmarks, landmarks_3d, pose = looking((25.0, 0.0, 0.0))
    gaze = GazeEstimator().estimate(landmarks, landmarks_3d, pose, CAMERA)
    centre = np.add(landmarks_3d[[36, 39]].mean(axis=0), (0, -3.5, 7))
    expected = (0, 0, -1) - centre
    np.testing.assert_allclose(gaze.directions[0], expected / np.linalg.norm(expected), atol=1e-6)


def test_without_success_there_is_no_gaze_but_eye_points():
    gaze = estimate((1, 0, 0), success=False)
    np.testing.assert_array_equal(gaze.directions, 0)
    np.testing.assert_array_equal(gaze.angle_rad, 0)
    measured = estimate((1, 0, 0))
    np.testing.assert_array_equal(gaze.eye_points, measured.eye_points)
    np.testing.assert_array_equal(gaze.eye_points_3d, measured.eye_points_3d)


def test_single_images_are_measured_without_success_too():
    measured = estimate((1, 0, 0), success=False, always=True)
    np.testing.assert_array_equal(measured.directions, estimate((1, 0, 0)).directions)


def test_before_any_detection_eye_points_are_zero_and_their_depth_that_of_the_mean():
    landmarks, landmarks_3d, pose = looking((0, 0, 0), success=False)
    depths = np.linspace(-4, 4, 28).astype(np.float32)
    eye = EyeShape(np.zeros((28, 2), np.float32), depths, 1.0)
    gaze = GazeEstimator().estimate(replace(landmarks, eyes=(eye, eye)), landmarks_3d, pose, CAMERA)
    np.testing.assert_array_equal(gaze.eye_points, 0)
    expected = oracle.points_in_camera(eye.points, depths, 1.0, CAMERA)
    np.testing.assert_allclose(gaze.eye_points_3d[:28], expected, rtol=1e-6)


def test_landmarks_without_eyes_are_refused():
    landmarks, landmarks_3d, pose = looking((0, 0, 0))
    with pytest.raises(ValueError, match="two eyes, got 0"):
        GazeEstimator().estimate(replace(landmarks, eyes=()), landmarks_3d, pose, CAMERA)


def test_specified_eye_has_the_specified_gaze():
    """The numbers of docs/algorithms/gaze.md, given as corners and a middle of the iris."""
    camera = default_camera(640, 480)
    landmarks_3d = np.ones((68, 3), np.float32)
    landmarks_3d[36], landmarks_3d[39] = (-54.461, -33.107, 245.379), (-26.828, -30.516, 242.922)
    landmarks_3d[42], landmarks_3d[45] = landmarks_3d[36], landmarks_3d[39]
    middle = np.array([-39.645, -32.312, 238.151])
    point = oracle.project(middle[None], camera)[0]
    eye = EyeShape(
        np.tile(point, (28, 1)).astype(np.float32), np.zeros(28, np.float32), camera.fx / middle[2]
    )
    landmarks = replace(looking((0, 0, 0))[0], eyes=(eye, eye))
    pose = HeadPose(np.array([-9.317, 4.918, 243.882]), np.array([0.03148, -0.19552, 0.04788]))
    gaze = GazeEstimator().estimate(landmarks, landmarks_3d, pose, camera)
    np.testing.assert_allclose(gaze.directions[0], (0.16434, 0.25243, -0.95356), atol=2e-4)
    np.testing.assert_allclose(gaze.angle_rad, (0.17067, 0.25879), atol=2e-4)


@pytest.mark.models
@pytest.mark.parametrize("name", VIDEOS)
def test_gaze_of_whole_videos_is_the_originals(name, reference_dir, openface_dir):
    dump = read_video(reference_dir / "videos" / name)
    camera, pdm = camera_of(dump), main_pdm(openface_dir)
    estimator = GazeEstimator()
    gazes = []
    for row in range(len(dump["frame"])):
        pose = HeadPose(dump["pose"][row, :3], dump["pose"][row, 3:])
        lifted = dump["landmarks3d"][row].astype(np.float32)
        gazes.append(estimator.estimate(landmarks_of(dump, row, pdm, camera), lifted, pose, camera))
    directions = np.array([gaze.directions for gaze in gazes])
    expected = np.stack([dump["gaze0"], dump["gaze1"]], axis=1)
    np.testing.assert_allclose(directions, expected, atol=1.9e-4)
    assert np.abs(directions - expected).mean() < 1e-5
    np.testing.assert_allclose([gaze.angle_rad for gaze in gazes], dump["gaze_angle"], atol=1e-4)
    np.testing.assert_array_equal([gaze.eye_points for gaze in gazes], dump["eye_lmk2d"])
    np.testing.assert_allclose([gaze.eye_points_3d for gaze in gazes], dump["eye_lmk3d"], atol=3.1e-5)
    failed = dump["success"][:, 0] == 0
    assert not directions[failed].any()


@pytest.mark.models
@pytest.mark.parametrize("name", ["2015-10-15-15-14", "subj01_timepoint01"])
def test_eyes_of_single_frames_from_their_own_fits(name, reference_dir, openface_dir):
    """Depths from the eye models' own parameters, not from the 3D points they explain."""
    from mien.geometry.rotation import rotation_from_euler
    from mien.models.readers.shape_files import read_pdm

    camera = camera_of(read_video(reference_dir / "videos" / name))
    models = openface_dir / "LandmarkDetector/model/model_eye/pdms"
    parts = {
        "left": read_pdm(models / "pdm_28_l_eye_3D_closed.txt"),
        "right": read_pdm(models / "pdm_28_eye_3D_closed.txt"),
    }
    for folder in sorted((reference_dir / "stages" / name).glob("frame_*")):
        with np.load(folder / "track.npz") as archive:
            dump = {key: archive[key] for key in archive.files if "_eye_28_out" in key or key == "eye_lmk3d"}
        fits = sorted({key.split("_")[0] for key in dump if key.startswith("fit")})
        errors = []
        for fit in fits:
            found = []
            for side, pdm in parts.items():
                part = f"{fit}_{side}_eye_28_out"
                local = dump[f"{part}_local"].ravel().astype(np.float32)
                params = dump[f"{part}_global"].ravel().astype(np.float32)
                shape = pdm.mean + pdm.basis @ local
                offsets = shape @ rotation_from_euler(params[1:4])[2]
                points = dump[f"{part}_landmarks"].reshape(2, 28).T
                found.append(oracle.points_in_camera(points, offsets, params[0], camera))
            errors.append(np.abs(np.concatenate(found) - dump["eye_lmk3d"]).max())
        # eleven hypotheses are fitted in the first frame; the reported eyes are those of one of them
        assert min(errors) < 5e-4

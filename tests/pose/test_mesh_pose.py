"""Head pose from the mesh: golden values, known poses, signs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from helpers_open import GOLDEN, canonical_face, default_camera, indices, landmarks_of, read_golden
from mien.geometry.rotation import rotation_from_euler
from mien.landmarks.mesh_tracker import no_face
from mien.pose.mesh_pose import MeshPoseEstimator
from mien.shape.canonical_face import MM_PER_UNIT, ORIGIN_SHIFT_MM

angles = st.tuples(*[st.floats(-0.7, 0.7)] * 3)
places = st.tuples(st.floats(-15, 15), st.floats(-15, 15), st.floats(30, 150))


def assert_golden(golden, landmarks, rotation, translation):
    width, height = golden["size"]
    estimator = MeshPoseEstimator(canonical_face(), shift_origin=False)
    pose, _ = estimator.estimate(landmarks, default_camera(width, height))
    np.testing.assert_allclose(np.degrees(pose.rotation_rad), np.degrees(rotation), atol=0.01, rtol=0)
    np.testing.assert_allclose(pose.translation_mm, translation, atol=0.05, rtol=0)


def test_portrait_has_the_golden_pose():
    golden = read_golden(GOLDEN / "astronaut.npz")
    assert_golden(golden, landmarks_of(golden["own_landmarks"]), golden["feat_pose_R"], golden["feat_pose_T"])


def assert_golden_sequence(golden):
    for mesh, rotation, translation in zip(
        golden["own_landmarks"], golden["pose_R"], golden["pose_T"], strict=True
    ):
        if np.isfinite(mesh[0, 0]):
            assert_golden(golden, landmarks_of(mesh), rotation, translation)


def test_moving_portrait_has_the_golden_poses():
    assert_golden_sequence(read_golden(GOLDEN / "synth.npz"))


@pytest.mark.models
def test_recorded_face_has_the_golden_poses(open_models_dir):
    folder = open_models_dir / "golden" / "restricted"
    assert_golden_sequence(read_golden(folder / "seq.npz"))
    for name in ("sample1", "default_100"):
        golden = read_golden(folder / f"{name}.npz")
        landmarks = landmarks_of(golden["own_landmarks"])
        assert_golden(golden, landmarks, golden["feat_pose_R"], golden["feat_pose_T"])


def seen_face(rotation, translation):
    """Landmarks of the canonical face in a known pose, depth on the scale of the image."""
    camera = default_camera(640, 480)
    placed = canonical_face().vertices @ rotation.T
    focal = camera.fx
    depth = placed[:, 2] + translation[2]
    xy = (placed[:, :2] + translation[:2]) / depth[:, None] * focal + (camera.cx, camera.cy)
    mesh = np.column_stack([xy, placed[:, 2] * focal / translation[2]])
    return camera, landmarks_of(np.vstack([mesh, np.zeros((10, 3))])), placed + translation


@settings(max_examples=40, deadline=None)
@given(angles, places)
@example((0.0, 0.625, 0.0), (-13.0, 0.0, 30.0))  # as near as it gets, aside and turned: 10.1 % in depth
def test_a_known_pose_is_recovered_with_the_landmarks_in_space(euler, place):
    rotation = rotation_from_euler(euler)
    camera, landmarks, placed = seen_face(rotation, np.array(place))
    pose, landmarks_3d = MeshPoseEstimator(canonical_face()).estimate(landmarks, camera)
    np.testing.assert_allclose(pose.rotation_rad, euler, atol=2e-5)
    expected = np.array(place) * MM_PER_UNIT + rotation @ ORIGIN_SHIFT_MM
    np.testing.assert_allclose(pose.translation_mm, expected, atol=0.05, rtol=2e-5)
    # perspective bends the measured shape a little; the landmarks' own rays are exact
    chosen = placed[indices().ibug68] * MM_PER_UNIT
    rays = landmarks_3d[:, :2] / landmarks_3d[:, 2:]
    np.testing.assert_allclose(rays, chosen[:, :2] / chosen[:, 2:], atol=1e-5)
    np.testing.assert_allclose(landmarks_3d[:, 2], chosen[:, 2], rtol=0.12)


@pytest.mark.parametrize(
    ("euler", "axis", "moves"),
    [((0.3, 0, 0), 1, (4, 1)), ((0, 0.3, 0), 0, (4, -1)), ((0, 0, 0.3), 1, (263, 1))],
)
def test_signs_are_openfaces(euler, axis, moves):
    """Nose down, nose to the image's left, the eye on the image's right down."""
    vertex, direction = moves
    turned = canonical_face().vertices @ rotation_from_euler(euler).T
    assert np.sign(turned[vertex, axis] - canonical_face().vertices[vertex, axis]) == direction


def test_no_face_has_no_pose():
    pose, landmarks_3d = MeshPoseEstimator(canonical_face()).estimate(no_face(), default_camera(640, 480))
    assert np.all(np.isnan(pose.rotation_rad))
    assert np.all(np.isnan(pose.translation_mm))
    assert landmarks_3d.shape == (68, 3)
    assert np.all(np.isnan(landmarks_3d))

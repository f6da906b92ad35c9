"""Aligned faces: where they come from, how they are sampled, and what the mask keeps."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import Delaunay

from mien.appearance import kernels
from mien.appearance.alignment import FaceAligner
from mien.errors import OptionError
from oracle import appearance as oracle
from synthetic_face import Pose, face_pdm, landmarks, picture

SEEDS = st.integers(0, 2**32 - 1)


def mesh_of(pdm):
    return Delaunay(pdm.mean[:, :2]).simplices.astype(np.int32)


@pytest.fixture(scope="module")
def pdm():
    return face_pdm()


@pytest.fixture(scope="module")
def triangles(pdm):
    return mesh_of(pdm)


@pytest.fixture(scope="module")
def aligner(pdm, triangles):
    return FaceAligner(pdm, triangles)


def random_face(seed, pdm, noise=0.0):
    """A noisy frame and landmarks somewhere in it, maybe partly outside."""
    rng = np.random.default_rng(seed)
    height, width = rng.integers(60, 300, 2)
    pose = Pose(rng.uniform(0.3, 3), tuple(rng.uniform(-0.5, 0.5, 3)), *rng.uniform(0, [width, height]))
    frame = rng.integers(0, 256, (height, width, 3), np.uint8)
    points = landmarks(pose, pdm) + rng.normal(0, noise, (68, 2))
    return frame, points.astype(np.float32), np.float32([pose.x, pose.y])


@settings(max_examples=50, deadline=None)
@given(SEEDS, st.booleans())
def test_matrix_is_the_proper_similarity_of_the_rigid_landmarks(seed, mirrored):
    pdm = face_pdm()
    frame, points, position = random_face(seed, pdm, noise=2.0)
    if mirrored:
        points[:, 0] = 100 - points[:, 0]
    matrix = FaceAligner(pdm, mesh_of(pdm)).align(frame, points, *position).matrix
    expected = oracle.similarity(points, pdm.mean, *position.astype(float), 112, 0.7)
    np.testing.assert_allclose(matrix[:, :2], expected[:, :2], atol=2e-6)
    np.testing.assert_allclose(matrix[:, 2], expected[:, 2], atol=2e-3)
    assert np.linalg.det(matrix[:, :2]) > 0


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_unmasked_face_equals_opencv_bit_for_bit(seed):
    pdm = face_pdm()
    frame, points, position = random_face(seed, pdm)
    face = FaceAligner(pdm, mesh_of(pdm), mask=False).align(frame, points, *position)
    expected = cv2.warpAffine(frame, face.matrix, (112, 112), flags=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(face.bgr, expected)


@settings(max_examples=10, deadline=None)
@given(SEEDS, st.sampled_from([20, 33, 64]))
def test_aligned_face_equals_the_slow_twin_bit_for_bit(seed, size):
    pdm = face_pdm()
    triangles = mesh_of(pdm)
    scale = size * 0.7 / 112
    frame, points, position = random_face(seed, pdm, noise=1.0)
    face = FaceAligner(pdm, triangles, size, scale).align(frame, points, *position)
    warped = np.empty((68, 2), np.float32)
    raised = np.array(oracle.RAISED, np.int32)
    kernels.warp_landmarks(points, face.matrix, raised, np.float32(30 * scale / 0.7), warped)
    np.testing.assert_allclose(warped, oracle.raised_landmarks(points, face.matrix, scale), atol=1e-3)
    covered = oracle.mask(warped, triangles, size)
    expected = oracle.warp(frame, face.matrix, size) * covered[:, :, None]
    np.testing.assert_array_equal(face.bgr, expected)


def cover(points, aligner, size=112, height=None):
    """(height, size) bool by the fast kernel."""
    spans = np.zeros((height or size, size + 1), np.int16)
    kernels.mark_mesh(np.ascontiguousarray(points, np.float32), *aligner._mesh, spans)
    return spans.cumsum(axis=1)[:, :-1] != 0


@settings(max_examples=100, deadline=None)
@given(SEEDS, st.sampled_from([0, 0.3, 3, 30]))
def test_mask_equals_the_slow_twin_even_where_the_mesh_is_folded(seed, noise):
    pdm = face_pdm()
    aligner = FaceAligner(pdm, mesh_of(pdm))
    rng = np.random.default_rng(seed)
    points = pdm.mean[:, :2] * rng.uniform(0.1, 1.2, 2) * rng.choice([-1, 1]) + rng.uniform(0, 112, 2)
    points = (points + rng.normal(0, noise, (68, 2))).astype(np.float32)
    np.testing.assert_array_equal(cover(points, aligner), oracle.mask(points, mesh_of(pdm), 112))


@settings(max_examples=50, deadline=None)
@given(SEEDS, st.sampled_from([4, 12, 40]))
def test_mask_equals_the_slow_twin_where_corners_lie_on_pixels_and_triangles_have_no_area(seed, spread):
    pdm = face_pdm()
    aligner = FaceAligner(pdm, mesh_of(pdm))
    rng = np.random.default_rng(seed)
    points = np.rint(rng.normal(20, spread, (68, 2))).astype(np.float32)
    np.testing.assert_array_equal(cover(points, aligner, 40), oracle.mask(points, mesh_of(pdm), 40))


def test_mask_of_triangles_that_are_no_sheet_equals_the_slow_twin(pdm):
    rng = np.random.default_rng(3)
    triangles = rng.integers(0, 68, (20, 3)).astype(np.int32)
    aligner = FaceAligner(pdm, triangles)
    points = rng.uniform(-10, 60, (68, 2)).astype(np.float32)
    np.testing.assert_array_equal(cover(points, aligner, 50), oracle.mask(points, triangles, 50))


def test_marking_by_outline_is_tried_for_a_sheet_only(pdm, triangles):
    assert len(FaceAligner(pdm, triangles)._mesh[2]) > 0
    assert len(FaceAligner(pdm, np.vstack([triangles, triangles[:1]]))._mesh[2]) == 0


def test_singular_vectors_rebuild_the_matrix():
    rng = np.random.default_rng(0)
    for _ in range(50):
        matrix = rng.normal(size=(2, 2))
        u, v = np.ascontiguousarray(matrix.T, np.float32), np.empty((2, 2), np.float32)
        kernels._singular_vectors(u, v)
        _, s, _ = np.linalg.svd(matrix)
        np.testing.assert_allclose(u.T @ np.diag(s) @ v, matrix, atol=1e-5)


def test_aligned_faces_of_one_pose_and_another_look_alike(pdm, aligner):
    poses = Pose(1.0, (0, 0, 0), 160, 120), Pose(2.0, (0, 0, 0.4), 320.3, 250.6)
    faces = [aligner.align(picture(p), landmarks(p), p.x, p.y).bgr.astype(int) for p in poses]
    assert np.abs(faces[0] - faces[1]).mean() < 2
    assert faces[0].max() > 100


def test_a_face_at_the_last_pixels_of_the_frame_is_sampled_within_it(pdm, aligner, triangles):
    # The fast path loads eight bytes at a time and must not be used where they would leave the frame.
    frame = np.full((40, 40, 3), 200, np.uint8)
    points = (pdm.mean[:, :2] * 0.5 + [38, 38]).astype(np.float32)
    face = FaceAligner(pdm, triangles, mask=False).align(frame, points, 38.0, 38.0)
    expected = cv2.warpAffine(frame, face.matrix, (112, 112), flags=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(face.bgr, expected)


def test_landmarks_that_coincide_give_a_black_face(aligner):
    face = aligner.align(np.full((50, 50, 3), 255, np.uint8), np.full((68, 2), 7.0, np.float32), 7, 7)
    assert not face.bgr.any()
    assert not face.matrix.any()


def test_landmarks_far_outside_the_frame_give_a_black_face(aligner):
    points = face_pdm().mean[:, :2] + np.float32(1e5)
    face = aligner.align(np.full((50, 50, 3), 255, np.uint8), points, 1e5, 1e5)
    assert not face.bgr.any()


def test_frames_need_not_be_contiguous(pdm, aligner):
    frame, points, position = random_face(5, pdm)
    wide = np.repeat(frame, 2, axis=1)[:, ::2]
    np.testing.assert_array_equal(
        aligner.align(wide, points, *position).bgr, aligner.align(frame, points, *position).bgr
    )


def test_results_do_not_share_memory(pdm, aligner):
    frame, points, position = random_face(7, pdm)
    first = aligner.align(frame, points, *position)
    copy = first.bgr.copy()
    aligner.align(frame[::-1].copy(), points, *position)
    np.testing.assert_array_equal(first.bgr, copy)


@pytest.mark.parametrize(("size", "scale"), [(0, 0.7), (112, 0.0), (112, float("nan"))])
def test_impossible_sizes_are_refused(pdm, triangles, size, scale):
    with pytest.raises(OptionError, match="positive size and scale"):
        FaceAligner(pdm, triangles, size, scale)


def test_wrong_shapes_are_refused(pdm, triangles, aligner):
    frame, points, _ = random_face(8, pdm)
    with pytest.raises(ValueError, match=r"\(68, 2\) landmarks"):
        aligner.align(frame, points[:67], 0, 0)
    with pytest.raises(ValueError, match="uint8 frame"):
        aligner.align(frame[:, :, 0], points, 0, 0)

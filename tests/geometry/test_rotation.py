"""Rotations: golden values, SciPy as oracle, and the kernels as twins of the array functions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from mien.geometry import kernels
from mien.geometry.rotation import euler_from_rotation, rotation_from_euler, vector_from_rotation
from oracle import camera_geometry as oracle

ANGLE = st.floats(-1.5, 1.5)
EULER = st.tuples(ANGLE, ANGLE, ANGLE)


def test_matrix_of_euler_angles_has_the_specified_value():
    expected = [
        [0.936293, -0.289629, 0.198669],
        [0.312992, 0.944703, -0.097843],
        [-0.159345, 0.153792, 0.975170],
    ]
    np.testing.assert_allclose(rotation_from_euler([0.1, 0.2, 0.3]), expected, atol=5e-7)


@given(EULER)
def test_matrix_agrees_with_scipy(angles):
    np.testing.assert_allclose(rotation_from_euler(angles), oracle.rotation_from_euler(angles), atol=1e-14)


@given(EULER)
def test_euler_angles_come_back(angles):
    np.testing.assert_allclose(euler_from_rotation(rotation_from_euler(angles)), angles, atol=1e-7)


@given(st.tuples(*[st.floats(-1.8, 1.8)] * 3))
def test_rotation_vectors_agree_with_scipy(vector):
    rotation = Rotation.from_rotvec(vector)
    np.testing.assert_allclose(vector_from_rotation(rotation.as_matrix()), rotation.as_rotvec(), atol=1e-12)


@pytest.mark.parametrize("axis", np.eye(3))
@pytest.mark.parametrize("angle", [0.0, 1e-9, 1e-4, np.pi - 1e-9, np.pi])
def test_rotation_vector_survives_none_and_half_a_turn(axis, angle):
    rotation = Rotation.from_rotvec(axis * angle).as_matrix()
    vector = vector_from_rotation(rotation)
    np.testing.assert_allclose(Rotation.from_rotvec(vector).as_matrix(), rotation, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(vector), angle, atol=1e-8)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@settings(deadline=None)
@given(angles=EULER)
def test_kernels_agree_with_the_array_functions(dtype, angles):
    angles = np.array(angles, dtype)
    matrix, back = np.empty((3, 3), dtype), np.empty(3, dtype)
    kernels.euler_to_matrix(angles, matrix)
    kernels.matrix_to_euler(matrix, back)
    unit = np.finfo(dtype).eps
    np.testing.assert_allclose(matrix, rotation_from_euler(angles), atol=4 * unit)
    # asin amplifies near a quarter turn
    np.testing.assert_allclose(back, euler_from_rotation(matrix), atol=200 * unit)


@pytest.mark.parametrize(
    ("function", "shape"),
    [
        (rotation_from_euler, (3,)),
        (euler_from_rotation, (3, 3)),
        (vector_from_rotation, (3, 3)),
    ],
)
def test_many_rotations_at_once_keep_their_shape_and_precision(function, shape):
    rng = np.random.default_rng(0)
    many = rng.uniform(-1, 1, (4, 5, 3))
    values = many if shape == (3,) else rotation_from_euler(many)
    result = function(values)
    assert result.shape[:2] == (4, 5)
    np.testing.assert_allclose(result[2, 3], function(values[2, 3]))
    assert function(values.astype(np.float32)).dtype == np.float32
    with pytest.raises(ValueError, match=r"expected .* got"):
        function(np.zeros((2, 2)))


def test_half_a_turn_has_no_euler_angles_through_a_quaternion():
    assert np.isnan(euler_from_rotation(np.diag([1.0, -1.0, -1.0]))).any()

"""Gaze of two eyes from their landmarks (docs/algorithms/gaze.md).

In float32 like the original: the intersection cancels the square of the distance against itself, so that
its rounding shows in the fifth decimal of the direction.
"""

from __future__ import annotations

import math

import numpy as np

from mien.geometry.kernels import euler_to_matrix, points_to_camera
from mien.runtime.jit import kernel, part

IRIS_POINTS = 8
"""The first points of an eye's shape are the ring of the iris."""
EYEBALL_RADIUS_MM = 12.0
EYEBALL_UP_MM = -3.5
EYEBALL_BACK_MM = 7.0
"""Eyeball's centre relative to the middle of the eye's corners, along the head's own y and z axes."""


@part
def normalise(v, out):
    """``v`` (3,) divided by its length into ``out`` (3,); the length in float64, as OpenCV has it."""
    x, y, z = np.float64(v[0]), np.float64(v[1]), np.float64(v[2])
    length = math.sqrt(x * x + y * y + z * z)
    out[0], out[1], out[2] = x / length, y / length, z / length


@part
def eye_direction(points_3d, landmarks_3d, corner_a, corner_b, rotation, out):
    """Unit vector from the eyeball's centre to where the ray through the iris enters it.

    Parameters: ``points_3d`` (n, 3) mm of the eye, ``landmarks_3d`` (68, 3) mm of the face
    and the rows of the eye's corners in it, ``rotation`` (3, 3) of the head, all float32; into ``out`` (3,).
    """
    ray = np.zeros(3, np.float32)
    centre = np.empty(3, np.float32)
    up, back = np.float32(EYEBALL_UP_MM), np.float32(EYEBALL_BACK_MM)
    for i in range(IRIS_POINTS):
        for k in range(3):
            ray[k] += points_3d[i, k]
    for k in range(3):
        ray[k] /= np.float32(IRIS_POINTS)
        middle = (landmarks_3d[corner_a, k] + landmarks_3d[corner_b, k]) / np.float32(2.0)
        centre[k] = middle + (rotation[k, 1] * up + rotation[k, 2] * back)
    normalise(ray, ray)
    b = np.float32(-2.0) * (ray[0] * centre[0] + ray[1] * centre[1] + ray[2] * centre[2])
    c = centre[0] * centre[0] + centre[1] * centre[1] + centre[2] * centre[2]
    c -= np.float32(EYEBALL_RADIUS_MM * EYEBALL_RADIUS_MM)
    disc = b * b - np.float32(4.0) * c
    if disc >= np.float32(0.0):
        distance = (-b - math.sqrt(disc)) / np.float32(2.0)
        for k in range(3):
            ray[k] = ray[k] * distance - centre[k]
    else:
        # where the ray misses the eyeball the original puts this point, a millimetre from the camera
        ray[0] = -centre[0]
        ray[1] = -centre[1]
        ray[2] = np.float32(-1.0) - centre[2]
    normalise(ray, out)


@kernel
def estimate_gaze(
    points, depth_offsets, scales, landmarks_3d, euler, camera, measured, points_3d, directions, angles
):
    """Both eyes: 3D points always, directions and angles only if ``measured``.

    Parameters: ``points`` (2, n, 2) px, ``depth_offsets`` (2, n) mm, ``landmarks_3d`` (68, 3) mm, ``euler``
    (3,) rad, all float32; ``scales`` (2,), ``camera`` (4,) float64; into ``points_3d`` (2, n, 3) float32,
    ``directions`` (2, 3) and ``angles`` (2,) float64, zeros on entry.
    """
    fx, fy, cx, cy = camera[0], camera[1], camera[2], camera[3]
    for eye in range(2):
        points_to_camera(points[eye], depth_offsets[eye], scales[eye], fx, fy, cx, cy, points_3d[eye])
    if not measured:
        return
    rotation = np.empty((3, 3), np.float32)
    euler_to_matrix(euler, rotation)
    eye_direction(points_3d[0], landmarks_3d, 36, 39, rotation, directions[0])
    eye_direction(points_3d[1], landmarks_3d, 42, 45, rotation, directions[1])
    x = 0.5 * (directions[0, 0] + directions[1, 0])
    y = 0.5 * (directions[0, 1] + directions[1, 1])
    z = 0.5 * (directions[0, 2] + directions[1, 2])
    angles[0] = math.atan2(x, -z)
    angles[1] = math.atan2(y, -z)

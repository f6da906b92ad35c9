"""Rotations and the camera inside other kernels; rotations keep the precision of their arguments.

Euler angles e = (rx, ry, rz) mean Rx(rx) Ry(ry) Rz(rz) (docs/conventions.md#angles). float32 arguments are
computed in float32 throughout, as the original does; float64 arguments in float64.
"""

from __future__ import annotations

import math

import numpy as np

from mien.runtime.jit import kernel


@kernel
def euler_to_matrix(e, out):
    """Rotation matrix of Euler angles ``e`` (3,) into ``out`` (3, 3)."""
    s1, c1 = math.sin(e[0]), math.cos(e[0])
    s2, c2 = math.sin(e[1]), math.cos(e[1])
    s3, c3 = math.sin(e[2]), math.cos(e[2])
    out[0, 0] = c2 * c3
    out[0, 1] = -c2 * s3
    out[0, 2] = s2
    out[1, 0] = c1 * s3 + c3 * s1 * s2
    out[1, 1] = c1 * c3 - s1 * s2 * s3
    out[1, 2] = -c2 * s1
    out[2, 0] = s1 * s3 - c1 * c3 * s2
    out[2, 1] = c3 * s1 + c1 * s2 * s3
    out[2, 2] = c1 * c2


@kernel
def matrix_to_euler(r, out):
    """Euler angles of ``r`` (3, 3) into ``out`` (3,), through a quaternion.

    A rotation by half a turn has no such quaternion and gives NaN, as in the original.
    """
    one, two, half, quarter = r.dtype.type(1), r.dtype.type(2), r.dtype.type(0.5), r.dtype.type(0.25)
    q0 = half * math.sqrt(one + r[0, 0] + r[1, 1] + r[2, 2])
    q1 = quarter * (r[2, 1] - r[1, 2]) / q0
    q2 = quarter * (r[0, 2] - r[2, 0]) / q0
    q3 = quarter * (r[1, 0] - r[0, 1]) / q0
    t = two * (q0 * q2 + q1 * q3)
    # written so that NaN passes
    if t > one:
        t = one
    elif t < -one:
        t = -one
    out[0] = math.atan2(two * (q0 * q1 - q2 * q3), q0 * q0 - q1 * q1 - q2 * q2 + q3 * q3)
    out[1] = math.asin(t)
    out[2] = math.atan2(two * (q0 * q3 - q1 * q2), q0 * q0 + q1 * q1 - q2 * q2 - q3 * q3)


@kernel
def points_to_camera(points, depth_offsets, scale, fx, fy, cx, cy, out):
    """Back-project ``points`` (n, 2) px into ``out`` (n, 3) mm, float32 (docs/algorithms/head-pose.md).

    ``depth_offsets`` (n,) mm; a ``scale`` of zero, which has no depth, gives zeros.
    """
    fx32, fy32, cx32, cy32 = np.float32(fx), np.float32(fy), np.float32(cx), np.float32(cy)
    scale32 = np.float32(scale)
    if scale32 == np.float32(0.0):
        for i in range(points.shape[0]):
            out[i, 0] = out[i, 1] = out[i, 2] = np.float32(0.0)
        return
    distance = fx32 / scale32
    for i in range(points.shape[0]):
        depth = distance + depth_offsets[i]
        out[i, 0] = depth * ((points[i, 0] - cx32) / fx32)
        out[i, 1] = depth * ((points[i, 1] - cy32) / fy32)
        out[i, 2] = depth

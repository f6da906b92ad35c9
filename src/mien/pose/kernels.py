"""Head pose from landmarks: perspective-n-point by Levenberg-Marquardt (docs/algorithms/head-pose.md)."""

from __future__ import annotations

import math

import numpy as np

from mien.geometry.kernels import euler_to_matrix, matrix_to_euler, points_to_camera
from mien.runtime.jit import kernel, part

_MAX_STEPS = 20
_SMALL_STEP = 1.1920929e-07
_LEAST_DAMPING = 1e-16
_MOST_DAMPING = 2e16


@part
def rotation_and_jacobian(v, rotation, jacobian):
    """Matrix of the rotation vector in the first three entries of ``v``, and its left Jacobian, both (3, 3).

    R = I + a K + b K², J = I + b K + c K² with K the cross product matrix of v; R(v + d) = R(J d) R(v) for
    small d.
    """
    square = v[0] * v[0] + v[1] * v[1] + v[2] * v[2]
    angle = math.sqrt(square)
    if angle < 1e-4:
        # the first terms of the series are exact to the last place here
        a, b, c = 1.0 - square / 6.0, 0.5 - square / 24.0, 1.0 / 6.0 - square / 120.0
    else:
        half_sine = math.sin(0.5 * angle)
        a = math.sin(angle) / angle
        b = 2.0 * half_sine * half_sine / square
        c = (1.0 - a) / square
    for i in range(3):
        # K² = v v' - |v|² I
        for j in range(3):
            rotation[i, j] = b * v[i] * v[j]
            jacobian[i, j] = c * v[i] * v[j]
        rotation[i, i] += 1.0 - b * square
        jacobian[i, i] += 1.0 - c * square
    for k in range(3):
        # K has -v[k] at (i, j) and v[k] at (j, i) for the cyclic triples (i, j, k)
        i, j = (k + 1) % 3, (k + 2) % 3
        rotation[i, j] -= a * v[k]
        rotation[j, i] += a * v[k]
        jacobian[i, j] -= b * v[k]
        jacobian[j, i] += b * v[k]


@part
def normal_equations(shape, points, camera, unknowns, r, jacobian, hessian, gradient):
    """Gauss-Newton system of the reprojection error at ``unknowns`` (6,); returns the cost, in px².

    ``r`` and ``jacobian`` (3, 3) as `rotation_and_jacobian` gives them. Only the lower triangle of
    ``hessian`` (6, 6) is filled; ``gradient`` (6,).
    """
    tx, ty, tz = unknowns[3], unknowns[4], unknowns[5]
    ju = np.empty(6)
    jv = np.empty(6)
    cost = 0.0
    for k in range(6):
        gradient[k] = 0.0
        for m in range(6):
            hessian[k, m] = 0.0
    for i in range(points.shape[0]):
        x, y, z = np.float64(shape[i, 0]), np.float64(shape[i, 1]), np.float64(shape[i, 2])
        xr = r[0, 0] * x + r[0, 1] * y + r[0, 2] * z
        yr = r[1, 0] * x + r[1, 1] * y + r[1, 2] * z
        zr = r[2, 0] * x + r[2, 1] * y + r[2, 2] * z
        zc = zr + tz
        inverse = 1.0 / zc if zc != 0.0 else 1.0
        xn, yn = (xr + tx) * inverse, (yr + ty) * inverse
        du = camera[0] * xn + camera[2] - points[i, 0]
        dv = camera[1] * yn + camera[3] - points[i, 1]
        cost += du * du + dv * dv
        a, b = camera[0] * inverse, camera[1] * inverse
        for k in range(3):
            wx, wy, wz = jacobian[0, k], jacobian[1, k], jacobian[2, k]
            # the point moves by (wx, wy, wz) x (xr, yr, zr)
            dz = wx * yr - wy * xr
            ju[k] = a * (wy * zr - wz * yr - xn * dz)
            jv[k] = b * (wz * xr - wx * zr - yn * dz)
        ju[3], ju[4], ju[5] = a, 0.0, -a * xn
        jv[3], jv[4], jv[5] = 0.0, b, -b * yn
        for k in range(6):
            gradient[k] += ju[k] * du + jv[k] * dv
            for m in range(k + 1):
                hessian[k, m] += ju[k] * ju[m] + jv[k] * jv[m]
    return cost


@part
def solve_damped(hessian, gradient, damping, factor, step):
    """Solve (H + damping diag H) step = -gradient by Cholesky; False if not positive definite."""
    for k in range(6):
        step[k] = -gradient[k]
        for m in range(k + 1):
            total = hessian[k, m] * (1.0 + damping) if k == m else hessian[k, m]
            for j in range(m):
                total -= factor[k, j] * factor[m, j]
            if k != m:
                factor[k, m] = total / factor[m, m]
            elif total > 0.0:
                factor[k, k] = math.sqrt(total)
            else:
                return False
        for j in range(k):
            step[k] -= factor[k, j] * step[j]
        step[k] /= factor[k, k]
    for k in range(5, -1, -1):
        for j in range(k + 1, 6):
            step[k] -= factor[j, k] * step[j]
        step[k] /= factor[k, k]
    return True


@kernel
def refine_pose(shape, points, camera, unknowns, r):
    """Minimise the reprojection error by Levenberg-Marquardt, in place.

    ``unknowns`` (6,) float64: rotation vector (rad), translation (mm); ``r`` (3, 3) becomes its matrix.
    ``shape`` (n, 3) mm, ``points`` (n, 2) px, ``camera`` (4,) fx, fy, cx, cy. Damping, its changes by
    tens and the end (20 steps, or one below 1.2e-7 of the unknowns' length) are those of OpenCV's
    ``solvePnP``: its last step decides the sixth decimal of the angles.
    """
    jacobian = np.empty((3, 3))
    hessian, new_hessian = np.empty((6, 6)), np.empty((6, 6))
    gradient, new_gradient = np.empty(6), np.empty(6)
    trial = np.empty(6)
    factor = np.empty((6, 6))
    step = np.empty(6)
    damping = 1e-3
    rotation_and_jacobian(unknowns, r, jacobian)
    cost = normal_equations(shape, points, camera, unknowns, r, jacobian, hessian, gradient)
    steps = 0
    moved, length = 1.0, 0.0
    while steps < _MAX_STEPS and moved >= _SMALL_STEP * _SMALL_STEP * length and damping < _MOST_DAMPING:
        better = False
        new_cost = cost
        if solve_damped(hessian, gradient, damping, factor, step):
            for k in range(6):
                trial[k] = unknowns[k] + step[k]
            rotation_and_jacobian(trial, r, jacobian)
            new_cost = normal_equations(shape, points, camera, trial, r, jacobian, new_hessian, new_gradient)
            better = new_cost <= cost
        if better:
            steps += 1
            damping = max(damping * 0.1, _LEAST_DAMPING)
            moved, length = 0.0, 0.0
            for k in range(6):
                moved += step[k] * step[k]
                length += unknowns[k] * unknowns[k]
                unknowns[k] = trial[k]
            cost = new_cost
            hessian, new_hessian = new_hessian, hessian
            gradient, new_gradient = new_gradient, gradient
        else:
            damping *= 10.0
    # the last trial may have been refused
    rotation_and_jacobian(unknowns, r, jacobian)


@part
def lift_landmarks(points, object_shape, global_params, camera, out):
    """Landmarks in the camera frame into ``out`` (n, 3): the depth comes from the fit, not from PnP.

    Returns whether the points are finite and not all the same point.
    """
    n = points.shape[0]
    r = np.empty((3, 3), np.float32)
    offsets = np.empty(n, np.float32)
    euler_to_matrix(global_params[1:], r)
    finite, differ = True, False
    for i in range(n):
        offsets[i] = (
            r[2, 0] * object_shape[i, 0] + r[2, 1] * object_shape[i, 1] + r[2, 2] * object_shape[i, 2]
        )
        finite = finite and math.isfinite(points[i, 0]) and math.isfinite(points[i, 1])
        differ = differ or points[i, 0] != points[0, 0] or points[i, 1] != points[0, 1]
    scale = np.float64(global_params[0])
    points_to_camera(points, offsets, scale, camera[0], camera[1], camera[2], camera[3], out)
    return finite and differ


@kernel
def estimate_pose(points, object_shape, global_params, camera, landmarks_3d, pose):
    """Head pose and landmarks in the camera frame.

    Parameters: ``points`` (n, 2) float32 px, ``object_shape`` (n, 3) float32 mm, ``global_params`` (6,)
    float32, ``camera`` (4,) float64; into ``landmarks_3d`` (n, 3) float32 mm and ``pose`` (6,) float64,
    zeros on entry: Tx, Ty, Tz (mm), Rx, Ry, Rz (rad). It stays zero where there is no finite pose.
    """
    usable = lift_landmarks(points, object_shape, global_params, camera, landmarks_3d)
    scale = np.float64(global_params[0])
    if not usable or scale == 0.0 or not math.isfinite(scale):
        return
    r = np.empty((3, 3))
    angles = np.empty(3)
    unknowns = np.empty(6)
    # the original takes the Euler angles as a rotation vector here, which is only a first guess
    for k in range(3):
        unknowns[k] = global_params[1 + k]
    unknowns[5] = camera[0] / scale
    unknowns[3] = unknowns[5] * (global_params[4] - camera[2]) / camera[0]
    unknowns[4] = unknowns[5] * (global_params[5] - camera[3]) / camera[1]
    refine_pose(object_shape, points, camera, unknowns, r)
    matrix_to_euler(r, angles)
    total = angles[0] + angles[1] + angles[2] + unknowns[3] + unknowns[4] + unknowns[5]
    if math.isfinite(total):
        for k in range(3):
            pose[k] = unknowns[3 + k]
            pose[3 + k] = angles[k]

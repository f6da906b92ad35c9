"""Kernels of the point distribution model (landmarks.md §4).

Layout: a shape is (2, n) or (3, n), one row per axis, so that every inner loop runs over the points.
A basis is (m, 3, n); a Jacobian is transposed, (6 + m, 2n): one row per parameter, all x then all y.
Everything is float32, as in the original; scalars that feed a rotation are float64 inside.
"""

from __future__ import annotations

import math

import numpy as np

from mien.runtime.jit import fast_kernel, kernel


@kernel
def euler_to_rotation(rx, ry, rz, out):
    """R = Rx(rx) Ry(ry) Rz(rz) into ``out`` (3, 3); §0.2."""
    s1, c1 = math.sin(rx), math.cos(rx)
    s2, c2 = math.sin(ry), math.cos(ry)
    s3, c3 = math.sin(rz), math.cos(rz)
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
def rotation_to_euler(r, out):
    """Euler angles of ``r`` (3, 3) into ``out`` (3,) through a quaternion; NaN becomes zeros; §0.2, §4.6."""
    q0 = 0.5 * math.sqrt(1.0 + r[0, 0] + r[1, 1] + r[2, 2])
    q1 = (r[2, 1] - r[1, 2]) / (4.0 * q0)
    q2 = (r[0, 2] - r[2, 0]) / (4.0 * q0)
    q3 = (r[1, 0] - r[0, 1]) / (4.0 * q0)
    t = min(max(2.0 * (q0 * q2 + q1 * q3), -1.0), 1.0)
    ey = math.asin(t)
    ex = math.atan2(2.0 * (q0 * q1 - q2 * q3), q0 * q0 - q1 * q1 - q2 * q2 + q3 * q3)
    ez = math.atan2(2.0 * (q0 * q3 - q1 * q2), q0 * q0 + q1 * q1 - q2 * q2 - q3 * q3)
    if math.isnan(ex) or math.isnan(ey) or math.isnan(ez):
        ex = ey = ez = 0.0
    out[0] = ex
    out[1] = ey
    out[2] = ez


@kernel
def rotate_euler(angles, wx, wy, wz):
    """Update Euler ``angles`` (3,) in place: R(angles) times the rotation nearest to I + [w]x; §4.5.

    I + [w]x is normal, so its nearest rotation has a closed form: axis w, angle atan |w|.
    """
    r = np.empty((3, 3))
    q = np.empty((3, 3))
    euler_to_rotation(np.float64(angles[0]), np.float64(angles[1]), np.float64(angles[2]), r)
    t2 = wx * wx + wy * wy + wz * wz
    c = 1.0 / math.sqrt(1.0 + t2)
    # (1 - cos) / |w|^2 without cancellation: 1 - c = t2 c^2 / (1 + c)
    k = c * c / (1.0 + c)
    q[0, 0] = c + k * wx * wx
    q[0, 1] = k * wx * wy - c * wz
    q[0, 2] = k * wx * wz + c * wy
    q[1, 0] = k * wx * wy + c * wz
    q[1, 1] = c + k * wy * wy
    q[1, 2] = k * wy * wz - c * wx
    q[2, 0] = k * wx * wz - c * wy
    q[2, 1] = k * wy * wz + c * wx
    q[2, 2] = c + k * wz * wz
    product = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            product[i, j] = r[i, 0] * q[0, j] + r[i, 1] * q[1, j] + r[i, 2] * q[2, j]
    rotation_to_euler(product, angles)


@fast_kernel
def object_shape(mean, basis, local, out):
    """X(p) = M + V p into ``out`` (3, n); §4.1."""
    m, _, n = basis.shape
    for a in range(3):
        for i in range(n):
            out[a, i] = mean[a, i]
        for j in range(m):
            p = local[j]
            for i in range(n):
                out[a, i] += basis[j, a, i] * p


@fast_kernel
def project(shape, glob, rotation, out):
    """S = s R X + t into ``out`` (2, n), with ``rotation`` (3, 3) already evaluated; §4.1."""
    s = glob[0]
    for a in range(2):
        ra0 = np.float32(rotation[a, 0])
        ra1 = np.float32(rotation[a, 1])
        ra2 = np.float32(rotation[a, 2])
        t = glob[4 + a]
        for i in range(shape.shape[1]):
            out[a, i] = s * (ra0 * shape[0, i] + ra1 * shape[1, i] + ra2 * shape[2, i]) + t


@fast_kernel
def jacobian(shape, basis, scale, rotation, modes, out):
    """Transposed Jacobian into ``out`` (6 + modes, 2n): scale, rotation, translation, then modes; §4.4."""
    n = shape.shape[1]
    s = np.float32(scale)
    for a in range(2):
        r0 = np.float32(rotation[a, 0])
        r1 = np.float32(rotation[a, 1])
        r2 = np.float32(rotation[a, 2])
        o = a * n
        for i in range(n):
            x = shape[0, i]
            y = shape[1, i]
            z = shape[2, i]
            out[0, o + i] = x * r0 + y * r1 + z * r2
            out[1, o + i] = s * (y * r2 - z * r1)
            out[2, o + i] = -s * (x * r2 - z * r0)
            out[3, o + i] = s * (x * r1 - y * r0)
            out[4, o + i] = np.float32(1 - a)
            out[5, o + i] = np.float32(a)
        q0 = s * r0
        q1 = s * r1
        q2 = s * r2
        for j in range(modes):
            for i in range(n):
                out[6 + j, o + i] = q0 * basis[j, 0, i] + q1 * basis[j, 1, i] + q2 * basis[j, 2, i]


@fast_kernel
def normal_matrix(left, right, size, out):
    """Upper triangle of ``left`` ``right``ᵀ for (size, k) matrices into ``out``, four columns at a time."""
    k = left.shape[1]
    for a in range(size):
        b = a
        while b + 4 <= size:
            s0 = np.float32(0.0)
            s1 = np.float32(0.0)
            s2 = np.float32(0.0)
            s3 = np.float32(0.0)
            for i in range(k):
                v = left[a, i]
                s0 += v * right[b, i]
                s1 += v * right[b + 1, i]
                s2 += v * right[b + 2, i]
                s3 += v * right[b + 3, i]
            out[a, b] = s0
            out[a, b + 1] = s1
            out[a, b + 2] = s2
            out[a, b + 3] = s3
            b += 4
        while b < size:
            s0 = np.float32(0.0)
            for i in range(k):
                s0 += left[a, i] * right[b, i]
            out[a, b] = s0
            b += 1


@fast_kernel
def cholesky_solve(a, rhs, size):
    """Solve the symmetric system in place; only the upper triangle of ``a`` is read and it is overwritten.

    A matrix that is not positive definite gives a zero solution, as in the original (§0.4).
    """
    for k in range(size):
        d = a[k, k]
        if not d > 0.0:
            for i in range(size):
                rhs[i] = 0.0
            return
        inv = np.float32(1.0) / np.float32(math.sqrt(d))
        for j in range(k, size):
            a[k, j] *= inv
        for i in range(k + 1, size):
            f = a[k, i]
            for j in range(i, size):
                a[i, j] -= f * a[k, j]
    for i in range(size):
        v = rhs[i] / a[i, i]
        rhs[i] = v
        for j in range(i + 1, size):
            rhs[j] -= v * a[i, j]
    for i in range(size - 1, -1, -1):
        v = rhs[i]
        for j in range(i + 1, size):
            v -= a[i, j] * rhs[j]
        rhs[i] = v / a[i, i]


@fast_kernel
def _restrict(mean, basis, points, sub_mean, sub_basis, target):
    """Copy what belongs to present points (x is not exactly 0) to the front; return their number; §4.8."""
    count = 0
    for i in range(points.shape[1]):
        if points[0, i] != 0.0:
            for a in range(3):
                sub_mean[a, count] = mean[a, i]
                for j in range(basis.shape[0]):
                    sub_basis[j, a, count] = basis[j, a, i]
            target[0, count] = points[0, i]
            target[1, count] = points[1, i]
            count += 1
    return count


@fast_kernel
def _start_from_box(mean, target, n, glob):
    """Scale and position from the bounding boxes of the points and of the mean shape; §4.8 step 2."""
    low = np.empty(4, np.float32)
    high = np.empty(4, np.float32)
    for a in range(2):
        low[a] = high[a] = mean[a, 0]
        low[2 + a] = high[2 + a] = target[a, 0]
        for i in range(1, n):
            low[a] = min(low[a], mean[a, i])
            high[a] = max(high[a], mean[a, i])
            low[2 + a] = min(low[2 + a], target[a, i])
            high[2 + a] = max(high[2 + a], target[a, i])
    half = np.float32(0.5)
    glob[0] = half * ((high[2] - low[2]) / (high[0] - low[0]) + (high[3] - low[3]) / (high[1] - low[1]))
    glob[1] = glob[2] = glob[3] = 0.0
    glob[4] = half * (low[2] + high[2])
    glob[5] = half * (low[3] + high[3])


@fast_kernel
def _residual(shape, glob, rotation, target, out):
    """Target minus projection into ``out`` (2n,); its Euclidean norm is returned."""
    n = shape.shape[1]
    s = glob[0]
    total = np.float32(0.0)
    for a in range(2):
        r0 = s * np.float32(rotation[a, 0])
        r1 = s * np.float32(rotation[a, 1])
        r2 = s * np.float32(rotation[a, 2])
        t = glob[4 + a]
        o = a * n
        for i in range(n):
            v = target[a, i] - (r0 * shape[0, i] + r1 * shape[1, i] + r2 * shape[2, i] + t)
            out[o + i] = v
            total += v * v
    return np.float32(math.sqrt(total))


@fast_kernel
def fit_points(mean, basis, eigenvalues, points, glob, local):
    """Parameters from 2D landmarks into ``glob`` (6,) and ``local`` (m,); returns the iterations; §4.8.

    ``points`` (2, n); a point whose x is exactly 0 is missing.
    """
    m = basis.shape[0]
    size = 6 + m
    full_mean = np.empty_like(mean)
    full_basis = np.empty_like(basis)
    full_target = np.empty_like(points)
    n = _restrict(mean, basis, points, full_mean, full_basis, full_target)
    for j in range(m):
        local[j] = 0.0
    if n == 0:
        glob[:] = 0.0
        glob[0] = 1.0
        return 0
    if n == mean.shape[1]:
        sub_mean = full_mean
        sub_basis = full_basis
        target = full_target
    else:
        sub_mean = full_mean[:, :n].copy()
        sub_basis = full_basis[:, :, :n].copy()
        target = full_target[:, :n].copy()
    _start_from_box(sub_mean, target, n, glob)
    shape = np.empty((3, n), np.float32)
    rotation = np.empty((3, 3))
    jac = np.empty((size, 2 * n), np.float32)
    hessian = np.empty((size, size), np.float32)
    step = np.empty(size, np.float32)
    residual = np.empty(2 * n, np.float32)
    euler_to_rotation(np.float64(glob[1]), np.float64(glob[2]), np.float64(glob[3]), rotation)
    object_shape(sub_mean, sub_basis, local, shape)
    error = _residual(shape, glob, rotation, target, residual)
    worse = 0
    for iteration in range(1000):
        jacobian(shape, sub_basis, glob[0], rotation, m, jac)
        normal_matrix(jac, jac, size, hessian)
        for k in range(size):
            v = np.float32(0.0)
            for i in range(2 * n):
                v += jac[k, i] * residual[i]
            step[k] = v
        for j in range(m):
            inv = np.float32(1.0) / eigenvalues[j]
            step[6 + j] -= local[j] * inv
            hessian[6 + j, 6 + j] += inv
        cholesky_solve(hessian, step, size)
        for k in range(size):
            step[k] *= np.float32(0.75)
        glob[0] += step[0]
        rotate_euler(glob[1:4], np.float64(step[1]), np.float64(step[2]), np.float64(step[3]))
        glob[4] += step[4]
        glob[5] += step[5]
        for j in range(m):
            local[j] += step[6 + j]
        euler_to_rotation(np.float64(glob[1]), np.float64(glob[2]), np.float64(glob[3]), rotation)
        # The original tests the new pose with the old 3D shape; landmarks.md §4.8 step 4.
        new_error = _residual(shape, glob, rotation, target, residual)
        if np.float32(0.999) * error < new_error:
            worse += 1
            if worse == 3:
                return iteration + 1
        error = new_error
        object_shape(sub_mean, sub_basis, local, shape)
        _residual(shape, glob, rotation, target, residual)
    return 1000


@fast_kernel
def shape_2d(mean, basis, glob, local, shape, out):
    """Object shape into ``shape`` (3, n) and its projection into ``out`` (2, n); §4.1."""
    rotation = np.empty((3, 3))
    euler_to_rotation(np.float64(glob[1]), np.float64(glob[2]), np.float64(glob[3]), rotation)
    object_shape(mean, basis, local, shape)
    project(shape, glob, rotation, out)

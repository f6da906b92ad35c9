"""Kernels of the point distribution model (docs/algorithms/point-distribution-model.md).

Layout: a shape is (2, n) or (3, n), one row per axis, so that every inner loop runs over the points.
A basis is (m, 3, n), and once more packed as (3, n, P) for the Jacobian (2n, P): its rows are all x, then all
y, its columns the 6 + m parameters, one for a right-hand side, and padding to a multiple of 16.
Everything is float32, as in the original; scalars that update a rotation are float64 inside.
"""

from __future__ import annotations

import math

import numpy as np

from mien.geometry.kernels import euler_to_matrix
from mien.runtime.fit_block import dot_product, subtract_rows
from mien.runtime.jit import fast_kernel, kernel
from mien.runtime.lanes import LANES as VECTOR_LANES
from mien.runtime.vector_math import LANES, ROWS, block_product


@kernel
def rotation_of(glob, out):
    """Rotation of global parameters into ``out`` (3, 3), in float32 arithmetic as the original's.

    Landmarks are projected with it: only the same rounding keeps the grids of warp and mean shift from
    flipping (docs/algorithms/numerical-noise.md).
    """
    s1, c1 = np.float32(math.sin(glob[1])), np.float32(math.cos(glob[1]))
    s2, c2 = np.float32(math.sin(glob[2])), np.float32(math.cos(glob[2]))
    s3, c3 = np.float32(math.sin(glob[3])), np.float32(math.cos(glob[3]))
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
    """Euler angles of ``r`` (3, 3) into ``out`` (3,) through a quaternion; NaN becomes zeros."""
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
    """Update Euler ``angles`` (3,) in place: R(angles) times the rotation nearest to I + [w]x.

    I + [w]x is normal, so its nearest rotation has a closed form: axis w, angle atan |w|.
    """
    r = np.empty((3, 3))
    q = np.empty((3, 3))
    exact = np.empty(3)
    for k in range(3):
        exact[k] = angles[k]
    euler_to_matrix(exact, r)
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
    """X(p) = M + V p into ``out`` (3, n); the mean is added last, as the original's rounding wants."""
    m, _, n = basis.shape
    for a in range(3):
        for i in range(n):
            out[a, i] = np.float32(0.0)
        for j in range(m):
            p = local[j]
            for i in range(n):
                out[a, i] += basis[j, a, i] * p
        for i in range(n):
            out[a, i] = mean[a, i] + out[a, i]


@kernel
def project(shape, glob, rotation, out):
    """S = s R X + t into ``out`` (2, n), ``rotation`` (3, 3) from `rotation_of`; float32 as written."""
    s = glob[0]
    for a in range(2):
        ra0 = np.float32(rotation[a, 0])
        ra1 = np.float32(rotation[a, 1])
        ra2 = np.float32(rotation[a, 2])
        t = glob[4 + a]
        for i in range(shape.shape[1]):
            out[a, i] = s * (ra0 * shape[0, i] + ra1 * shape[1, i] + ra2 * shape[2, i]) + t


@fast_kernel
def jacobian(shape, packed_basis, scale, rotation, modes, out):
    """Jacobian into ``out`` (2n, P), x rows then y rows; columns scale, rotation, translation, modes.

    ``packed_basis`` (3, n, P) holds the modes from column 6 on and zeros elsewhere; with ``modes`` = 0 it is
    not read and only the rigid columns are written.
    """
    n = shape.shape[1]
    s = np.float32(scale)
    for a in range(2):
        r0 = np.float32(rotation[a, 0])
        r1 = np.float32(rotation[a, 1])
        r2 = np.float32(rotation[a, 2])
        if modes > 0:
            rows = out[a * n : (a + 1) * n].reshape(-1)
            vx = packed_basis[0].reshape(-1)
            vy = packed_basis[1].reshape(-1)
            vz = packed_basis[2].reshape(-1)
            q0 = s * r0
            q1 = s * r1
            q2 = s * r2
            for k in range(rows.shape[0]):
                rows[k] = q0 * vx[k] + q1 * vy[k] + q2 * vz[k]
        for i in range(n):
            x = shape[0, i]
            y = shape[1, i]
            z = shape[2, i]
            row = out[a * n + i]
            row[0] = x * r0 + y * r1 + z * r2
            row[1] = s * (y * r2 - z * r1)
            row[2] = -s * (x * r2 - z * r0)
            row[3] = s * (x * r1 - y * r0)
            row[4] = np.float32(1 - a)
            row[5] = np.float32(a)


@fast_kernel
def normal_equations(weighted, jac, size, out):
    """Upper triangle of ``weighted``ᵀ ``jac`` for (2n, P) matrices into ``out``; rows in blocks of seven.

    The right-hand side stands in column ``size`` of ``jac``, so it becomes column ``size`` of ``out``. Needs
    P a multiple of 16 and at least the number of rows, ceil(size / 7) * 7, of ``out``.
    """
    points, width = jac.shape
    for a in range(0, size, ROWS):
        for b in range(a - a % LANES, width, LANES):
            block_product(
                jac.ctypes.data + 4 * b,
                points,
                width,
                1,
                0,
                weighted.ctypes.data + 4 * a,
                width,
                out.ctypes.data + 4 * (a * width + b),
                width,
            )


@fast_kernel
def unweighted_normal_equations(jac, gram, scale, rotation, size, out):
    """`normal_equations` of a Jacobian with itself; what only modes take part in comes from the basis.

    The modes' columns are s (R_a0 Vx + R_a1 Vy + R_a2 Vz) for a = 0, 1, so their products are sums of the six
    matrices ``gram`` (6, m, P) of `mien.shape.model`, of which none has to be multiplied anew.
    """
    points, width = jac.shape
    left = np.empty((points, ROWS), np.float32)
    for i in range(points):
        for k in range(6):
            left[i, k] = jac[i, k]
        left[i, 6] = jac[i, size]
    top = np.empty((ROWS, width), np.float32)
    for b in range(0, width, LANES):
        block_product(
            jac.ctypes.data + 4 * b,
            points,
            width,
            1,
            0,
            left.ctypes.data,
            ROWS,
            top.ctypes.data + 4 * b,
            width,
        )
    for k in range(6):
        for j in range(width):
            out[k, j] = top[k, j]
    weights = np.empty(6, np.float32)
    square = np.float32(scale) * np.float32(scale)
    for k in range(6):
        b, c = k % 3, (k if k < 3 else k + 1) % 3
        product = rotation[0, b] * rotation[0, c] + rotation[1, b] * rotation[1, c]
        weights[k] = square * np.float32(product)
    xx, yy, zz, xy, yz, zx = gram[0], gram[1], gram[2], gram[3], gram[4], gram[5]
    for i in range(size - 6):
        row = out[6 + i]
        for j in range(width):
            row[j] = (
                (weights[0] * xx[i, j] + weights[1] * yy[i, j])
                + (weights[2] * zz[i, j] + weights[3] * xy[i, j])
                + (weights[4] * yz[i, j] + weights[5] * zx[i, j])
            )
        row[size] = top[6, 6 + i]


@fast_kernel
def cholesky_solve(a, size, solution):
    """Solve the symmetric system whose upper triangle and right-hand side (column ``size``) ``a`` holds.

    ``a`` (rows, P) as `normal_equations` makes it is overwritten: U with a = UᵀU, row by row, and the
    right-hand side along with it. A matrix that is not positive definite gives a zero solution, as in the
    original (docs/algorithms/point-distribution-model.md#solving).
    """
    width = a.shape[1]
    row_bytes = 4 * width
    for k in range(size):
        left = k - k % VECTOR_LANES
        for b in range(left, width, VECTOR_LANES):
            subtract_rows(
                a.ctypes.data + k * row_bytes + 4 * b, a.ctypes.data + 4 * b, a.ctypes.data + 4 * k, width, k
            )
        pivot = a[k]
        d = pivot[k]
        if not d > 0.0:
            for i in range(size):
                solution[i] = np.float32(0.0)
            return
        inverse = np.float32(1.0) / np.float32(math.sqrt(d))
        for j in range(left, width):
            pivot[j] *= inverse
    known = np.zeros(width, np.float32)
    for i in range(size - 1, -1, -1):
        # What stands left of the diagonal meets zeros: those entries are not known yet.
        left = i - i % VECTOR_LANES
        offset = 4 * (i * width + left)
        vectors = (width - left) // VECTOR_LANES
        dot = dot_product(a.ctypes.data + offset, known.ctypes.data + 4 * left, vectors)
        known[i] = (a[i, size] - dot) / a[i, i]
        solution[i] = known[i]


@fast_kernel
def _start_from_box(mean, target, n, glob):
    """Scale and position from the bounding boxes of the points and of the mean shape."""
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
def fit_points(mean, basis, packed_basis, gram, eigenvalues, target, glob, local):
    """Parameters from 2D landmarks ``target`` (2, n) into ``glob`` (6,) and ``local`` (m,).

    Regularised Gauss-Newton with the original's stopping rule; returns the iterations. The caller has
    restricted the model to the points that are present.
    """
    m, _, n = basis.shape
    size = 6 + m
    width = packed_basis.shape[2]
    for j in range(m):
        local[j] = np.float32(0.0)
    _start_from_box(mean, target, n, glob)
    shape = np.empty((3, n), np.float32)
    rotation = np.empty((3, 3))
    jac = np.zeros((2 * n, width), np.float32)
    system = np.empty(((size + ROWS - 1) // ROWS * ROWS, width), np.float32)
    step = np.empty(size, np.float32)
    residual = np.empty(2 * n, np.float32)
    rotation_of(glob, rotation)
    object_shape(mean, basis, local, shape)
    error = _residual(shape, glob, rotation, target, residual)
    worse = 0
    for iteration in range(1000):
        jacobian(shape, packed_basis, glob[0], rotation, m, jac)
        for i in range(2 * n):
            jac[i, size] = residual[i]
        unweighted_normal_equations(jac, gram, glob[0], rotation, size, system)
        for j in range(m):
            inverse = np.float32(1.0) / eigenvalues[j]
            system[6 + j, size] -= local[j] * inverse
            system[6 + j, 6 + j] += inverse
        cholesky_solve(system, size, step)
        for k in range(size):
            step[k] *= np.float32(0.75)
        move(step, m, glob, local)
        rotation_of(glob, rotation)
        # The original tests the new pose with the old 3D shape; docs/algorithms/point-distribution-model.md.
        new_error = _residual(shape, glob, rotation, target, residual)
        if np.float32(0.999) * error < new_error:
            worse += 1
            if worse == 3:
                return iteration + 1
        error = new_error
        object_shape(mean, basis, local, shape)
        _residual(shape, glob, rotation, target, residual)
    return 1000


@fast_kernel
def move(step, modes, glob, local):
    """Add a step (scale, rotation, translation, modes) to the parameters in place."""
    glob[0] += step[0]
    rotate_euler(glob[1:4], np.float64(step[1]), np.float64(step[2]), np.float64(step[3]))
    glob[4] += step[4]
    glob[5] += step[5]
    for j in range(modes):
        local[j] += step[6 + j]


@fast_kernel
def shape_2d(mean, basis, glob, local, shape, out):
    """Object shape into ``shape`` (3, n) and its projection into ``out`` (2, n)."""
    rotation = np.empty((3, 3))
    rotation_of(glob, rotation)
    object_shape(mean, basis, local, shape)
    project(shape, glob, rotation, out)

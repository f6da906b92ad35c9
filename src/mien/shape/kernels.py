"""Kernels of the point distribution model (docs/algorithms/point-distribution-model.md).

Layout: a shape is (2, n) or (3, n), one row per axis, a basis (m, 3, n), so that every inner loop runs over
the points. So is a Jacobian (6 + m + 1, 2n), transposed: its rows are the parameters (scale, rotation,
translation, modes) and a right-hand side, its columns all x, then all y.
Everything is float32, as in the original; scalars that update a rotation are float64 inside.
"""

from __future__ import annotations

import math

import numpy as np

from mien.geometry.kernels import euler_to_matrix
from mien.runtime.jit import fast_kernel, fast_part, part, sum_part

BLOCK = 4
"""Rows of a system that are eliminated together."""
WIDTH = 16
"""Rows of a system are whole vectors: what is left over is computed number by number."""


@part
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


@part
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


@part
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


@sum_part
def _add_modes(total, p, q, r, s, mode_p, mode_q, mode_r, mode_s):
    """Add four modes, each times its parameter, one after the other as a loop over the modes would."""
    for i in range(total.shape[0]):
        value = total[i] + mode_p[i] * p
        value = value + mode_q[i] * q
        value = value + mode_r[i] * r
        total[i] = value + mode_s[i] * s


@fast_part
def object_shape(mean, basis, local, out):
    """X(p) = M + V p into ``out`` (3, n); the mean is added last, as the original's rounding wants."""
    m = basis.shape[0]
    total, start, modes = out.reshape(-1), mean.reshape(-1), basis.reshape(m, -1)
    for i in range(total.shape[0]):
        total[i] = np.float32(0.0)
    for j in range(0, m - 3, 4):
        p, q, r, s = local[j], local[j + 1], local[j + 2], local[j + 3]
        _add_modes(total, p, q, r, s, modes[j], modes[j + 1], modes[j + 2], modes[j + 3])
    for j in range(m - m % 4, m):
        p, mode = local[j], modes[j]
        for i in range(total.shape[0]):
            total[i] += mode[i] * p
    for i in range(total.shape[0]):
        total[i] = start[i] + total[i]


@part
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


@fast_part
def jacobian(shape, basis, scale, rotation, modes, out):
    """Jacobian of the first ``modes`` modes into ``out`` (6 + modes or more, 2n)."""
    n = shape.shape[1]
    s = np.float32(scale)
    for a in range(2):
        r0 = np.float32(rotation[a, 0])
        r1 = np.float32(rotation[a, 1])
        r2 = np.float32(rotation[a, 2])
        first = a * n
        for i in range(n):
            x = shape[0, i]
            y = shape[1, i]
            z = shape[2, i]
            out[0, first + i] = x * r0 + y * r1 + z * r2
            out[1, first + i] = s * (y * r2 - z * r1)
            out[2, first + i] = -s * (x * r2 - z * r0)
            out[3, first + i] = s * (x * r1 - y * r0)
            out[4, first + i] = np.float32(1 - a)
            out[5, first + i] = np.float32(a)
    r = rotation
    p0, p1, p2 = s * np.float32(r[0, 0]), s * np.float32(r[0, 1]), s * np.float32(r[0, 2])
    q0, q1, q2 = s * np.float32(r[1, 0]), s * np.float32(r[1, 1]), s * np.float32(r[1, 2])
    for j in range(modes):
        row_x, row_y = out[6 + j, :n], out[6 + j, n : 2 * n]
        mode_x, mode_y, mode_z = basis[j, 0], basis[j, 1], basis[j, 2]
        for i in range(n):
            x, y, z = mode_x[i], mode_y[i], mode_z[i]
            row_x[i] = p0 * x + p1 * y + p2 * z
            row_y[i] = q0 * x + q1 * y + q2 * z


@part
def equations(size):
    """Zeros for `normal_equations` of ``size`` unknowns, laid out for `cholesky_solve`: (R, P) float32.

    R is ``size``, made a multiple of `BLOCK`; the right-hand side is column R; P is a multiple of `WIDTH`.
    """
    rows = (size + BLOCK - 1) // BLOCK * BLOCK
    return np.zeros((rows, (rows + WIDTH) // WIDTH * WIDTH), np.float32)


@fast_part
def normal_equations(weighted, jac, size, out):
    """Products of ``size`` rows of ``weighted`` and those of ``jac``: the upper triangle of ``out``.

    ``out`` as `equations` makes it; row ``size`` of ``jac`` is the right-hand side. Four rows times two at a
    time, so that each is read less often. Where the last has no partner, it is multiplied twice.
    """
    right = out.shape[0]
    for a in range(0, size, BLOCK):
        k, m, n = min(a + 1, size - 1), min(a + 2, size - 1), min(a + 3, size - 1)
        p, q, r, s = weighted[a], weighted[k], weighted[m], weighted[n]
        for b in range(a, size + 1, 2):
            c = min(b + 1, size)
            u, v = jac[b], jac[c]
            pu = qu = ru = su = pv = qv = rv = sv = np.float32(0.0)
            for i in range(u.shape[0]):
                pu += p[i] * u[i]
                qu += q[i] * u[i]
                ru += r[i] * u[i]
                su += s[i] * u[i]
                pv += p[i] * v[i]
                qv += q[i] * v[i]
                rv += r[i] * v[i]
                sv += s[i] * v[i]
            x, y = (b if b < size else right), (c if c < size else right)
            out[a, x], out[k, x], out[m, x], out[n, x] = pu, qu, ru, su
            out[a, y], out[k, y], out[m, y], out[n, y] = pv, qv, rv, sv


@fast_part
def _rigid_products(jac, size, out):
    """Rows of the six rigid parameters, and the right-hand side, of `unweighted_normal_equations`.

    Seven products at a time, so that each row is read once.
    """
    right = out.shape[0]
    r0, r1, r2, r3, r4, r5, rhs = jac[0], jac[1], jac[2], jac[3], jac[4], jac[5], jac[size]
    for b in range(size + 1):
        row = jac[b]
        t0 = t1 = t2 = t3 = t4 = t5 = t6 = np.float32(0.0)
        for i in range(row.shape[0]):
            v = row[i]
            t0 += r0[i] * v
            t1 += r1[i] * v
            t2 += r2[i] * v
            t3 += r3[i] * v
            t4 += r4[i] * v
            t5 += r5[i] * v
            t6 += rhs[i] * v
        x = b if b < size else right
        out[0, x], out[1, x], out[2, x], out[3, x], out[4, x], out[5, x] = t0, t1, t2, t3, t4, t5
        if 6 <= b < size:
            out[b, right] = t6


@fast_part
def unweighted_normal_equations(jac, gram, scale, rotation, size, out):
    """`normal_equations` of a Jacobian with itself; what only modes take part in comes from the basis.

    The modes' rows are s (R_a0 Vx + R_a1 Vy + R_a2 Vz) for a = 0, 1, so their products are sums of the six
    matrices ``gram`` (6, m, m) of `mien.shape.model`, of which none has to be multiplied anew.
    """
    _rigid_products(jac, size, out)
    weights = np.empty(6, np.float32)
    square = np.float32(scale) * np.float32(scale)
    for k in range(6):
        b, c = k % 3, (k if k < 3 else k + 1) % 3
        product = rotation[0, b] * rotation[0, c] + rotation[1, b] * rotation[1, c]
        weights[k] = square * np.float32(product)
    xx, yy, zz, xy, yz, zx = weights
    for i in range(size - 6):
        row = out[6 + i, 6:size]
        for j in range(row.shape[0]):
            row[j] = (
                (xx * gram[0, i, j] + yy * gram[1, i, j])
                + (zz * gram[2, i, j] + xy * gram[3, i, j])
                + (yz * gram[4, i, j] + zx * gram[5, i, j])
            )


@fast_part
def cholesky_solve(a, size, solution):
    """Solve the symmetric system whose upper triangle and right-hand side ``a`` holds; see `equations`.

    ``a`` is overwritten: D U with a = Uᵀ D U, where U has a diagonal of ones, and the right-hand side along
    with it, `BLOCK` rows at a time. A matrix that is not positive definite gives a zero solution, as in the
    original.
    """
    rows = a.shape[0]
    for i in range(size, rows):  # unknowns that fill the last block, and are 0
        for j in range(i):
            a[j, i] = np.float32(0.0)
        for j in range(i, rows + 1):
            a[i, j] = np.float32(1.0 if i == j else 0.0)
    inverse = np.empty(rows, np.float32)
    for k in range(0, rows, BLOCK):
        _eliminate(a, k, inverse)
        if not _factorise(a, k, inverse):
            for i in range(size):
                solution[i] = np.float32(0.0)
            return
    _substitute_back(a, inverse)
    for i in range(size):
        solution[i] = inverse[i]


@fast_part
def _eliminate(a, k, inverse):
    """Subtract the rows of ``a`` above ``k`` from the four rows there, four at a time.

    ``inverse`` (R,) float32: 1 / D of those above. What stands left of the diagonal becomes anything, and is
    not read.
    """
    t, u, v, w = a[k], a[k + 1], a[k + 2], a[k + 3]
    for i in range(0, k, BLOCK):
        p, q, r, s = a[i], a[i + 1], a[i + 2], a[i + 3]
        cp, cq, cr, cs = inverse[i], inverse[i + 1], inverse[i + 2], inverse[i + 3]
        tp, tq, tr, ts = p[k] * cp, q[k] * cq, r[k] * cr, s[k] * cs
        up, uq, ur, us = p[k + 1] * cp, q[k + 1] * cq, r[k + 1] * cr, s[k + 1] * cs
        vp, vq, vr, vs = p[k + 2] * cp, q[k + 2] * cq, r[k + 2] * cr, s[k + 2] * cs
        wp, wq, wr, ws = p[k + 3] * cp, q[k + 3] * cq, r[k + 3] * cr, s[k + 3] * cs
        for j in range(t.shape[0]):
            x, y, z, o = p[j], q[j], r[j], s[j]
            t[j] -= (tp * x + tq * y) + (tr * z + ts * o)
            u[j] -= (up * x + uq * y) + (ur * z + us * o)
            v[j] -= (vp * x + vq * y) + (vr * z + vs * o)
            w[j] -= (wp * x + wq * y) + (wr * z + ws * o)


@fast_part
def _factorise(a, k, inverse):
    """Make the four rows from ``k`` on rows of D U, once those above are eliminated.

    Their 1 / D go into ``inverse`` (R,) float32; false where the matrix is not positive definite.
    """
    t, u, v, w = a[k], a[k + 1], a[k + 2], a[k + 3]
    one = np.float32(1.0)
    d0 = t[k]
    c0 = one / d0
    tu, tv, tw = t[k + 1] * c0, t[k + 2] * c0, t[k + 3] * c0
    d1 = u[k + 1] - tu * t[k + 1]
    c1 = one / d1
    uv, uw = u[k + 2] - tu * t[k + 2], u[k + 3] - tu * t[k + 3]
    d2 = v[k + 2] - tv * t[k + 2] - uv * c1 * uv
    c2 = one / d2
    vw = v[k + 3] - tv * t[k + 3] - uv * c1 * uw
    d3 = w[k + 3] - tw * t[k + 3] - uw * c1 * uw - vw * c2 * vw
    if not (d0 > 0.0 and d1 > 0.0 and d2 > 0.0 and d3 > 0.0):
        return False
    inverse[k], inverse[k + 1], inverse[k + 2], inverse[k + 3] = c0, c1, c2, one / d3
    uv, uw, vw = uv * c1, uw * c1, vw * c2
    for j in range(t.shape[0]):
        x = t[j]
        y = u[j] - tu * x
        z = v[j] - tv * x - uv * y
        u[j], v[j] = y, z
        w[j] -= tw * x + uw * y + vw * z
    return True


@fast_part
def _substitute_back(a, inverse):
    """Solve U x = y, with D y in column R of ``a`` and 1 / D in ``inverse`` (R,), which becomes x."""
    rows = a.shape[0]
    for k in range(rows - BLOCK, -1, -BLOCK):
        p, q, r, s = a[k], a[k + 1], a[k + 2], a[k + 3]
        t, u, v, w = p[rows], q[rows], r[rows], s[rows]
        for j in range(k + BLOCK, rows):
            x = inverse[j]
            t -= p[j] * x
            u -= q[j] * x
            v -= r[j] * x
            w -= s[j] * x
        w *= inverse[k + 3]
        v = (v - r[k + 3] * w) * inverse[k + 2]
        u = (u - q[k + 2] * v - q[k + 3] * w) * inverse[k + 1]
        t = (t - p[k + 1] * u - p[k + 2] * v - p[k + 3] * w) * inverse[k]
        inverse[k], inverse[k + 1], inverse[k + 2], inverse[k + 3] = t, u, v, w


@fast_part
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


@fast_part
def _residual(shape, glob, rotation, target, out):
    """Target minus projection into ``out`` (2n,)."""
    n = shape.shape[1]
    s = glob[0]
    for a in range(2):
        r0 = s * np.float32(rotation[a, 0])
        r1 = s * np.float32(rotation[a, 1])
        r2 = s * np.float32(rotation[a, 2])
        t = glob[4 + a]
        o = a * n
        for i in range(n):
            out[o + i] = target[a, i] - (r0 * shape[0, i] + r1 * shape[1, i] + r2 * shape[2, i] + t)


@fast_part
def _length(values):
    """Euclidean norm."""
    total = np.float32(0.0)
    for i in range(values.shape[0]):
        total += values[i] * values[i]
    return np.float32(math.sqrt(total))


@fast_kernel
def fit_points(mean, basis, gram, eigenvalues, target, glob, local):
    """Parameters from 2D landmarks ``target`` (2, n) into ``glob`` (6,) and ``local`` (m,).

    Regularised Gauss-Newton with the original's stopping rule; returns the iterations. The caller has
    restricted the model to the points that are present.
    """
    m, _, n = basis.shape
    size = 6 + m
    for j in range(m):
        local[j] = np.float32(0.0)
    _start_from_box(mean, target, n, glob)
    shape = np.empty((3, n), np.float32)
    rotation = np.empty((3, 3))
    jac = np.empty((size + 1, 2 * n), np.float32)
    system = equations(size)
    step = np.empty(size, np.float32)
    right = system.shape[0]
    residual = jac[size]
    rotation_of(glob, rotation)
    object_shape(mean, basis, local, shape)
    _residual(shape, glob, rotation, target, residual)
    error = _length(residual)
    worse = 0
    for iteration in range(1000):
        jacobian(shape, basis, glob[0], rotation, m, jac)
        unweighted_normal_equations(jac, gram, glob[0], rotation, size, system)
        for j in range(m):
            inverse = np.float32(1.0) / eigenvalues[j]
            system[6 + j, right] -= local[j] * inverse
            system[6 + j, 6 + j] += inverse
        cholesky_solve(system, size, step)
        for k in range(size):
            step[k] *= np.float32(0.75)
        move(step, m, glob, local)
        rotation_of(glob, rotation)
        # The original tests the new pose with the old 3D shape; docs/algorithms/point-distribution-model.md.
        _residual(shape, glob, rotation, target, residual)
        new_error = _length(residual)
        if np.float32(0.999) * error < new_error:
            worse += 1
            if worse == 3:
                return iteration + 1
        error = new_error
        object_shape(mean, basis, local, shape)
        _residual(shape, glob, rotation, target, residual)
    return 1000


@fast_part
def move(step, modes, glob, local):
    """Add a step (scale, rotation, translation, modes) to the parameters in place."""
    glob[0] += step[0]
    rotate_euler(glob[1:4], np.float64(step[1]), np.float64(step[2]), np.float64(step[3]))
    glob[4] += step[4]
    glob[5] += step[5]
    for j in range(modes):
        local[j] += step[6 + j]


@fast_kernel
def shape_3d(mean, basis, local, out):
    """The object shape into ``out`` (n, 3)."""
    shape = np.empty(mean.shape, np.float32)
    object_shape(mean, basis, local, shape)
    for i in range(shape.shape[1]):
        out[i, 0], out[i, 1], out[i, 2] = shape[0, i], shape[1, i], shape[2, i]


@fast_kernel
def shape_2d(mean, basis, glob, local, out):
    """The shape in the image into ``out`` (n, 2)."""
    shape = np.empty(mean.shape, np.float32)
    points = np.empty((2, mean.shape[1]), np.float32)
    rotation = np.empty((3, 3))
    rotation_of(glob, rotation)
    object_shape(mean, basis, local, shape)
    project(shape, glob, rotation, points)
    for i in range(points.shape[1]):
        out[i, 0], out[i, 1] = points[0, i], points[1, i]


@fast_kernel
def shape_depth(mean, basis, glob, local, out):
    """Z of the rotated object shape into ``out`` (n,)."""
    shape = np.empty(mean.shape, np.float32)
    angles = np.empty(3)
    for k in range(3):
        angles[k] = glob[1 + k]
    rotation = np.empty((3, 3))
    euler_to_matrix(angles, rotation)
    object_shape(mean, basis, local, shape)
    x, y, z = np.float32(rotation[2, 0]), np.float32(rotation[2, 1]), np.float32(rotation[2, 2])
    for i in range(shape.shape[1]):
        out[i] = shape[0, i] * x + shape[1, i] * y + shape[2, i] * z

"""Kernels of landmark fitting: views, reference frame, NU-RLMS (docs/algorithms/fitting-nu-rlms.md).

Layout: landmarks (2, n) float32; response maps (w², P), one row per position of the window (row-major,
row = y), so that the mean shifts of all landmarks are computed side by side; P is n, padded to whole vectors.
"""

from __future__ import annotations

import math

import numpy as np

from mien.landmarks.math_kernels import exp32
from mien.runtime.jit import fast_kernel, fast_part, kernel, part, sum_part
from mien.shape.kernels import (
    cholesky_solve,
    equations,
    jacobian,
    move,
    normal_equations,
    object_shape,
    project,
    rotation_of,
    unweighted_normal_equations,
)


@kernel
def nearest_view(glob, centers):
    """Index of the view centre (V, 3), rad, closest to the orientation in ``glob``; the first wins ties."""
    rx, ry, rz = glob[1], glob[2], glob[3]
    best = 0
    best_distance = np.inf
    for v in range(centers.shape[0]):
        distance = (rx - centers[v, 0]) ** 2 + (ry - centers[v, 1]) ** 2 + (rz - centers[v, 2]) ** 2
        if distance < best_distance:
            best_distance = distance
            best = v
    return best


@fast_part
def _centre(points, out):
    """Remove the mean of each axis and return the root of the summed squares over n; sums in float64."""
    n = points.shape[1]
    total = 0.0
    for a in range(2):
        mean = 0.0
        for i in range(n):
            mean += np.float64(points[a, i])
        mean /= n
        for i in range(n):
            out[a, i] = np.float64(points[a, i]) - mean
        # Not in the same loop: see `mien.runtime.jit`.
        for i in range(n):
            total += out[a, i] * out[a, i]
    return math.sqrt(total / n)


@fast_kernel
def place_reference(mean, basis, glob, local, scale, base, similarity):
    """Current landmarks and the similarity between image and reference frame.

    ``base`` (2, n) becomes the projected shape; ``similarity`` (4,) becomes A00, A10 (image to reference)
    and B00, B10 (reference to image); a similarity is [[c, -s], [s, c]].
    """
    n = mean.shape[1]
    shape = np.empty((3, n), np.float32)
    rotation = np.empty((3, 3))
    object_shape(mean, basis, local, shape)
    rotation_of(glob, rotation)
    project(shape, glob, rotation, base)
    reference = np.empty((2, n))
    for a in range(2):
        for i in range(n):
            reference[a, i] = np.float32(scale) * shape[a, i]
    image = np.empty((2, n))
    spread_image = _centre(base, image)
    spread_reference = _centre(reference, reference)
    sine = 0.0
    cosine = 0.0
    for i in range(n):
        cosine += image[0, i] * reference[0, i] + image[1, i] * reference[1, i]
        sine += image[0, i] * reference[1, i] - image[1, i] * reference[0, i]
    length = math.sqrt(cosine * cosine + sine * sine)
    factor = spread_reference / spread_image
    c = factor * cosine / length
    s = factor * sine / length
    similarity[0] = c
    similarity[1] = s
    square = c * c + s * s
    similarity[2] = c / square
    similarity[3] = -s / square


@kernel
def kernel_table(window, sigma, out):
    """One axis of the mean-shift kernel on its 0.1-px grid, into ``out`` (w, 10 w) float32."""
    a = -0.5 / (np.float64(sigma) * np.float64(sigma))
    for k in range(10 * window):
        for c in range(window):
            d = np.float64(np.float32(k) * np.float32(0.1)) - c
            out[c, k] = np.float32(math.exp(a * d * d))


@part
def _grid_index(value, limit):
    """Clamp a position to the map and find its kernel; NaN counts as 0, or it would index outside."""
    d = np.float32(0.0)
    if value > np.float32(0.0):
        d = min(value, limit)
    return d, np.int32(np.float64(d / np.float32(0.1)) + 0.5)


@fast_part
def mean_shifts(responses, window, table, exact_sigma, position, visible_weight, out):
    """Mean shift of every visible landmark in the reference frame into ``out`` (2, n).

    ``position`` (2, n): where each landmark stands in its response map. Invisible landmarks get 0. With
    ``exact_sigma`` > 0 the kernel has that width and stands exactly there, not on the grid of ``table``.
    """
    n = position.shape[1]
    width = responses.shape[1]
    limit = np.float32(window) - np.float32(0.1)
    kernel_x = np.empty((window, width), np.float32)
    kernel_y = np.empty((window, width), np.float32)
    clamped = np.zeros((2, width), np.float32)
    place = np.zeros((2, width), np.int32)
    for a in range(2):
        for i in range(n):
            clamped[a, i], place[a, i] = _grid_index(position[a, i], limit)
    for c in range(window):
        for i in range(width):
            kernel_x[c, i] = table[c, place[0, i]]
            kernel_y[c, i] = table[c, place[1, i]]
    if exact_sigma > 0.0:
        _place_kernels(clamped, exact_sigma, kernel_x, kernel_y)
    sums = np.empty((3, width), np.float32)
    _sum_maps(responses, window, kernel_x, kernel_y, sums)
    for i in range(n):
        if visible_weight[i] == 0.0:
            out[0, i] = np.float32(0.0)
            out[1, i] = np.float32(0.0)
        else:
            out[0, i] = sums[1, i] / sums[0, i] - clamped[0, i]
            out[1, i] = sums[2, i] / sums[0, i] - clamped[1, i]


@fast_part
def _place_kernels(position, sigma, kernel_x, kernel_y):
    """Both axes of a kernel of width ``sigma`` around every position (2, P), into (w, P) arrays."""
    a = np.float32(-0.5 / (np.float64(sigma) * np.float64(sigma)))
    for c in range(kernel_x.shape[0]):
        for i in range(kernel_x.shape[1]):
            dx = position[0, i] - np.float32(c)
            dy = position[1, i] - np.float32(c)
            kernel_x[c, i] = exp32(a * dx * dx)
            kernel_y[c, i] = exp32(a * dy * dy)


@fast_part
def _sum_maps(responses, window, kernel_x, kernel_y, out):
    """Sums over response maps under a separable kernel, all landmarks side by side.

    ``responses`` (w², P), ``kernel_x`` and ``kernel_y`` (w, P); into ``out`` (3, P), with
    q = responses[r, c] kernel_x[c] kernel_y[r]: sum q, sum c q, sum r q. Three columns at a time, so that the
    sums are read and written less often.
    """
    width = responses.shape[1]
    row_total = np.empty(width, np.float32)
    row_x = np.empty(width, np.float32)
    total, sum_x, sum_y = out[0], out[1], out[2]
    for i in range(width):
        total[i] = sum_x[i] = sum_y[i] = np.float32(0.0)
    for r in range(window):
        for i in range(width):
            row_total[i] = row_x[i] = np.float32(0.0)
        maps = responses[r * window : (r + 1) * window]
        for c in range(0, window - 2, 3):
            _add_columns(maps[c : c + 3], kernel_x[c : c + 3], c, row_total, row_x)
        for c in range(window - window % 3, window):
            line, weight = maps[c], kernel_x[c]
            for i in range(width):
                q = line[i] * weight[i]
                row_total[i] += q
                row_x[i] += np.float32(c) * q
        weight = kernel_y[r]
        for i in range(width):
            q = weight[i] * row_total[i]
            total[i] += q
            sum_x[i] += weight[i] * row_x[i]
            sum_y[i] += np.float32(r) * q


@sum_part
def _add_columns(maps, kernels, first, row_total, row_x):
    """Add three columns of a row of response maps, each under its kernel, the first of which is ``first``."""
    p, q, r = maps[0], maps[1], maps[2]
    weight_p, weight_q, weight_r = kernels[0], kernels[1], kernels[2]
    cp, cq, cr = np.float32(first), np.float32(first + 1), np.float32(first + 2)
    for i in range(row_total.shape[0]):
        x, y, z = p[i] * weight_p[i], q[i] * weight_q[i], r[i] * weight_r[i]
        row_total[i] = row_total[i] + x + y + z
        row_x[i] = row_x[i] + cp * x + cq * y + cr * z


@fast_part
def _position_in_maps(points, base, similarity, window, out):
    """D = A (S - base) + (w - 1) / 2 into ``out`` (2, n); docs/algorithms/fitting-nu-rlms.md."""
    c = np.float32(similarity[0])
    s = np.float32(similarity[1])
    half = np.float32((window - 1) // 2)
    for i in range(points.shape[1]):
        dx = points[0, i] - base[0, i]
        dy = points[1, i] - base[1, i]
        out[0, i] = c * dx - s * dy + half
        out[1, i] = s * dx + c * dy + half


@fast_part
def _clamp(eigenvalues, local):
    """Limit every mode to three standard deviations."""
    for j in range(local.shape[0]):
        bound = np.float32(3.0) * np.float32(math.sqrt(eigenvalues[j]))
        local[j] = min(max(local[j], -bound), bound)


@fast_part
def regularised_mean_shift(
    mean,
    basis,
    gram,
    eigenvalues,
    glob,
    local,
    base,
    similarity,
    responses,
    window,
    table,
    exact_sigma,
    weights,
    modes,
    regularisation,
    iterations,
    position,
):
    """One NU-RLMS call, updating ``glob`` and ``local`` in place; returns the iterations done.

    ``modes`` is 0 for the rigid call. ``weights`` (n,): 0 for invisible landmarks. ``position`` (2, n)
    becomes the position in the maps before the last update (the likelihood needs it).
    """
    n = mean.shape[1]
    size = 6 + modes
    shape = np.empty((3, n), np.float32)
    points = np.empty((2, n), np.float32)
    previous = np.empty((2, n), np.float32)
    shift = np.empty((2, n), np.float32)
    rotation = np.empty((3, 3))
    jac = np.empty((size + 1, 2 * n), np.float32)
    system = equations(size)
    step = np.empty(size, np.float32)
    uniform = True
    for i in range(n):
        uniform = uniform and weights[i] == 1.0
    weighted = jac if uniform else np.empty((size, 2 * n), np.float32)
    object_shape(mean, basis, local, shape)
    for iteration in range(iterations):
        rotation_of(glob, rotation)
        project(shape, glob, rotation, points)
        if iteration > 0 and _distance(points, previous) < 0.01:
            return iteration
        for i in range(n):
            previous[0, i] = points[0, i]
            previous[1, i] = points[1, i]
        jacobian(shape, basis, glob[0], rotation, modes, jac)
        _position_in_maps(points, base, similarity, window, position)
        mean_shifts(responses, window, table, exact_sigma, position, weights, shift)
        _turn_into_image(shift, similarity, jac[size])
        if not uniform:
            _weigh(jac, weights, weighted)
        if uniform and modes > 0:
            unweighted_normal_equations(jac, gram, glob[0], rotation, size, system)
        else:
            normal_equations(weighted, jac, size, system)
        for j in range(modes):
            r = np.float32(regularisation) / eigenvalues[j]
            system[6 + j, system.shape[0]] -= r * local[j]
            system[6 + j, 6 + j] += r
        cholesky_solve(system, size, step)
        move(step, modes, glob, local)
        if modes > 0 or iteration == 0:
            # The rigid call clamps too: a start fitted to landmarks may lie outside the bounds.
            _clamp(eigenvalues, local)
            object_shape(mean, basis, local, shape)
    return iterations


@fast_part
def _distance(points, others):
    """Euclidean norm of the difference of two shapes, over all numbers."""
    total = np.float32(0.0)
    for a in range(2):
        for i in range(points.shape[1]):
            d = points[a, i] - others[a, i]
            total += d * d
    return math.sqrt(total)


@fast_part
def _turn_into_image(shift, similarity, out):
    """Mean shifts (2, n), turned into the image frame (M = B m), into ``out`` (2n,)."""
    n = shift.shape[1]
    b00 = np.float32(similarity[2])
    b10 = np.float32(similarity[3])
    for i in range(n):
        out[i] = b00 * shift[0, i] - b10 * shift[1, i]
        out[n + i] = b10 * shift[0, i] + b00 * shift[1, i]


@fast_part
def _weigh(jac, weights, out):
    """Multiply both columns of every landmark by its weight, 0 where it is invisible."""
    n = weights.shape[0]
    for k in range(out.shape[0]):
        for i in range(n):
            out[k, i] = jac[k, i] * weights[i]
            out[k, n + i] = jac[k, n + i] * weights[i]


@fast_part
def log_likelihood(responses, window, position, visible_weight, sigma):
    """Mean over the visible landmarks of the log of the smoothed response at their place."""
    n = position.shape[1]
    width = responses.shape[1]
    places = np.zeros((2, width), np.float32)
    for i in range(n):
        places[0, i] = position[0, i]
        places[1, i] = position[1, i]
    kernel_x = np.empty((window, width), np.float32)
    kernel_y = np.empty((window, width), np.float32)
    _place_kernels(places, sigma, kernel_x, kernel_y)
    sums = np.empty((3, width), np.float32)
    _sum_maps(responses, window, kernel_x, kernel_y, sums)
    result = 0.0
    count = 0
    for i in range(n):
        if visible_weight[i] != 0.0:
            result += math.log(np.float64(sums[0, i]) + 1e-8)
            count += 1
    return result / count


@fast_kernel
def optimise_scale(
    mean,
    basis,
    gram,
    eigenvalues,
    glob,
    local,
    base,
    similarity,
    responses,
    window,
    table,
    exact,
    weights,
    regularisation,
    sigma,
    iterations,
):
    """Rigid, then full NU-RLMS on the same responses, then the likelihood.

    Returns
    -------
    likelihood; the scale of the shape after the rigid call; the iterations of the rigid and of the full call.
    """
    position = np.empty((2, mean.shape[1]), np.float32)
    taken = np.zeros(2, np.int64)
    rigid_scale = 0.0
    for stage in range(2):
        taken[stage] = regularised_mean_shift(
            mean,
            basis,
            gram,
            eigenvalues,
            glob,
            local,
            base,
            similarity,
            responses,
            window,
            table,
            sigma if exact else 0.0,
            weights,
            stage * basis.shape[0],
            regularisation,
            iterations,
            position,
        )
        if stage == 0:
            rigid_scale = np.float64(glob[0])
    likelihood = log_likelihood(responses, window, position, weights, sigma)
    return likelihood, rigid_scale, taken[0], taken[1]

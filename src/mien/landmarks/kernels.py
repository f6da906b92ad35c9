"""Kernels of landmark fitting (landmarks.md §5 and §6).

Layout: landmarks (2, n) float32; response maps (w², n): one row per position of the window (row-major,
row = y), so that the mean shifts of all landmarks are computed side by side.
"""

from __future__ import annotations

import math

import numpy as np

from mien.runtime.jit import fast_inline, fast_kernel, kernel
from mien.runtime.vector_math import LANES, ROWS, block_product, exp32
from mien.shape.kernels import (
    cholesky_solve,
    jacobian,
    move,
    normal_equations,
    object_shape,
    project,
    rotation_of,
)

SUPPORT = 11
TAPS = SUPPORT * SUPPORT


@kernel
def nearest_view(rx, ry, rz, centers):
    """Index of the view centre (V, 3) closest to the orientation, rad; the first wins ties; §5.1."""
    best = 0
    best_distance = np.inf
    for v in range(centers.shape[0]):
        distance = (rx - centers[v, 0]) ** 2 + (ry - centers[v, 1]) ** 2 + (rz - centers[v, 2]) ** 2
        if distance < best_distance:
            best_distance = distance
            best = v
    return best


@fast_kernel
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
            v = np.float64(points[a, i]) - mean
            out[a, i] = v
            total += v * v
    return math.sqrt(total / n)


@fast_kernel
def place_reference(mean, basis, glob, local, scale, base, similarity):
    """Current landmarks and the similarity between image and reference frame; §5.2.

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
def area_of_interest(gray, x, y, b00, b10, side, out):
    """Warp a ``side`` x ``side`` area centred on (x, y) into the first side² of ``out`` float32; §5.3.

    ``gray`` (H, W) uint8. The 1/32-px grid makes every value a multiple of 1/1024, so integer sums are exact.
    """
    height, width = gray.shape
    half = np.float32(side - 1.0) / np.float32(2.0)
    a = np.float32(b00)
    b = np.float32(b10)
    m02 = np.float64((np.float32(x) - a * half) + b * half)
    m12 = np.float64((np.float32(y) - a * half) - b * half)
    column_x = np.empty(side, np.int32)
    column_y = np.empty(side, np.int32)
    for u in range(side):
        column_x[u] = np.int32(np.rint(1024.0 * np.float64(a) * u))
        column_y[u] = np.int32(np.rint(1024.0 * np.float64(b) * u))
    index = np.empty(side, np.int32)
    part_x = np.empty(side, np.int32)
    part_y = np.empty(side, np.int32)
    for v in range(side):
        row_x = np.int32(np.rint(1024.0 * (-np.float64(b) * v + m02))) + np.int32(16)
        row_y = np.int32(np.rint(1024.0 * (np.float64(a) * v + m12))) + np.int32(16)
        x_first, x_last = (row_x + column_x[0]) >> 10, (row_x + column_x[side - 1]) >> 10
        y_first, y_last = (row_y + column_y[0]) >> 10, (row_y + column_y[side - 1]) >> 10
        row = out[v * side : (v + 1) * side]
        if (
            min(x_first, x_last) >= 0
            and max(x_first, x_last) < width - 1
            and min(y_first, y_last) >= 0
            and max(y_first, y_last) < height - 1
        ):
            for u in range(side):
                px = (row_x + column_x[u]) >> np.int32(5)
                py = (row_y + column_y[u]) >> np.int32(5)
                index[u] = (py >> np.int32(5)) * np.int32(width) + (px >> np.int32(5))
                part_x[u] = px & np.int32(31)
                part_y[u] = py & np.int32(31)
            _interpolate_row(gray.reshape(-1), width, index, part_x, part_y, row)
        else:
            for u in range(side):
                row[u] = _sample_with_border(gray, (row_x + column_x[u]) >> 5, (row_y + column_y[u]) >> 5)


@kernel
def _interpolate_row(pixels, width, index, part_x, part_y, out):
    """Bilinear samples at flat indices of the upper left neighbours; all neighbours lie in the image."""
    below = np.uint32(width)
    one = np.uint32(1)
    for u in range(out.shape[0]):
        k = np.uint32(index[u])
        fx = part_x[u]
        fy = part_y[u]
        upper = (np.int32(32) - fx) * np.int32(pixels[k]) + fx * np.int32(pixels[k + one])
        lower = (np.int32(32) - fx) * np.int32(pixels[k + below]) + fx * np.int32(pixels[k + below + one])
        out[u] = np.float32((np.int32(32) - fy) * upper + fy * lower) * np.float32(1.0 / 1024.0)


@kernel
def _sample_with_border(gray, px, py):
    """One bilinear sample at 1/32-px coordinates; every neighbour outside the image counts as 0."""
    height, width = gray.shape
    ix = px >> 5
    iy = py >> 5
    fx = px & 31
    fy = py & 31
    total = 0
    for dy in range(2):
        for dx in range(2):
            if 0 <= ix + dx < width and 0 <= iy + dy < height:
                weight = (fx if dx else 32 - fx) * (fy if dy else 32 - fy)
                total += weight * np.int64(gray[iy + dy, ix + dx])
    return np.float32(total) * np.float32(1.0 / 1024.0)


@kernel
def exact_area_of_interest(gray, x, y, b00, b10, side, out):
    """Warp like `area_of_interest`, but with exact bilinear weights: without the grid; §13 item 2."""
    height, width = gray.shape
    half = 0.5 * (side - 1)
    for v in range(side):
        for u in range(side):
            px = x + b00 * (u - half) - b10 * (v - half)
            py = y + b10 * (u - half) + b00 * (v - half)
            value = 0.0
            if -1.0 < px < width and -1.0 < py < height:
                ix = math.floor(px)
                iy = math.floor(py)
                fx = px - ix
                fy = py - iy
                for dy in range(2):
                    for dx in range(2):
                        if 0 <= ix + dx < width and 0 <= iy + dy < height:
                            weight = (fx if dx else 1.0 - fx) * (fy if dy else 1.0 - fy)
                            value += weight * gray[iy + dy, ix + dx]
            out[v * side + u] = np.float32(value)


@fast_kernel
def window_statistics(area, side, window, mean, inverse_norm):
    """Mean and 1 / L2 norm (1 where it is 0) of every 11 x 11 window of an area; §5.4.

    ``mean``, ``inverse_norm`` (w, 16) float32, the row's first w entries are set. Sums are float64, in which
    they are exact, so neither the sliding sums nor the cancellation in the norm lose anything.
    """
    sums = np.zeros(side)
    squares = np.zeros(side)
    for k in range(SUPPORT):
        row = area[k * side : (k + 1) * side]
        for c in range(side):
            v = np.float64(row[c])
            sums[c] += v
            squares[c] += v * v
    for r in range(window):
        for c in range(window):
            s = 0.0
            s2 = 0.0
            for k in range(SUPPORT):
                s += sums[c + k]
                s2 += squares[c + k]
            m = s / TAPS
            norm2 = s2 - s * m
            mean[r, c] = np.float32(m)
            inverse_norm[r, c] = np.float32(1.0 / math.sqrt(norm2)) if norm2 > 0.0 else np.float32(1.0)
        if r + 1 < window:
            leaving = area[r * side : (r + 1) * side]
            entering = area[(r + SUPPORT) * side : (r + SUPPORT + 1) * side]
            for c in range(side):
                old = np.float64(leaving[c])
                new = np.float64(entering[c])
                sums[c] += new - old
                squares[c] += new * new - old * old


@fast_inline
def ccnf_potential(area, side, window, weights, weight_sums, neurons, scratch, out):
    """Sum over the neurons of one patch expert at every position, b of §5.4, into ``out`` (w²,).

    ``area`` (side² + 16,); ``weights`` (121, 7), rows ordered column by column of the filter;
    ``weight_sums`` (7,); ``neurons`` (3, 7): norm, bias, 2 alpha (0 = skipped); ``scratch`` (10, w, 16).
    The contrast normalisation is applied to the correlations instead of the pixels:
    <W, (x - mean) / norm> = (<W, x> - mean sum(W)) / norm.
    """
    correlation = scratch[:ROWS]
    mean = scratch[ROWS]
    inverse_norm = scratch[ROWS + 1]
    total = scratch[ROWS + 2]
    window_statistics(area, side, window, mean, inverse_norm)
    # Correlating deviations from the mean grey level keeps the float32 sums small; a whole level is exact.
    level = np.float32(0.0)
    for k in range(side * side):
        level += area[k]
    level = np.float32(np.rint(level / np.float32(side * side)))
    for k in range(side * side):
        area[k] -= level
    for r in range(window):
        block_product(
            area.ctypes.data + 4 * r * side,
            SUPPORT,
            1,
            SUPPORT,
            side,
            weights.ctypes.data,
            ROWS,
            correlation.ctypes.data + 4 * r * LANES,
            window * LANES,
        )
    sums = total.reshape(-1)
    level_mean = mean.reshape(-1)
    scale = inverse_norm.reshape(-1)
    size = window * LANES
    for p in range(size):
        sums[p] = np.float32(0.0)
        level_mean[p] -= level
    for j in range(ROWS):
        amplitude = neurons[2, j]
        if amplitude == 0.0:
            continue
        gain = neurons[0, j]
        bias = neurons[1, j]
        weight_sum = weight_sums[j]
        values = correlation[j].reshape(-1)
        for p in range(size):
            z = gain * ((values[p] - level_mean[p] * weight_sum) * scale[p]) + bias
            sums[p] += amplitude / (np.float32(1.0) + exp32(-z))
    for r in range(window):
        for c in range(window):
            out[r * window + c] = total[r, c]


@fast_inline
def _smooth(sigma, potential, out):
    """Product of the symmetric matrix ``sigma`` (w², w²) with ``potential``, four rows at a time."""
    size = potential.shape[0]
    for p in range(size):
        out[p] = np.float32(0.0)
    whole = size - size % 4
    for k in range(0, whole, 4):
        b0 = potential[k]
        b1 = potential[k + 1]
        b2 = potential[k + 2]
        b3 = potential[k + 3]
        r0 = sigma[k]
        r1 = sigma[k + 1]
        r2 = sigma[k + 2]
        r3 = sigma[k + 3]
        for p in range(size):
            out[p] += b0 * r0[p] + b1 * r1[p] + b2 * r2[p] + b3 * r3[p]
    for k in range(whole, size):
        b0 = potential[k]
        r0 = sigma[k]
        for p in range(size):
            out[p] += b0 * r0[p]


@fast_kernel
def ccnf_responses(
    gray, points, similarity, window, visible, weights, weight_sums, neurons, sigma, sigma_scale, exact, out
):
    """Response maps of all visible landmarks of one scale and view into ``out`` (w², n); §5.3, §5.4.

    ``weights`` (n, 121, 7), ``weight_sums`` (n, 7), ``neurons`` (n, 3, 7) as in `ccnf_potential`;
    ``sigma`` (n, w², w²), or (n, 0, 0) where it is diagonal with ``sigma_scale`` (n,). Windows up to 16.
    ``exact`` warps without the 1/32-px grid.
    """
    positions = window * window
    side = window + SUPPORT - 1
    area = np.zeros(side * side + LANES, np.float32)
    scratch = np.zeros((ROWS + 3, window, LANES), np.float32)
    potential = np.empty(positions, np.float32)
    response = np.empty(positions, np.float32)
    for i in range(points.shape[1]):
        if not visible[i]:
            for p in range(positions):
                out[p, i] = np.float32(0.0)
            continue
        if exact:
            exact_area_of_interest(gray, points[0, i], points[1, i], similarity[2], similarity[3], side, area)
        else:
            area_of_interest(gray, points[0, i], points[1, i], similarity[2], similarity[3], side, area)
        ccnf_potential(area, side, window, weights[i], weight_sums[i], neurons[i], scratch, potential)
        if sigma.shape[1] == positions:
            _smooth(sigma[i], potential, response)
        else:
            for p in range(positions):
                response[p] = potential[p] * sigma_scale[i]
        lowest = np.float32(0.0)
        for p in range(positions):
            lowest = min(lowest, response[p])
        for p in range(positions):
            out[p, i] = response[p] - lowest


@kernel
def kernel_table(window, sigma, out):
    """One axis of the mean-shift kernel on its 0.1-px grid, into ``out`` (10 w, w) float32; §6.5."""
    a = -0.5 / (np.float64(sigma) * np.float64(sigma))
    for k in range(10 * window):
        for c in range(window):
            d = np.float64(np.float32(k) * np.float32(0.1)) - c
            out[k, c] = np.float32(math.exp(a * d * d))


@kernel
def _grid_index(value, limit):
    """Clamp a position to the map and find its kernel; NaN counts as 0, or it would index outside; §6.5."""
    d = np.float32(0.0)
    if value > np.float32(0.0):
        d = min(value, limit)
    return d, np.int64(np.float64(d / np.float32(0.1)) + 0.5)


@fast_inline
def mean_shifts(responses, window, table, exact_sigma, position, visible_weight, out):
    """Mean shift of every visible landmark in the reference frame into ``out`` (2, n); §6.5.

    ``position`` (2, n): where each landmark stands in its response map. Invisible landmarks get 0. With
    ``exact_sigma`` > 0 the kernel has that width and stands exactly there, not on the grid of ``table``.
    """
    n = position.shape[1]
    limit = np.float32(window) - np.float32(0.1)
    kernel_x = np.empty((window, n), np.float32)
    kernel_y = np.empty((window, n), np.float32)
    clamped = np.empty((2, n), np.float32)
    for i in range(n):
        dx, kx = _grid_index(position[0, i], limit)
        dy, ky = _grid_index(position[1, i], limit)
        clamped[0, i] = dx
        clamped[1, i] = dy
        for c in range(window):
            kernel_x[c, i] = table[kx, c]
            kernel_y[c, i] = table[ky, c]
    if exact_sigma > 0.0:
        a = np.float32(-0.5 / (np.float64(exact_sigma) * np.float64(exact_sigma)))
        for c in range(window):
            for i in range(n):
                dx = clamped[0, i] - np.float32(c)
                dy = clamped[1, i] - np.float32(c)
                kernel_x[c, i] = exp32(a * dx * dx)
                kernel_y[c, i] = exp32(a * dy * dy)
    total = np.zeros(n, np.float32)
    sum_x = np.zeros(n, np.float32)
    sum_y = np.zeros(n, np.float32)
    row_total = np.empty(n, np.float32)
    row_x = np.empty(n, np.float32)
    for r in range(window):
        for i in range(n):
            row_total[i] = np.float32(0.0)
            row_x[i] = np.float32(0.0)
        for c in range(window):
            column = np.float32(c)
            p = r * window + c
            for i in range(n):
                q = responses[p, i] * kernel_x[c, i]
                row_total[i] += q
                row_x[i] += column * q
        row = np.float32(r)
        for i in range(n):
            q = kernel_y[r, i] * row_total[i]
            total[i] += q
            sum_y[i] += row * q
            sum_x[i] += kernel_y[r, i] * row_x[i]
    for i in range(n):
        if visible_weight[i] == 0.0:
            out[0, i] = np.float32(0.0)
            out[1, i] = np.float32(0.0)
        else:
            out[0, i] = sum_x[i] / total[i] - clamped[0, i]
            out[1, i] = sum_y[i] / total[i] - clamped[1, i]


@fast_inline
def _position_in_maps(points, base, similarity, window, out):
    """D = A (S - base) + (w - 1) / 2 into ``out`` (2, n); §6.5."""
    c = np.float32(similarity[0])
    s = np.float32(similarity[1])
    half = np.float32((window - 1) // 2)
    for i in range(points.shape[1]):
        dx = points[0, i] - base[0, i]
        dy = points[1, i] - base[1, i]
        out[0, i] = c * dx - s * dy + half
        out[1, i] = s * dx + c * dy + half


@fast_inline
def _clamp(eigenvalues, local):
    """Limit every mode to three standard deviations; §4.7."""
    for j in range(local.shape[0]):
        bound = np.float32(3.0) * np.float32(math.sqrt(eigenvalues[j]))
        local[j] = min(max(local[j], -bound), bound)


@fast_inline
def regularised_mean_shift(
    mean,
    basis,
    packed_basis,
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
    """One NU-RLMS call, updating ``glob`` and ``local`` in place; returns the iterations done; §6.5.

    ``modes`` is 0 for the rigid call. ``weights`` (n,): 0 for invisible landmarks. ``position`` (2, n)
    becomes the position in the maps before the last update (the likelihood needs it).
    """
    n = mean.shape[1]
    size = 6 + modes
    width = packed_basis.shape[2] if modes > 0 else LANES
    shape = np.empty((3, n), np.float32)
    points = np.empty((2, n), np.float32)
    previous = np.empty((2, n), np.float32)
    shift = np.empty((2, n), np.float32)
    rotation = np.empty((3, 3))
    jac = np.zeros((2 * n, width), np.float32)
    system = np.empty(((size + ROWS - 1) // ROWS * ROWS, width), np.float32)
    step = np.empty(size, np.float32)
    uniform = True
    for i in range(n):
        uniform = uniform and weights[i] == 1.0
    weighted = jac if uniform else np.zeros((2 * n, width), np.float32)
    object_shape(mean, basis, local, shape)
    for iteration in range(iterations):
        rotation_of(glob, rotation)
        project(shape, glob, rotation, points)
        if iteration > 0 and _distance(points, previous) < 0.01:
            return iteration
        for i in range(n):
            previous[0, i] = points[0, i]
            previous[1, i] = points[1, i]
        jacobian(shape, packed_basis, glob[0], rotation, modes, jac)
        _position_in_maps(points, base, similarity, window, position)
        mean_shifts(responses, window, table, exact_sigma, position, weights, shift)
        _append_image_shifts(shift, similarity, jac, size)
        if not uniform:
            _weigh_rows(jac, weights, weighted)
        normal_equations(weighted, jac, size, system)
        for j in range(modes):
            r = np.float32(regularisation) / eigenvalues[j]
            system[6 + j, size] -= r * local[j]
            system[6 + j, 6 + j] += r
        cholesky_solve(system, size, step)
        move(step, modes, glob, local)
        if modes > 0 or iteration == 0:
            # The rigid call clamps too: a start fitted to landmarks may lie outside the bounds (§4.7).
            _clamp(eigenvalues, local)
            object_shape(mean, basis, local, shape)
    return iterations


@fast_inline
def _distance(points, others):
    """Euclidean norm of the difference of two shapes, over all numbers."""
    total = np.float32(0.0)
    for a in range(2):
        for i in range(points.shape[1]):
            d = points[a, i] - others[a, i]
            total += d * d
    return math.sqrt(total)


@fast_inline
def _append_image_shifts(shift, similarity, jac, column):
    """Write mean shifts, turned into the image frame (M = B m), into a column of the Jacobian; §6.5."""
    n = shift.shape[1]
    b00 = np.float32(similarity[2])
    b10 = np.float32(similarity[3])
    for i in range(n):
        jac[i, column] = b00 * shift[0, i] - b10 * shift[1, i]
        jac[n + i, column] = b10 * shift[0, i] + b00 * shift[1, i]


@fast_inline
def _weigh_rows(jac, weights, out):
    """Multiply both rows of every landmark by its weight, 0 where it is invisible."""
    n = weights.shape[0]
    for a in range(2):
        for i in range(n):
            source = jac[a * n + i]
            target = out[a * n + i]
            weight = weights[i]
            for k in range(jac.shape[1]):
                target[k] = source[k] * weight


@fast_inline
def log_likelihood(responses, window, position, visible_weight, sigma):
    """Mean over the visible landmarks of the log of the smoothed response at their place; §6.6."""
    n = position.shape[1]
    a = np.float32(-0.5 / (np.float64(sigma) * np.float64(sigma)))
    kernel_x = np.empty((window, n), np.float32)
    total = np.zeros(n, np.float32)
    row_total = np.empty(n, np.float32)
    for c in range(window):
        for i in range(n):
            d = position[0, i] - np.float32(c)
            kernel_x[c, i] = exp32(a * d * d)
    for r in range(window):
        for i in range(n):
            row_total[i] = np.float32(0.0)
        for c in range(window):
            for i in range(n):
                row_total[i] += responses[r * window + c, i] * kernel_x[c, i]
        for i in range(n):
            d = position[1, i] - np.float32(r)
            total[i] += row_total[i] * exp32(a * d * d)
    result = 0.0
    count = 0
    for i in range(n):
        if visible_weight[i] != 0.0:
            result += math.log(np.float64(total[i]) + 1e-8)
            count += 1
    return result / count


@fast_kernel
def optimise_scale(
    mean,
    basis,
    packed_basis,
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
    report,
):
    """Rigid, then full NU-RLMS on the same responses, then the likelihood (returned); §6.3 steps 4 and 5.

    ``report`` (4,) float64 becomes the iterations and the scale of the shape after the rigid call, then the
    same after the full call.
    """
    position = np.empty((2, mean.shape[1]), np.float32)
    for stage in range(2):
        report[2 * stage] = regularised_mean_shift(
            mean,
            basis,
            packed_basis,
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
        report[2 * stage + 1] = glob[0]
    return log_likelihood(responses, window, position, weights, sigma)

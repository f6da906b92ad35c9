"""Kernels of the alignment and of the FHOG descriptor (docs/algorithms/alignment-and-fhog.md).

The alignment reproduces the original bit for bit, so its number types are part of the algorithm: every
``np.float32`` below rounds where the original rounds.
"""

from __future__ import annotations

import math

import numpy as np

from mien.runtime.jit import kernel, part

LANE = 21
"""Bits between the three channels that one 64-bit integer carries through the bilinear blend."""

WINDOW = 128
"""Columns that the gradients look at in one go; a constant, so that their loop vectorises."""


@part
def _singular_vectors(u, v):
    """Singular vectors of a 2 x 2 matrix by Jacobi (docs/algorithms/alignment-and-fhog.md#bit-for-bit).

    ``u`` (2, 2) float32 holds the matrix's columns as its rows, and receives U's; ``v`` receives V's.
    """
    v[0, 0], v[0, 1], v[1, 0], v[1, 1] = 1.0, 0.0, 0.0, 1.0
    na = nb = 0.0
    for _ in range(30):
        na = np.float64(u[0, 0]) * u[0, 0] + np.float64(u[0, 1]) * u[0, 1]
        nb = np.float64(u[1, 0]) * u[1, 0] + np.float64(u[1, 1]) * u[1, 1]
        p = np.float64(u[0, 0]) * u[1, 0] + np.float64(u[0, 1]) * u[1, 1]
        if not abs(p) > 2.0 * 2.0**-23 * math.sqrt(na * nb):
            break
        p *= 2.0
        d = na - nb
        h = math.hypot(p, d)
        if d < 0.0:
            sn = np.float32(math.sqrt((h - d) * 0.5 / h))
            cs = np.float32(p / (h * sn * 2.0))
        else:
            cs = np.float32(math.sqrt((h + d) / (h * 2.0)))
            sn = np.float32(p / (h * cs * 2.0))
        for k in range(2):
            a, b = u[0, k], u[1, k]
            u[0, k] = np.float32(cs * a) + np.float32(sn * b)
            u[1, k] = np.float32(cs * b) - np.float32(sn * a)
            a, b = v[0, k], v[1, k]
            v[0, k] = np.float32(cs * a) + np.float32(sn * b)
            v[1, k] = np.float32(cs * b) - np.float32(sn * a)
    first = 1 if na < nb else 0
    ra = np.float32(1.0 / math.sqrt(na))
    rb = np.float32(1.0 / math.sqrt(nb))
    for k in range(2):
        a, b = u[0, k] * ra, u[1, k] * rb
        u[first, k], u[1 - first, k] = a, b
        a, b = v[0, k], v[1, k]
        v[first, k], v[1 - first, k] = a, b


@kernel
def similarity(points, rigid, reference, reference_size, translation, centre, matrix):
    """Warp matrix W (2, 3) float32, source to aligned face, into ``matrix``.

    ``points`` (n, 2) float32; ``reference`` (r, 2) float32 the normalised reference of the ``rigid`` points;
    ``translation`` (2,) float32 the fitted tx, ty; ``centre`` (2,) float32 px where they go. False where the
    points coincide, so that the matrix is not finite.
    """
    count = rigid.shape[0]
    source = np.empty((count, 2), np.float32)
    squares = 0.0
    for a in range(2):
        total = 0.0
        for i in range(count):
            total += points[rigid[i], a]
        mean = np.float32(total / count)
        for i in range(count):
            source[i, a] = points[rigid[i], a] - mean
            squares += source[i, a] * source[i, a]
    size = np.float32(math.sqrt(squares / count))
    inverse = np.float32(1.0 / np.float64(size))
    u = np.empty((2, 2), np.float32)
    v = np.empty((2, 2), np.float32)
    for r in range(2):
        for c in range(2):
            total = 0.0
            for i in range(count):
                total += np.float64(np.float32(source[i, r] * inverse)) * reference[i, c]
            u[c, r] = total
    _singular_vectors(u, v)
    det_u = np.float64(u[0, 0]) * u[1, 1] - np.float64(u[0, 1]) * u[1, 0]
    det_v = np.float64(v[0, 0]) * v[1, 1] - np.float64(v[0, 1]) * v[1, 0]
    sign = 1.0 if det_u * det_v > 0.0 else -1.0
    scale = np.float32(reference_size / size)
    for r in range(2):
        for c in range(2):
            matrix[r, c] = scale * np.float32(np.float64(v[0, r]) * u[0, c] + sign * v[1, r] * u[1, c])
        moved = np.float32(matrix[r, 0] * translation[0]) + np.float32(matrix[r, 1] * translation[1])
        matrix[r, 2] = centre[r] - moved
    return _is_finite(matrix)


@part
def _is_finite(matrix):
    """Whether all of a matrix is finite."""
    finite = True
    for value in matrix.flat:
        finite = finite and math.isfinite(value)
    return finite


@part
def _last_inside(xi, rise, dy):
    """Outermost x with rise - dy (x - xi) >= 0: the largest for dy > 0, the smallest for dy < 0.

    Found by division, then corrected with the side test itself, which is monotonic in x.
    """
    step = 1.0 if dy > 0.0 else -1.0
    x = step * math.floor(step * (xi + rise / dy))
    if rise - dy * (x + step - xi) >= 0.0:
        return x + step
    if rise - dy * (x - xi) < 0.0:
        return x - step
    return x


@part
def mark_triangle(xs, ys, weight, spans):
    """Add one triangle to ``spans`` (height, width + 1): ``weight`` where a row enters, less after it.

    Edges belong to the triangle, and it claims nothing outside its bounding box.
    """
    height, width = spans.shape[0], spans.shape[1] - 1
    left, right, top, bottom = xs[0], xs[0], ys[0], ys[0]
    for k in range(1, 3):
        left = xs[k] if xs[k] < left else left
        right = xs[k] if xs[k] > right else right
        top = ys[k] if ys[k] < top else top
        bottom = ys[k] if ys[k] > bottom else bottom
    left = math.ceil(left) if left > 0.0 else 0.0
    right = math.floor(right) if right < width - 1.0 else width - 1.0
    first = np.int64(math.ceil(top)) if top > 0.0 else 0
    last = np.int64(math.floor(bottom)) if bottom < height - 1.0 else height - 1
    for y in range(first, last + 1):
        low, high = left, right
        for k in range(3):
            i, j = (k + 1) % 3, (k + 2) % 3
            dx = xs[j] - xs[i]
            dy = ys[j] - ys[i]
            side = dx * (ys[k] - ys[i]) - dy * (xs[k] - xs[i])
            if side == 0.0:
                continue
            if side < 0.0:
                dx, dy = -dx, -dy
            rise = dx * (y - ys[i])
            if dy == 0.0:
                high = high if rise >= 0.0 else low - 1.0
            else:
                x = _last_inside(xs[i], rise, dy)
                if dy > 0.0:
                    high = x if x < high else high
                else:
                    low = x if x > low else low
        if low <= high:
            spans[y, np.int64(low)] += weight
            spans[y, np.int64(high) + 1] -= weight


@part
def mark_outline(points, folded, outline, spans):
    """Add the winding number of the mesh's outline to ``spans``; False, and nothing done, in a rare position.

    ``outline`` (e, 4): the ends of an edge, the opposite corner and the index of its triangle. A row exactly
    through a corner of the outline is left to the caller's slow way.
    """
    for s in range(outline.shape[0]):
        y = np.float64(points[outline[s, 0], 1])
        if y == math.floor(y):
            return False
    height, width = spans.shape[0], spans.shape[1] - 1
    for s in range(outline.shape[0]):
        i, j, k = outline[s, 0], outline[s, 1], outline[s, 2]
        xi, yi, yj = np.float64(points[i, 0]), np.float64(points[i, 1]), np.float64(points[j, 1])
        dx, dy = points[j, 0] - xi, yj - yi
        top, bottom = (yi, yj) if yi < yj else (yj, yi)
        first = np.int64(math.ceil(top)) if top > 0.0 else 0
        last = np.int64(math.floor(bottom)) if bottom < height - 1.0 else height - 1
        if dx * (points[k, 1] - yi) - dy * (points[k, 0] - xi) < 0.0:
            dx, dy = -dx, -dy
        turn = -1 if (dy > 0.0) != folded[outline[s, 3]] else 1
        for y in range(first, last + 1):
            x = _last_inside(xi, dx * (y - yi), dy)
            # A span ends after its last pixel; what begins or ends outside the picture does so at its border.
            x = x + 1.0 if dy > 0.0 else x
            x = 0.0 if x < 0.0 else (width if x > width else x)
            spans[y, np.int64(x)] += turn
    return True


@kernel
def mark_mesh(points, triangles, facing, outline, spans):
    """Mark the union of all triangles: ``spans`` (height, width + 1) becomes the change of cover along rows.

    A pixel's winding number within the outline is the number of its triangles that face as in ``facing`` less
    the number that are folded over. Adding the folded ones twice gives the number of triangles on the pixel.
    With an empty ``outline`` all triangles are marked one by one.
    """
    folded = np.empty(triangles.shape[0], np.bool_)
    flat = np.empty(triangles.shape[0], np.bool_)
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        xa, ya = np.float64(points[a, 0]), np.float64(points[a, 1])
        area = (points[b, 0] - xa) * (points[c, 1] - ya) - (points[c, 0] - xa) * (points[b, 1] - ya)
        folded[t] = area * facing[t] < 0.0
        flat[t] = not abs(area) > 0.0
    outlined = outline.shape[0] > 0 and mark_outline(points, folded, outline, spans)
    xs = np.empty(3)
    ys = np.empty(3)
    for t in range(triangles.shape[0]):
        if outlined and not folded[t] and not flat[t]:
            continue
        for k in range(3):
            xs[k] = points[triangles[t, k], 0]
            ys[k] = points[triangles[t, k], 1]
        mark_triangle(xs, ys, 2 if outlined and folded[t] else 1, spans)


@kernel
def warp_landmarks(points, matrix, raised, lift, out):
    """Landmarks in the aligned face, ``out`` (n, 2); ``raised`` ones move up by ``lift``."""
    for i in range(points.shape[0]):
        for r in range(2):
            out[i, r] = matrix[r, 0] * points[i, 0] + matrix[r, 1] * points[i, 1] + matrix[r, 2]
    for i in range(raised.shape[0]):
        out[raised[i], 1] -= lift


@part
def six_bytes(flat, at):
    """Two neighbouring pixels of ``flat`` (n,) uint8 as one integer; LLVM makes one load of it."""
    value = np.uint64(0)
    for k in range(6):
        value |= np.uint64(flat[at + k]) << np.uint64(8 * k)
    return np.int64(value)


@part
def spread(pixel):
    """The lowest three bytes, ``LANE`` bits apart."""
    return (pixel & 0xFF) | ((pixel & 0xFF00) << (LANE - 8)) | ((pixel & 0xFF0000) << (2 * LANE - 16))


@part
def _blend(p00, p01, p10, p11, fx, fy):
    """Bilinear blend times 1024, three channels at once in lanes that never reach their neighbours."""
    upper = (p00 << 5) + fx * (p01 - p00)
    lower = (p10 << 5) + fx * (p11 - p10)
    return (upper << 5) + fy * (lower - upper)


@part
def _blend_at_border(flat, height, width, x, y, fx, fy):
    """The same where some of the four pixels lie outside the frame and count as black."""
    total = 0
    for k in range(4):
        px, py = x + (k & 1), y + (k >> 1)
        if 0 <= px < width and 0 <= py < height:
            at = 3 * (py * width + px)
            weight = (fx if k & 1 else 32 - fx) * (fy if k >> 1 else 32 - fy)
            total += weight * (flat[at] | flat[at + 1] << LANE | flat[at + 2] << (2 * LANE))
    return total


@kernel
def warp(flat, height, width, matrix, spans, steps, out):
    """OpenCV's ``warpAffine(frame, W, INTER_LINEAR)`` into ``out`` (h, w, 3) inside ``spans``.

    ``flat`` (height * width * 3,) is the frame; ``steps`` (2, w) int64 is work space. What is outside the
    spans is left as it is. False, and nothing is done, where the matrix is not finite.
    """
    if not _is_finite(matrix):
        return False
    m00, m01, m02 = np.float64(matrix[0, 0]), np.float64(matrix[0, 1]), np.float64(matrix[0, 2])
    m10, m11, m12 = np.float64(matrix[1, 0]), np.float64(matrix[1, 1]), np.float64(matrix[1, 2])
    det = m00 * m11 - m01 * m10
    det = 1.0 / det if det != 0.0 else 0.0
    a, b, d, e = m11 * det, -m01 * det, -m10 * det, m00 * det
    c = -a * m02 - b * m12
    f = -d * m02 - e * m12
    half = 512 | 512 << LANE | 512 << (2 * LANE)
    for x in range(out.shape[1]):
        steps[0, x] = np.int64(np.rint(a * x * 1024.0))
        steps[1, x] = np.int64(np.rint(d * x * 1024.0))
    for y in range(out.shape[0]):
        start_x = np.int64(np.rint((b * y + c) * 1024.0)) + 16
        start_y = np.int64(np.rint((e * y + f) * 1024.0)) + 16
        covered = 0
        for x in range(out.shape[1]):
            covered += spans[y, x]
            if covered == 0:
                continue
            sx = (start_x + steps[0, x]) >> 5
            sy = (start_y + steps[1, x]) >> 5
            ix, iy, fx, fy = sx >> 5, sy >> 5, sx & 31, sy & 31
            if 0 <= ix < width - 1 and 0 <= iy < height - 1:
                upper = six_bytes(flat, 3 * (iy * width + ix))
                lower = six_bytes(flat, 3 * ((iy + 1) * width + ix))
                v = _blend(spread(upper), spread(upper >> 24), spread(lower), spread(lower >> 24), fx, fy)
            else:
                v = _blend_at_border(flat, height, width, ix, iy, fx, fy)
            v += half
            out[y, x, 0] = (v >> 10) & 0xFF
            out[y, x, 1] = (v >> (LANE + 10)) & 0xFF
            out[y, x, 2] = (v >> (2 * LANE + 10)) & 0xFF
    return True


@part
def gradients(window, columns, last_grouped, magnitude, bins):
    """Strongest channel's gradient in columns 1 to ``columns`` of one row: magnitude and bin 0-17.

    ``window`` holds three rows of three channels, one after the other, ``WINDOW`` float32 each. The bin is
    that of the nearest of 18 directions. Which of two neighbours is nearer is decided within one quadrant, on
    the directions' own four decimals times 10000: integers below 2^24, which float32 holds exactly.
    """
    w = window
    zero, one = np.float32(0.0), np.float32(1.0)
    for x in range(1, columns + 1):
        bx = w[3 * WINDOW + x + 1] - w[3 * WINDOW + x - 1]
        gx = w[4 * WINDOW + x + 1] - w[4 * WINDOW + x - 1]
        rx = w[5 * WINDOW + x + 1] - w[5 * WINDOW + x - 1]
        by = w[6 * WINDOW + x] - w[x]
        gy = w[7 * WINDOW + x] - w[WINDOW + x]
        ry = w[8 * WINDOW + x] - w[2 * WINDOW + x]
        b2 = bx * bx + by * by
        g2 = gx * gx + gy * gy
        r2 = rx * rx + ry * ry
        # Ties: blue, green, red in the columns that the original takes in groups; after them the reverse.
        early = one if x <= last_grouped else zero
        take_g = g2 + early > r2
        dx = gx if take_g else rx
        dy = gy if take_g else ry
        v2 = g2 if take_g else r2
        take_b = b2 + early > v2
        dx = bx if take_b else dx
        dy = by if take_b else dy
        v2 = b2 if take_b else v2
        ax = abs(dx)
        ay = abs(dy)
        n = one if np.float32(3420.0) * ay > np.float32(603.0) * ax else zero
        n += one if np.float32(3008.0) * ay > np.float32(1737.0) * ax else zero
        n += one if np.float32(2232.0) * ay > np.float32(2660.0) * ax else zero
        n += one if np.float32(1188.0) * ay > np.float32(3264.0) * ax else zero
        # Straight up and straight down tie between two directions; the earlier one counts.
        turned = (dx * dy < zero) | ((dx < zero) & (dy == zero))
        n = np.float32(9.0) - n if turned else n
        n = n + np.float32(9.0) if dy < zero else n
        bins[x] = np.int32(zero if n == np.float32(18.0) else n)
        magnitude[x] = math.sqrt(v2)


@part
def vote(magnitude, bins, y, first_block, columns, votes):
    """Add one row to ``votes`` (rows + 1, columns + 1, 18, 4): shares of the four cells around it.

    Pixels of one phase are taken together: they share their weights and fall into different blocks of four
    cells, so that no addition waits for the one before it.
    """
    row = (y + 4) // 8
    fy = np.float32(((y + 4) % 8 + 0.5) / 8.0)
    gy = np.float32(1.0) - fy
    for phase in range(8):
        fx = np.float32((phase + 0.5) / 8.0)
        gx = np.float32(1.0) - fx
        w0, w1, w2, w3 = gy * gx, gy * fx, fy * gx, fy * fx
        for k in range(WINDOW // 8):
            x = phase - 4 + k * 8
            if x < 1 or x > columns:
                continue
            v = magnitude[x]
            cell = votes[row, first_block + k, bins[x]]
            a0 = cell[0] + v * w0
            a1 = cell[1] + v * w1
            a2 = cell[2] + v * w2
            a3 = cell[3] + v * w3
            cell[0] = a0
            cell[1] = a1
            cell[2] = a2
            cell[3] = a3


@part
def fold(votes, histogram, energy):
    """Votes to cells: ``histogram`` (rows, columns, 18) and its ``energy`` (rows, columns)."""
    for cy in range(histogram.shape[0]):
        for cx in range(histogram.shape[1]):
            for o in range(18):
                histogram[cy, cx, o] = (
                    votes[cy + 1, cx + 1, o, 0]
                    + votes[cy + 1, cx, o, 1]
                    + votes[cy, cx + 1, o, 2]
                    + votes[cy, cx, o, 3]
                )
            total = np.float32(0.0)
            for o in range(9):
                both = histogram[cy, cx, o] + histogram[cy, cx, o + 9]
                total += both * both
            energy[cy, cx] = total


@part
def _share(h, norm):
    """q(h) of docs/algorithms/alignment-and-fhog.md#fhog."""
    v = h / norm
    return np.float32(0.5) * (v if v < np.float32(0.2) else np.float32(0.2))


@part
def normalise(histogram, norms, shares, out):
    """31 channels of every inner cell into ``out`` ((rows - 2) (columns - 2) 31,); ``shares`` (4, 18) helps.

    Sums are as written: a compiler that may reorder them adds otherwise where arrays happen to lie close to
    each other in memory, and the same video gave other numbers in another run.
    """
    at = 0
    for cy in range(1, histogram.shape[0] - 1):
        for cx in range(1, histogram.shape[1] - 1):
            n0 = norms[cy, cx]
            n1 = norms[cy - 1, cx]
            n2 = norms[cy, cx - 1]
            n3 = norms[cy - 1, cx - 1]
            # Apart from the sums, so that the divisions vectorise.
            for o in range(18):
                h = histogram[cy, cx, o]
                shares[0, o] = _share(h, n0)
                shares[1, o] = _share(h, n1)
                shares[2, o] = _share(h, n2)
                shares[3, o] = _share(h, n3)
            t0 = t1 = t2 = t3 = np.float32(0.0)
            for o in range(18):
                q0, q1, q2, q3 = shares[0, o], shares[1, o], shares[2, o], shares[3, o]
                out[at + o] = q0 + q1 + q2 + q3
                t0 += q0
                t1 += q1
                t2 += q2
                t3 += q3
            for o in range(9):
                h = histogram[cy, cx, o] + histogram[cy, cx, o + 9]
                out[at + 18 + o] = _share(h, n0) + _share(h, n1) + _share(h, n2) + _share(h, n3)
            out[at + 27] = np.float32(0.4714) * t0
            out[at + 28] = np.float32(0.4714) * t1
            out[at + 29] = np.float32(0.4714) * t2
            out[at + 30] = np.float32(0.4714) * t3
            at += 31


@kernel
def collect_votes(image, last_row, last_column, last_grouped, window, magnitude, bins, votes):
    """Add the votes of pixels 1 to ``last_row``, 1 to ``last_column`` of ``image`` (h, w, 3) uint8.

    Work space: ``window`` (9 WINDOW,) and ``magnitude`` (WINDOW,) float32, ``bins`` (WINDOW,) int32.
    """
    step = WINDOW - 8
    for x0 in range(0, last_column, step):
        columns = last_column - x0 if last_column - x0 < step else step
        for y in range(last_row + 2):
            for i in range(6 * WINDOW):
                window[i] = window[i + 3 * WINDOW]
            for x in range(columns + 2):
                window[6 * WINDOW + x] = image[y, x0 + x, 0]
                window[7 * WINDOW + x] = image[y, x0 + x, 1]
                window[8 * WINDOW + x] = image[y, x0 + x, 2]
            if y >= 2:
                gradients(window, (columns + 7) // 8 * 8, last_grouped - x0, magnitude, bins)
                vote(magnitude, bins, y - 1, x0 // 8, columns, votes)


@kernel
def describe(votes, histogram, energy, norms, shares, out):
    """From ``votes`` to the descriptor ``out``; docs/algorithms/alignment-and-fhog.md#fhog.

    Work space: ``histogram`` (rows, columns, 18), ``energy`` (rows, columns), ``norms`` one less each way,
    ``shares`` (4, 18).
    """
    fold(votes, histogram, energy)
    for cy in range(norms.shape[0]):
        for cx in range(norms.shape[1]):
            total = energy[cy, cx] + energy[cy, cx + 1] + energy[cy + 1, cx] + energy[cy + 1, cx + 1]
            norms[cy, cx] = math.sqrt(total + np.float32(0.0001))
    normalise(histogram, norms, shares, out)

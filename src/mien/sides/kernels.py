"""Kernels that draw a composite, and that mirror whole frames."""

from __future__ import annotations

import math

import numpy as np

from mien.appearance.kernels import LANE, six_bytes, spread
from mien.runtime.jit import kernel, part

_MORE = 32
"""Bits of a position in a frame below its 1/64 px: a row adds up to its end without an error that counts."""
_ONE_PX = np.float64(1 << (6 + _MORE))
_FAR = np.float64(1 << 20)
"""Positions further away than so many px are nowhere in any frame."""


@part
def _fixed(position):
    """A position or a step, px, as a whole number of 1 / 2^(6 + `_MORE`) px."""
    return np.int64(min(max(position, -_FAR), _FAR) * _ONE_PX)


@part
def _blend_at_border(flat, height, width, ix, iy, fx, fy):
    """What `draw` blends where some of the four pixels lie beyond the frame and count as black."""
    total = 0
    for k in range(4):
        px, py = ix + (k & 1), iy + (k >> 1)
        if 0 <= px < width and 0 <= py < height:
            at = 3 * (py * width + px)
            weight = (fx if k & 1 else 64 - fx) * (fy if k >> 1 else 64 - fy)
            total += weight * (flat[at] | flat[at + 1] << LANE | flat[at + 2] << (2 * LANE))
    return total


@part
def _from_the_top(vertices, triangle):
    """Corners of a triangle (3,) in the order of their rows."""
    a, b, c = triangle[0], triangle[1], triangle[2]
    if vertices[b, 1] < vertices[a, 1]:
        a, b = b, a
    if vertices[c, 1] < vertices[b, 1]:
        b, c = c, b
    if vertices[b, 1] < vertices[a, 1]:
        a, b = b, a
    return a, b, c


@part
def _slope(x0, y0, x1, y1):
    """How far an edge goes along x from row to row; a flat one has but one row."""
    return (x1 - x0) / (y1 - y0) if y1 != y0 else 0.0


@part
def _columns(long_edge, short_edge, last_column):
    """First and last column between two edges; a pixel on an edge belongs to the triangle."""
    first = np.int64(math.ceil(max(0.0, min(long_edge, short_edge) - 1e-9)))
    last = np.int64(math.floor(min(last_column, max(long_edge, short_edge) + 1e-9)))
    return first, last


@part
def cover(vertices, triangles, wanted):
    """Set ``wanted`` (h, w) uint8 to 1 inside ``triangles`` (t, 3), whose ``vertices`` (n, 2) are px."""
    bottom_row, last_column = wanted.shape[0] - 1, np.float64(wanted.shape[1] - 1)
    for t in range(triangles.shape[0]):
        a, b, c = _from_the_top(vertices, triangles[t])
        xa, ya, xb, yb = vertices[a, 0], vertices[a, 1], vertices[b, 0], vertices[b, 1]
        xc, yc = vertices[c, 0], vertices[c, 1]
        if not yc - ya < _FAR:
            continue
        ac, ab, bc = _slope(xa, ya, xc, yc), _slope(xa, ya, xb, yb), _slope(xb, yb, xc, yc)
        top, bottom = max(0, np.int64(math.ceil(ya))), min(bottom_row, np.int64(math.floor(yc)))
        for y in range(top, bottom + 1):
            edge = xa + (y - ya) * ab if y < yb else xb + (y - yb) * bc
            first, last = _columns(xa + (y - ya) * ac, edge, last_column)
            for x in range(first, last + 1):
                wanted[y, x] = np.uint8(1)


@part
def draw(vertices, origins, triangles, flat, height, width, wanted, out):
    """Draw textured triangles into ``out`` (h, w, 3) uint8: the pixels that are ``wanted`` (h, w), each once.

    ``vertices`` (n, 2) are the corners of ``triangles`` (t, 3), px, of which earlier ones come first;
    ``origins`` (n, 2) is where they lie in the frame ``flat`` (height * width * 3,). Bilinear, positions to
    1/64 px; what lies beyond the frame counts as black.
    """
    bottom_row, last_column = out.shape[0] - 1, np.float64(out.shape[1] - 1)
    for t in range(triangles.shape[0]):
        a, b, c = _from_the_top(vertices, triangles[t])
        xa, ya, xb, yb = vertices[a, 0], vertices[a, 1], vertices[b, 0], vertices[b, 1]
        xc, yc = vertices[c, 0], vertices[c, 1]
        area = (xb - xa) * (yc - ya) - (xc - xa) * (yb - ya)
        if not abs(area) > 1e-9 or not yc - ya < _FAR:
            continue
        # Origins change evenly from pixel to pixel.
        per_x_b, per_x_c = (yc - ya) / area, (ya - yb) / area
        per_y_b, per_y_c = (xa - xc) / area, (xb - xa) / area
        u0, v0 = origins[a, 0], origins[a, 1]
        ub, vb, uc, vc = origins[b, 0] - u0, origins[b, 1] - v0, origins[c, 0] - u0, origins[c, 1] - v0
        u_per_x, v_per_x = per_x_b * ub + per_x_c * uc, per_x_b * vb + per_x_c * vc
        u_per_y, v_per_y = per_y_b * ub + per_y_c * uc, per_y_b * vb + per_y_c * vc
        step_u, step_v = _fixed(u_per_x), _fixed(v_per_x)
        ac, ab, bc = _slope(xa, ya, xc, yc), _slope(xa, ya, xb, yb), _slope(xb, yb, xc, yc)
        top, bottom = max(0, np.int64(math.ceil(ya))), min(bottom_row, np.int64(math.floor(yc)))
        for y in range(top, bottom + 1):
            edge = xa + (y - ya) * ab if y < yb else xb + (y - yb) * bc
            first, last = _columns(xa + (y - ya) * ac, edge, last_column)
            u = _fixed(u0 + (first - xa) * u_per_x + (y - ya) * u_per_y + 0.5 / 64.0)
            v = _fixed(v0 + (first - xa) * v_per_x + (y - ya) * v_per_y + 0.5 / 64.0)
            for x in range(first, last + 1):
                if wanted[y, x] != 0:
                    wanted[y, x] = np.uint8(0)
                    su, sv = u >> _MORE, v >> _MORE
                    ix, iy, fx, fy = su >> 6, sv >> 6, su & 63, sv & 63
                    if 0 <= ix < width - 1 and 0 <= iy < height - 1:
                        upper = six_bytes(flat, 3 * (iy * width + ix))
                        lower = six_bytes(flat, 3 * ((iy + 1) * width + ix))
                        above, below = spread(upper), spread(lower)
                        above = (above << 6) + fx * (spread(upper >> 24) - above)
                        below = (below << 6) + fx * (spread(lower >> 24) - below)
                        mixed = (above << 6) + fy * (below - above)
                    else:
                        mixed = _blend_at_border(flat, height, width, ix, iy, fx, fy)
                    mixed += 2048 | 2048 << LANE | 2048 << (2 * LANE)
                    out[y, x, 0] = (mixed >> 12) & 0xFF
                    out[y, x, 1] = (mixed >> (LANE + 12)) & 0xFF
                    out[y, x, 2] = (mixed >> (2 * LANE + 12)) & 0xFF
                u += step_u
                v += step_v


@part
def unfold(half, out):
    """A symmetric picture ``out`` (h, w, 3) uint8 from ``half`` (h, w // 2 + 1, 3), its middle and beyond."""
    middle = out.shape[1] // 2
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            away = x - middle if x > middle else middle - x
            for k in range(3):
                out[y, x, k] = half[y, away, k]


@kernel
def compose(
    vertices,
    scale,
    cos,
    sin,
    shift,
    rotation,
    translation,
    mask,
    fine,
    flat,
    height,
    width,
    wanted,
    half,
    out,
):
    """Draw both composites of a frame into ``out`` (2, h, w, 3) uint8.

    ``vertices`` (2, n, 3) of the triangles ``mask`` and ``fine`` of half a face, x their distance from its
    plane. A camera in the plane, which nods by an angle of ``cos`` and ``sin``, sees them, ``scale`` px per
    unit, row 0 of theirs in row ``shift``; in the frame ``flat`` (height * width * 3,) they are seen with
    ``rotation`` (3, 3), whose first rows include the scale, and ``translation`` (2,). ``wanted`` (h, w // 2 +
    1) and ``half`` (h, w // 2 + 1, 3) are work space.
    """
    corners, origins = np.empty((vertices.shape[1], 2)), np.empty((vertices.shape[1], 2))
    for side in range(2):
        outwards = 1.0 if side == 0 else -1.0
        for i in range(vertices.shape[1]):
            away, y, z = vertices[side, i, 0], vertices[side, i, 1], vertices[side, i, 2]
            corners[i, 0], corners[i, 1] = scale * away, scale * (cos * y - sin * z) + shift
            x = away * outwards
            for k in range(2):
                seen = rotation[k, 0] * x + rotation[k, 1] * y + rotation[k, 2] * z
                origins[i, k] = seen + translation[k]
        wanted[:] = 0
        half[:] = 0
        cover(corners, mask, wanted)
        draw(corners, origins, fine, flat, height, width, wanted, half)
        unfold(half, out[side])


@kernel
def size_of_mean(seen, rigid, counted):
    """Size of the mean of two symmetric faces, as the alignment takes it: root mean square distance, px.

    Their halves are seen at ``seen`` (2, k, 2), x from the middle; ``rigid`` (r,) landmarks matter, each as
    often as it is ``counted`` (r,).
    """
    total = height = squares = 0.0
    for i in range(rigid.shape[0]):
        total += counted[i]
        height += counted[i] * (seen[0, rigid[i], 1] + seen[1, rigid[i], 1]) / 2.0
    for i in range(rigid.shape[0]):
        x = (seen[0, rigid[i], 0] + seen[1, rigid[i], 0]) / 2.0
        y = (seen[0, rigid[i], 1] + seen[1, rigid[i], 1]) / 2.0 - height / total
        squares += counted[i] * (x * x + y * y)
    return math.sqrt(squares / total)


@kernel
def vertices_of(halves, lifted, ends, lift, out):
    """Vertices ``out`` (2, n, 3) of half a face from landmarks ``halves`` (2, k, 3), see `HalfMesh`.

    Behind the landmarks come those that are ``lifted`` (l,), higher by ``lift``, then the points of the
    middle between a vertex ``ends[0]`` (e,) and the mirror image of another, ``ends[1]``.
    """
    count = halves.shape[1]
    for side in range(2):
        for i in range(count):
            for k in range(3):
                out[side, i, k] = halves[side, i, k]
        for i in range(lifted.shape[0]):
            for k in range(3):
                out[side, count + i, k] = halves[side, lifted[i], k]
            out[side, count + i, 1] -= lift
        for i in range(ends.shape[1]):
            p, q, at = ends[0, i], ends[1, i], count + lifted.shape[0] + i
            width = out[side, p, 0] + out[side, q, 0]
            share = out[side, p, 0] / width if width > 0.0 else 0.5
            out[side, at, 0] = 0.0
            for k in range(1, 3):
                out[side, at, k] = out[side, p, k] + share * (out[side, q, k] - out[side, p, k])


@kernel
def reflect_frame(flat, height, width, through, normal, keep, out):
    """Mirror half of a frame across a line, into ``out`` (height, width, 3) uint8.

    ``flat`` (height * width * 3,) is the frame, ``through`` (2,) a point of the line and ``normal`` (2,) its
    unit normal. Pixels whose distance along the normal has the sign of ``keep``, or is 0, stay; others are
    those of their reflection, bilinear, the border's pixels repeated beyond the border.
    """
    for y in range(height):
        for x in range(width):
            away = (x - through[0]) * normal[0] + (y - through[1]) * normal[1]
            at = 3 * (y * width + x)
            if away * keep >= 0.0:
                for k in range(3):
                    out[y, x, k] = flat[at + k]
                continue
            sx = min(max(x - 2.0 * away * normal[0], 0.0), width - 1.0)
            sy = min(max(y - 2.0 * away * normal[1], 0.0), height - 1.0)
            ix, iy = min(np.int64(sx), width - 2), min(np.int64(sy), height - 2)
            fx, fy = np.float32(sx - ix), np.float32(sy - iy)
            at = 3 * (iy * width + ix)
            below = at + 3 * width
            for k in range(3):
                p, q = np.float32(flat[at + k]), np.float32(flat[below + k])
                upper = p + fx * (np.float32(flat[at + 3 + k]) - p)
                lower = q + fx * (np.float32(flat[below + 3 + k]) - q)
                out[y, x, k] = np.uint8(upper + fy * (lower - upper) + np.float32(0.5))

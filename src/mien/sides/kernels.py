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
def _slope(x0, y0, x1, y1):
    """How far an edge goes along x from row to row; 0 where it is flat, and bounds nothing."""
    return (x1 - x0) / (y1 - y0) if y1 != y0 else 0.0


@kernel
def want(spans, wanted):
    """Set ``wanted`` (h, w) uint8 to 1 inside ``spans`` (h, w + 1), the change of cover along rows."""
    for y in range(wanted.shape[0]):
        covered = 0
        for x in range(wanted.shape[1]):
            covered += spans[y, x]
            wanted[y, x] = np.uint8(1) if covered != 0 else np.uint8(0)


@kernel
def draw(vertices, origins, mirrored, triangles, keep, flat, height, width, wanted, out):
    """Draw a composite into ``out`` (h, w, 3) uint8: the pixels that are ``wanted`` (h, w), each once.

    ``vertices`` (n, 3): x, y in the composite and the signed distance from the midline, of the corners of
    ``triangles`` (t, 3), of which earlier ones come first. ``origins`` (n, 2) is where they lie in the frame
    ``flat`` (height * width * 3,), and ``mirrored`` (n,) their counterpart: a pixel whose distance has the
    sign of ``keep``, or is 0, comes from between the corners' origins, any other from between those of the
    counterparts.
    """
    bottom_row, last_column = out.shape[0] - 1, out.shape[1] - 1
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        xa, ya, da = vertices[a, 0], vertices[a, 1], vertices[a, 2] * keep
        xb, yb, db = vertices[b, 0], vertices[b, 1], vertices[b, 2] * keep
        xc, yc, dc = vertices[c, 0], vertices[c, 1], vertices[c, 2] * keep
        area = (xb - xa) * (yc - ya) - (xc - xa) * (yb - ya)
        if not abs(area) > 1e-9:
            continue
        top = max(0, np.int64(math.ceil(min(ya, yb, yc))))
        bottom = min(bottom_row, np.int64(math.floor(max(ya, yb, yc))))
        # Weights of the corners b and c change evenly from pixel to pixel, and so does all that they weigh.
        step_b, step_c = (yc - ya) / area, -(yb - ya) / area
        row_b, row_c = -(xc - xa) / area, (xb - xa) / area
        # Where the distance from the midline, which changes evenly too, is negative, pixels are mirrored.
        change = step_b * (db - da) + step_c * (dc - da)
        parted = min(da, db, dc) < 0.0 <= max(da, db, dc) and change != 0.0
        per_change = 1.0 / change if parted else 0.0
        # An edge that rises bounds the triangle on one side, one that falls on the other; flat ones do not.
        turn = 1.0 if area > 0.0 else -1.0
        rise_ab, rise_bc, rise_ca = (yb - ya) * turn, (yc - yb) * turn, (ya - yc) * turn
        slope_ab, slope_bc, slope_ca = (
            _slope(xa, ya, xb, yb),
            _slope(xb, yb, xc, yc),
            _slope(xc, yc, xa, ya),
        )
        left, right = max(0.0, min(xa, xb, xc)), min(np.float64(last_column), max(xa, xb, xc))
        for y in range(top, bottom + 1):
            low, high = left, right
            at_ab, at_bc, at_ca = (
                xa + (y - ya) * slope_ab,
                xb + (y - yb) * slope_bc,
                xc + (y - yc) * slope_ca,
            )
            high = min(high, at_ab + 1e-9) if rise_ab > 0.0 else high
            low = max(low, at_ab - 1e-9) if rise_ab < 0.0 else low
            high = min(high, at_bc + 1e-9) if rise_bc > 0.0 else high
            low = max(low, at_bc - 1e-9) if rise_bc < 0.0 else low
            high = min(high, at_ca + 1e-9) if rise_ca > 0.0 else high
            low = max(low, at_ca - 1e-9) if rise_ca < 0.0 else low
            first, last = np.int64(math.ceil(low)), np.int64(math.floor(high))
            while first <= last and wanted[y, first] == 0:
                first += 1
            while first <= last and wanted[y, last] == 0:
                last -= 1
            if first > last:
                continue
            vb = (first - xa) * step_b + (y - ya) * row_b
            vc = (first - xa) * step_c + (y - ya) * row_c
            away = da + vb * (db - da) + vc * (dc - da)
            # Up to ``turning`` pixels are of the one kind, behind it of the other.
            turning, begun_mirrored = last, away < 0.0
            if parted and (away + (last - first) * change < 0.0) != begun_mirrored:
                before = -away * per_change
                steps = math.floor(before) if change < 0.0 else math.ceil(before) - 1
                turning = min(first + np.int64(steps), last)
            for behind in range(2):
                begin, end = (first, turning) if behind == 0 else (turning + 1, last)
                if begin > end:
                    continue
                wb, wc = vb + (begin - first) * step_b, vc + (begin - first) * step_c
                p, q, r = a, b, c
                if begun_mirrored != (behind == 1):
                    p, q, r = mirrored[a], mirrored[b], mirrored[c]
                x0, y0 = origins[p, 0], origins[p, 1]
                xq, yq, xr, yr = (
                    origins[q, 0] - x0,
                    origins[q, 1] - y0,
                    origins[r, 0] - x0,
                    origins[r, 1] - y0,
                )
                qx = _fixed(x0 + wb * xq + wc * xr + 0.5 / 64.0)
                qy = _fixed(y0 + wb * yq + wc * yr + 0.5 / 64.0)
                dx, dy = _fixed(step_b * xq + step_c * xr), _fixed(step_b * yq + step_c * yr)
                for x in range(begin, end + 1):
                    if wanted[y, x] != 0:
                        wanted[y, x] = np.uint8(0)
                        sx, sy = qx >> _MORE, qy >> _MORE
                        ix, iy, fx, fy = sx >> 6, sy >> 6, sx & 63, sy & 63
                        if 0 <= ix < width - 1 and 0 <= iy < height - 1:
                            upper = six_bytes(flat, 3 * (iy * width + ix))
                            lower = six_bytes(flat, 3 * ((iy + 1) * width + ix))
                            above, below = spread(upper), spread(lower)
                            above = (above << 6) + fx * (spread(upper >> 24) - above)
                            below = (below << 6) + fx * (spread(lower >> 24) - below)
                            v = (above << 6) + fy * (below - above)
                        else:
                            v = _blend_at_border(flat, height, width, ix, iy, fx, fy)
                        v += 2048 | 2048 << LANE | 2048 << (2 * LANE)
                        out[y, x, 0] = (v >> 12) & 0xFF
                        out[y, x, 1] = (v >> (LANE + 12)) & 0xFF
                        out[y, x, 2] = (v >> (2 * LANE + 12)) & 0xFF
                    qx += dx
                    qy += dy


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

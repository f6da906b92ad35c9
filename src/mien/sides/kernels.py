"""Kernels that draw a composite, and that mirror whole frames."""

from __future__ import annotations

import math

import numpy as np

from mien.appearance.kernels import LANE, six_bytes, spread
from mien.runtime.jit import kernel, part


@part
def _sample(flat, height, width, sx, sy, out, y, x):
    """Bilinear sample of a frame at (sx, sy) into pixel (y, x) of ``out``; pixels beyond the frame are black.

    Three channels at once, in lanes of one integer, as in the alignment of a whole face; positions count in
    1/64 px in place of 1/32.
    """
    qx, qy = np.int64(math.floor(sx * 64.0 + 0.5)), np.int64(math.floor(sy * 64.0 + 0.5))
    ix, iy, fx, fy = qx >> 6, qy >> 6, qx & 63, qy & 63
    if 0 <= ix < width - 1 and 0 <= iy < height - 1:
        upper = six_bytes(flat, 3 * (iy * width + ix))
        lower = six_bytes(flat, 3 * ((iy + 1) * width + ix))
        p, q = spread(upper), spread(lower)
        above = (p << 6) + fx * (spread(upper >> 24) - p)
        below = (q << 6) + fx * (spread(lower >> 24) - q)
        v = (above << 6) + fy * (below - above)
    else:
        v = 0
        for k in range(4):
            px, py = ix + (k & 1), iy + (k >> 1)
            if 0 <= px < width and 0 <= py < height:
                at = 3 * (py * width + px)
                weight = (fx if k & 1 else 64 - fx) * (fy if k >> 1 else 64 - fy)
                v += weight * (flat[at] | flat[at + 1] << LANE | flat[at + 2] << (2 * LANE))
    v += 2048 | 2048 << LANE | 2048 << (2 * LANE)
    out[y, x, 0] = (v >> 12) & 0xFF
    out[y, x, 1] = (v >> (LANE + 12)) & 0xFF
    out[y, x, 2] = (v >> (2 * LANE + 12)) & 0xFF


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
        xa, ya, da = vertices[a, 0], vertices[a, 1], vertices[a, 2]
        xb, yb, db = vertices[b, 0], vertices[b, 1], vertices[b, 2]
        xc, yc, dc = vertices[c, 0], vertices[c, 1], vertices[c, 2]
        area = (xb - xa) * (yc - ya) - (xc - xa) * (yb - ya)
        if not abs(area) > 1e-9:
            continue
        top = max(0, np.int64(math.ceil(min(ya, yb, yc))))
        bottom = min(bottom_row, np.int64(math.floor(max(ya, yb, yc))))
        # Weights of the corners b and c change evenly from pixel to pixel, and so does all that they weigh.
        step_b, step_c = (yc - ya) / area, -(yb - ya) / area
        side_b, side_c = (db - da) * keep, (dc - da) * keep
        ma, mb, mc = mirrored[a], mirrored[b], mirrored[c]
        ox, oy, px, py = origins[a, 0], origins[a, 1], origins[ma, 0], origins[ma, 1]
        oxb, oyb, oxc, oyc = origins[b, 0] - ox, origins[b, 1] - oy, origins[c, 0] - ox, origins[c, 1] - oy
        pxb, pyb, pxc, pyc = (
            origins[mb, 0] - px,
            origins[mb, 1] - py,
            origins[mc, 0] - px,
            origins[mc, 1] - py,
        )
        # An edge that rises bounds the triangle on one side, one that falls on the other; flat ones do not.
        rise_ab, rise_bc, rise_ca = yb - ya, yc - yb, ya - yc
        slope_ab = (xb - xa) / rise_ab if rise_ab != 0.0 else 0.0
        slope_bc = (xc - xb) / rise_bc if rise_bc != 0.0 else 0.0
        slope_ca = (xa - xc) / rise_ca if rise_ca != 0.0 else 0.0
        turn = 1.0 if area > 0.0 else -1.0
        row_b, row_c = -(xc - xa) / area, (xb - xa) / area
        left, right = max(0.0, min(xa, xb, xc)), min(np.float64(last_column), max(xa, xb, xc))
        for y in range(top, bottom + 1):
            low, high = left, right
            at_ab, at_bc, at_ca = (
                xa + (y - ya) * slope_ab,
                xb + (y - yb) * slope_bc,
                xc + (y - yc) * slope_ca,
            )
            high = min(high, at_ab + 1e-9) if rise_ab * turn > 0.0 else high
            low = max(low, at_ab - 1e-9) if rise_ab * turn < 0.0 else low
            high = min(high, at_bc + 1e-9) if rise_bc * turn > 0.0 else high
            low = max(low, at_bc - 1e-9) if rise_bc * turn < 0.0 else low
            high = min(high, at_ca + 1e-9) if rise_ca * turn > 0.0 else high
            low = max(low, at_ca - 1e-9) if rise_ca * turn < 0.0 else low
            first, last = np.int64(math.ceil(low)), np.int64(math.floor(high))
            start_b = -xa * step_b + (y - ya) * row_b
            start_c = -xa * step_c + (y - ya) * row_c
            for x in range(first, last + 1):
                if wanted[y, x] == 0:
                    continue
                wanted[y, x] = np.uint8(0)
                vb, vc = start_b + x * step_b, start_c + x * step_c
                if da * keep + vb * side_b + vc * side_c < 0.0:
                    sx, sy = px + vb * pxb + vc * pxc, py + vb * pyb + vc * pyc
                else:
                    sx, sy = ox + vb * oxb + vc * oxc, oy + vb * oyb + vc * oyc
                _sample(flat, height, width, sx, sy, out, y, x)


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

"""Kernels that draw a composite, and that mirror whole frames."""

from __future__ import annotations

import math

import numpy as np

from mien.runtime.jit import kernel


@kernel
def _sample(flat, height, width, sx, sy, out, y, x):
    """Bilinear sample of a frame at (sx, sy) into pixel (y, x) of ``out``; pixels beyond the frame are black.

    Positions are not rounded to 1/32 px, as those of a whole face are, so that a mirrored picture gives the
    same.
    """
    ix, iy = np.int64(math.floor(sx)), np.int64(math.floor(sy))
    fx, fy = np.float32(sx - ix), np.float32(sy - iy)
    if 0 <= ix < width - 1 and 0 <= iy < height - 1:
        at = 3 * (iy * width + ix)
        below = at + 3 * width
        for k in range(3):
            p, q = np.float32(flat[at + k]), np.float32(flat[below + k])
            upper = p + fx * (np.float32(flat[at + 3 + k]) - p)
            lower = q + fx * (np.float32(flat[below + 3 + k]) - q)
            out[y, x, k] = np.uint8(upper + fy * (lower - upper) + np.float32(0.5))
    elif -1 <= ix < width and -1 <= iy < height:
        for k in range(3):
            total = np.float32(0.5)
            for corner in range(4):
                px, py = ix + (corner & 1), iy + (corner >> 1)
                if 0 <= px < width and 0 <= py < height:
                    share = fx if corner & 1 else np.float32(1.0) - fx
                    share *= fy if corner >> 1 else np.float32(1.0) - fy
                    total += share * np.float32(flat[3 * (py * width + px) + k])
            out[y, x, k] = np.uint8(total)


@kernel
def want(spans, wanted):
    """Set ``wanted`` (h, w) uint8 to 1 inside ``spans`` (h, w + 1), the change of cover along rows, else 0."""
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
        step_b, step_c = (yc - ya) / area, -(yb - ya) / area
        for y in range(top, bottom + 1):
            # The row's first and last pixel inside the triangle.
            low, high = max(0.0, min(xa, xb, xc)), min(np.float64(last_column), max(xa, xb, xc))
            for p, q in ((a, b), (b, c), (c, a)):
                rise = vertices[q, 1] - vertices[p, 1]
                if rise == 0.0:
                    continue
                across = vertices[p, 0] + (y - vertices[p, 1]) * (vertices[q, 0] - vertices[p, 0]) / rise
                if (rise > 0.0) == (area > 0.0):
                    high = min(high, across + 1e-9)
                else:
                    low = max(low, across - 1e-9)
            first, last = np.int64(math.ceil(low)), np.int64(math.floor(high))
            vb = ((first - xa) * (yc - ya) - (xc - xa) * (y - ya)) / area
            vc = ((xb - xa) * (y - ya) - (first - xa) * (yb - ya)) / area
            for x in range(first, last + 1):
                if wanted[y, x]:
                    wanted[y, x] = np.uint8(0)
                    va = 1.0 - vb - vc
                    i, j, k = a, b, c
                    if (va * da + vb * db + vc * dc) * keep < 0.0:
                        i, j, k = mirrored[a], mirrored[b], mirrored[c]
                    sx = va * origins[i, 0] + vb * origins[j, 0] + vc * origins[k, 0]
                    sy = va * origins[i, 1] + vb * origins[j, 1] + vc * origins[k, 1]
                    _sample(flat, height, width, sx, sy, out, y, x)
                vb += step_b
                vc += step_c


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

"""Antialiased drawing into pictures: strokes, boxes, stamps. The origin is the first pixel's centre."""

from __future__ import annotations

import math

import numpy as np

from mien.runtime.jit import fast_kernel, fast_part

_FAR_PX = np.float32(1e6)
"""What reaches farther, or is not a number, is not drawn."""


@fast_part
def _mix(image, y, x, colour, alpha):
    """Lay ``colour`` over one pixel; ``alpha`` from 0 to 256."""
    for c in range(3):
        below = np.int32(image[y, x, c])
        image[y, x, c] = np.uint8(below + (((np.int32(colour[c]) - below) * alpha + 128) >> 8))


@fast_part
def _cover_row(row, y, segment, first, last):
    """Raise ``row``'s coverage to that of one segment in columns ``first`` to ``last``."""
    x0, y0 = segment[0], segment[1]
    dx, dy = segment[2] - x0, segment[3] - y0
    r0, dr = segment[4], segment[5] - segment[4]
    length2 = dx * dx + dy * dy
    inverse = np.float32(1) / length2 if length2 > np.float32(0) else np.float32(0)
    py = np.float32(y) - y0
    for x in range(first, last + 1):
        px = np.float32(x) - x0
        t = min(max((px * dx + py * dy) * inverse, np.float32(0)), np.float32(1))
        ox, oy = px - t * dx, py - t * dy
        radius = r0 + t * dr
        inside = radius + np.float32(0.5) - math.sqrt(ox * ox + oy * oy)
        # a line thinner than a pixel is fainter, not broken
        inside = min(max(inside, np.float32(0)), min(np.float32(1), np.float32(2) * radius))
        value = np.uint8(inside * np.float32(255) + np.float32(0.5))
        row[x] = max(row[x], value)


@fast_part
def _rows(segment, height):
    """First and last row that a segment may touch; the last is smaller if there is none."""
    for k in range(6):
        if not abs(segment[k]) <= _FAR_PX:
            return 0, -1
    margin = max(segment[4], segment[5]) + np.float32(1)
    first = max(min(segment[1], segment[3]) - margin, np.float32(0))
    last = min(max(segment[1], segment[3]) + margin, np.float32(height - 1))
    if first > last:
        return 0, -1
    return int(first), int(last)


@fast_part
def _columns(segment, y, width):
    """First and last column of row ``y`` that a segment may touch; the last is smaller if there is none."""
    margin = max(segment[4], segment[5]) + np.float32(1)
    x0, y0, dx, dy = segment[0], segment[1], segment[2] - segment[0], segment[3] - segment[1]
    low, high = np.float32(0), np.float32(1)
    if abs(dy) > np.float32(1e-6):
        one = (np.float32(y) - margin - y0) / dy
        other = (np.float32(y) + margin - y0) / dy
        low, high = max(low, min(one, other)), min(high, max(one, other))
    xa, xb = x0 + low * dx, x0 + high * dx
    first = max(min(xa, xb) - margin, np.float32(0))
    last = min(max(xa, xb) + margin, np.float32(width - 1))
    if first > last:
        return 0, -1
    return int(first), int(last)


@fast_kernel
def strokes(image, cover, spans, segments, colour, opacity):
    """Draw segments with round ends as one shape: where they overlap, they do not add up.

    ``image`` (H, W, 3) uint8; ``cover`` (H, W) uint8, zeros before and after; ``spans`` (H, 2) int64,
    scratch; ``segments`` (n, 6) float32: x0, y0, x1, y1 and the half-widths of both ends, px; ``colour``
    (3,) uint8; ``opacity`` 0 to 1.
    """
    height, width = cover.shape
    top, bottom = height, -1
    for i in range(segments.shape[0]):
        low, high = _rows(segments[i], height)
        if low <= high:
            top, bottom = min(top, low), max(bottom, high)
    for y in range(top, bottom + 1):
        spans[y, 0], spans[y, 1] = width, -1
    for i in range(segments.shape[0]):
        segment = segments[i]
        low, high = _rows(segment, height)
        for y in range(low, high + 1):
            first, last = _columns(segment, y, width)
            if first <= last:
                spans[y, 0], spans[y, 1] = min(spans[y, 0], first), max(spans[y, 1], last)
                _cover_row(cover[y], y, segment, first, last)
    scale = np.int32(opacity * 256 + 0.5)
    for y in range(top, bottom + 1):
        for x in range(spans[y, 0], spans[y, 1] + 1):
            if cover[y, x]:
                _mix(image, y, x, colour, (np.int32(cover[y, x]) * scale + 127) // 255)
                cover[y, x] = 0


@fast_kernel
def box(image, corners, radius, colour, opacity):
    """Fill a rectangle with round corners.

    ``image`` (H, W, 3) uint8; ``corners`` (4,) float32: left, top, right, bottom edge, px; ``radius`` px.
    """
    height, width = image.shape[:2]
    middle_x, middle_y = (corners[0] + corners[2]) / 2, (corners[1] + corners[3]) / 2
    half_x, half_y = (corners[2] - corners[0]) / 2, (corners[3] - corners[1]) / 2
    radius = min(radius, half_x, half_y)
    if radius < 0:
        return
    first, last = max(int(corners[0]), 0), min(int(corners[2]) + 1, width - 1)
    for y in range(max(int(corners[1]), 0), min(int(corners[3]) + 1, height - 1) + 1):
        dy = abs(y - middle_y) - half_y + radius
        for x in range(first, last + 1):
            dx = abs(x - middle_x) - half_x + radius
            outside = math.sqrt(max(dx, 0.0) ** 2 + max(dy, 0.0) ** 2) + min(max(dx, dy), 0.0)
            share = min(max(radius + 0.5 - outside, 0.0), 1.0)
            if share > 0:
                _mix(image, y, x, colour, np.int32(share * opacity * 256 + 0.5))


@fast_kernel
def stamp(image, mask, left, top, colour, opacity):
    """Lay ``colour`` over the picture where ``mask`` (h, w) uint8 says; its corner lies at (left, top)."""
    height, width = image.shape[:2]
    scale = np.int32(opacity * 256 + 0.5)
    for row in range(max(0, -top), min(mask.shape[0], height - top)):
        for column in range(max(0, -left), min(mask.shape[1], width - left)):
            if mask[row, column]:
                alpha = (np.int32(mask[row, column]) * scale + 127) // 255
                _mix(image, top + row, left + column, colour, alpha)

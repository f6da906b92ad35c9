"""Antialiased drawing, slowly: every pixel against every shape, in float64."""

from __future__ import annotations

import numpy as np


def _lay(image, share, colour):
    share = share[:, :, None]
    return np.rint(image * (1 - share) + np.array(colour, float) * share)


def _pixels(shape):
    y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
    return x, y


def strokes(image, segments, colour, opacity):
    """Segments with round ends as one shape; see the kernel."""
    x, y = _pixels(image.shape)
    cover = np.zeros(image.shape[:2])
    for x0, y0, x1, y1, r0, r1 in np.asarray(segments, float):
        dx, dy = x1 - x0, y1 - y0
        length2 = dx * dx + dy * dy
        t = np.clip(((x - x0) * dx + (y - y0) * dy) / length2, 0, 1) if length2 else np.zeros_like(x)
        radius = r0 + t * (r1 - r0)
        inside = radius + 0.5 - np.hypot(x - x0 - t * dx, y - y0 - t * dy)
        cover = np.maximum(cover, np.minimum(np.clip(inside, 0, 1), np.minimum(1, 2 * radius)))
    return _lay(image, cover * opacity, colour)


def box(image, corners, radius, colour, opacity):
    """A rectangle with round corners; see the kernel."""
    x, y = _pixels(image.shape)
    left, top, right, bottom = (float(v) for v in corners)
    if right < left or bottom < top:
        return image.astype(float)
    radius = min(radius, (right - left) / 2, (bottom - top) / 2)
    # distance to the rectangle that is smaller by the radius, then to its rounded hull
    dx = np.maximum(left + radius - x, x - right + radius)
    dy = np.maximum(top + radius - y, y - bottom + radius)
    outside = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0)) + np.minimum(np.maximum(dx, dy), 0)
    return _lay(image, np.clip(radius + 0.5 - outside, 0, 1) * opacity, colour)


def stamp(image, mask, left, top, colour, opacity):
    """A mask laid over the picture; see the kernel."""
    share = np.zeros(image.shape[:2])
    for row in range(mask.shape[0]):
        for column in range(mask.shape[1]):
            if 0 <= top + row < image.shape[0] and 0 <= left + column < image.shape[1]:
                share[top + row, left + column] = mask[row, column] / 255
    return _lay(image, share * opacity, colour)


def enlarge(image, zoom):
    """Linear interpolation between centres of pixels, edges replicated."""

    def taps(count):
        place = np.clip((np.arange(count * zoom) + 0.5) / zoom - 0.5, 0, count - 1)
        first = np.floor(place).astype(int)
        return first, np.minimum(first + 1, count - 1), place - first

    upper, lower, down = taps(image.shape[0])
    left, right, across = taps(image.shape[1])
    rows = image[upper] * (1 - down)[:, None, None] + image[lower] * down[:, None, None]
    return rows[:, left] * (1 - across)[:, None] + rows[:, right] * across[:, None]

"""Response maps of CCNF experts, `LANES` landmarks side by side (docs/algorithms/patch-experts-ccnf.md)."""

from __future__ import annotations

import numpy as np

from mien.landmarks.area_kernels import (
    SUPPORT,
    TAPS,
    area_of_interest,
    exact_area_of_interest,
    grid_columns,
    grid_row,
    grid_start,
)
from mien.landmarks.vector_code import POSITIONS, bilinear_lanes, neuron_sums, subtract_product
from mien.runtime.jit import fast_kernel, fast_part, part
from mien.runtime.lanes import FLOAT_BYTES, LANES

_FAR = 1e6
"""Places further away than this, px, overflow the integers of the 1/32-px grid."""
_BYTES = 4
"""Bytes that one sample reads of a row."""
_SPARSE = 5
"""Every so many rows and columns are looked at to find an area's level."""


@fast_part
def _aligned(size):
    """(size,) float32 that begins on a cache line: vectors that straddle two cost twice as much to read."""
    buffer = np.empty(size + LANES, np.float32)
    start = (-buffer.ctypes.data % (FLOAT_BYTES * LANES)) // FLOAT_BYTES
    return buffer[start : start + size]


@part
def _inside(gray, start_x, start_y, b00, b10, column_x, column_y):
    """Whether `bilinear_lanes` may read a whole area: none of it is at the border, or nowhere."""
    height, width = gray.shape
    if not (abs(start_x) < _FAR and abs(start_y) < _FAR):
        return False
    last = column_x.shape[0] - 1
    for v in (0, last):
        row_x, row_y = grid_row(start_x, start_y, b00, b10, v)
        for u in (0, last):
            x = (row_x + column_x[u]) >> 10
            y = (row_y + column_y[u]) >> 10
            if not (0 <= x < width - _BYTES and 0 <= y < height - 1):
                return False
    return True


@part
def lane_areas(gray, points, similarity, side, landmarks, exact, areas):
    """Areas of interest of one group, each less a level, into ``areas`` (side², LANES) flat.

    The level is a whole grey value near the mean: correlating deviations from it keeps the float32 sums
    small, and subtracting it is exact. Lanes without a landmark (-1) get anything finite.
    """
    b00, b10 = similarity[2], similarity[3]
    column_x = np.empty(side, np.int32)
    column_y = np.empty(side, np.int32)
    grid_columns(b00, b10, column_x, column_y)
    rows = np.zeros((2, side, LANES), np.int32)
    inside = np.zeros(LANES, np.bool_)
    example = -1
    for lane in range(LANES):
        i = landmarks[lane]
        if i < 0 or exact:
            continue
        start_x, start_y = grid_start(points[0, i], points[1, i], b00, b10, side)
        if _inside(gray, start_x, start_y, b00, b10, column_x, column_y):
            inside[lane] = True
            example = lane
            for v in range(side):
                rows[0, v, lane], rows[1, v, lane] = grid_row(start_x, start_y, b00, b10, v)
    if example >= 0:
        for lane in range(LANES):
            if not inside[lane]:
                for v in range(side):
                    rows[0, v, lane] = rows[0, v, example]
                    rows[1, v, lane] = rows[1, v, example]
        levels = np.zeros(LANES, np.float32)
        _sample_lanes(gray, rows, column_x, column_y, _SPARSE, levels, areas)
        count = ((side + _SPARSE - 1) // _SPARSE) ** 2
        for k in range(count):
            for lane in range(LANES):
                levels[lane] += areas[k * LANES + lane]
        for lane in range(LANES):
            levels[lane] = np.float32(np.rint(levels[lane] / np.float32(count)))
        _sample_lanes(gray, rows, column_x, column_y, 1, levels, areas)
    area = np.zeros(side * side, np.float32)
    for lane in range(LANES):
        i = landmarks[lane]
        if inside[lane] or (i < 0 and example >= 0):
            continue
        if i >= 0 and exact:
            exact_area_of_interest(gray, points[0, i], points[1, i], b00, b10, side, area)
        elif i >= 0:
            area_of_interest(gray, points[0, i], points[1, i], b00, b10, side, area)
        total = np.float32(0.0)
        for k in range(side * side):
            total += area[k]
        level = np.float32(np.rint(total / np.float32(side * side)))
        for k in range(side * side):
            areas[k * LANES + lane] = area[k] - level


@part
def _sample_lanes(gray, rows, column_x, column_y, step, levels, areas):
    """Sample every ``step``th pixel of areas of interest, less ``levels``, into adjoining lines."""
    side = column_x.shape[0]
    line = FLOAT_BYTES * LANES
    target = areas.ctypes.data
    for v in range(0, side, step):
        for u in range(0, side, step):
            bilinear_lanes(
                gray.ctypes.data,
                gray.shape[1],
                rows.ctypes.data + v * line,
                rows.ctypes.data + (side + v) * line,
                column_x[u],
                column_y[u],
                levels.ctypes.data,
                target,
            )
            target += line


@fast_part
def lane_statistics(areas, side, window, mean, inverse_norm):
    """Mean and 1 / L2 norm (1 where it is 0) of every 11 x 11 window of the areas of one group.

    ``areas`` (side², LANES) flat; ``mean``, ``inverse_norm`` (w², LANES) flat, all float32. Sums are float64,
    in which they are exact, so neither the sliding sums nor the cancellation in the norm lose anything.
    """
    width = side * LANES
    size = window * LANES
    sums = np.zeros(width)
    squares = np.zeros(width)
    for k in range(SUPPORT):
        row = areas[k * width : (k + 1) * width]
        for q in range(width):
            value = np.float64(row[q])
            sums[q] += value
            squares[q] += value * value
    for r in range(window):
        means = mean[r * size : (r + 1) * size]
        inverse_norms = inverse_norm[r * size : (r + 1) * size]
        for q in range(size):
            s = 0.0
            s2 = 0.0
            for k in range(SUPPORT):
                s += sums[q + k * LANES]
                s2 += squares[q + k * LANES]
            m = s / TAPS
            means[q] = np.float32(m)
            inverse_norms[q] = np.float32(s2 - s * m)
        for q in range(size):
            norm = np.sqrt(inverse_norms[q])
            inverse_norms[q] = np.float32(1.0) / norm if norm > np.float32(0.0) else np.float32(1.0)
        if r + 1 < window:
            leaving = areas[r * width : (r + 1) * width]
            entering = areas[(r + SUPPORT) * width : (r + SUPPORT + 1) * width]
            for q in range(width):
                old = np.float64(leaving[q])
                new = np.float64(entering[q])
                sums[q] += new - old
                squares[q] += new * new - old * old


@fast_part
def _potentials(areas, side, offsets, weights, neurons, mean, inverse_norm, out):
    """Sums of neurons, b, of all positions of one group into ``out`` (w², LANES), `POSITIONS` at a time."""
    block = FLOAT_BYTES * POSITIONS * LANES
    for k in range(offsets.shape[0] // POSITIONS):
        neuron_sums(
            areas.ctypes.data,
            side * LANES,
            offsets.ctypes.data + 8 * POSITIONS * k,
            weights.ctypes.data,
            neurons.ctypes.data,
            mean.ctypes.data + k * block,
            inverse_norm.ctypes.data + k * block,
            out.ctypes.data + k * block,
        )


@fast_part
def _smooth(factor, positions, values):
    """Solve (L D Lᵀ) x = b in place, for one group; docs/algorithms/patch-experts-ccnf.md.

    ``factor`` (w², 1 + band, LANES): the inverse of D, then L below its diagonal; ``values`` (w², LANES).
    """
    line = FLOAT_BYTES * LANES
    column = factor.shape[1] * line
    band = factor.shape[1] - 1
    base = factor.ctypes.data
    target = values.ctypes.data
    for p in range(positions):
        for k in range(1, min(band, positions - 1 - p) + 1):
            subtract_product(target + (p + k) * line, base + p * column + k * line, target + p * line)
    for p in range(positions):
        for lane in range(LANES):
            values[p * LANES + lane] *= factor[p, 0, lane]
    for p in range(positions - 1, 0, -1):
        for k in range(1, min(band, p) + 1):
            subtract_product(target + (p - k) * line, base + (p - k) * column + k * line, target + p * line)


@fast_part
def _store(values, positions, landmarks, out):
    """Raise every map whose minimum is negative to 0, and write it to its column of ``out`` (w², n)."""
    lowest = np.zeros(LANES, np.float32)
    for p in range(positions):
        for lane in range(LANES):
            lowest[lane] = min(lowest[lane], values[p * LANES + lane])
    for p in range(positions):
        for lane in range(LANES):
            if landmarks[lane] >= 0:
                out[p, landmarks[lane]] = values[p * LANES + lane] - lowest[lane]


@fast_kernel
def ccnf_responses(gray, points, similarity, window, landmarks, weights, neurons, factor, exact, out):
    """Response maps of all visible landmarks of one scale and view into ``out`` (w², n).

    ``landmarks`` (G, LANES) int32: which landmark each lane of each group is, -1 for none; ``weights``
    (G, 121, 7, LANES) and ``neurons`` (G, 4, 7, LANES) as in `neuron_sums`; ``factor`` (G, w², 1 + band,
    LANES) as in `_smooth`. ``exact`` warps without the 1/32-px grid. Columns of landmarks that are in no
    lane become 0.
    """
    positions = window * window
    side = window + SUPPORT - 1
    padded = (positions + POSITIONS - 1) // POSITIONS * POSITIONS
    offsets = np.zeros(padded, np.int64)
    for p in range(positions):
        offsets[p] = (p // window * side + p % window) * LANES
    areas = _aligned(side * side * LANES)
    mean = _aligned(padded * LANES)
    inverse_norm = _aligned(padded * LANES)
    values = _aligned(padded * LANES)
    for q in range(positions * LANES, padded * LANES):
        mean[q] = np.float32(0.0)
        inverse_norm[q] = np.float32(0.0)
    for p in range(positions):
        for i in range(out.shape[1]):
            out[p, i] = np.float32(0.0)
    for g in range(landmarks.shape[0]):
        lane_areas(gray, points, similarity, side, landmarks[g], exact, areas)
        lane_statistics(areas, side, window, mean, inverse_norm)
        _potentials(areas, side, offsets, weights[g], neurons[g], mean, inverse_norm, values)
        _smooth(factor[g], positions, values)
        _store(values, positions, landmarks[g], out)

"""Numbers as text in fixed notation, correctly rounded."""

from __future__ import annotations

import math

import numpy as np

from mien.runtime.jit import kernel, part

MOST_DECIMALS = 9
LONGEST_CELL = 20
"""Sign, 16 digits and a point fit, and so do a comma and a blank."""
_LIMIT = 2.0**52
_SPLIT = 134217729.0

_COMMA, _BLANK, _NEWLINE, _MINUS, _POINT, _ZERO = 44, 32, 10, 45, 46, 48


@part
def round_scaled(value, power):
    """``value`` >= 0 times ``power``, rounded to an integer, halves to even, as if computed exactly.

    The product's rounding error is found exactly (Dekker 1971, "A floating-point technique for extending the
    available precision"). The product must be below 2^52.
    """
    product = value * power
    a = _SPLIT * value
    a_high = a - (a - value)
    a_low = value - a_high
    b = _SPLIT * power
    b_high = b - (b - power)
    b_low = power - b_high
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    whole = math.floor(product)
    beyond_half = ((product - whole) - 0.5) + error
    rounded = np.int64(whole)
    if beyond_half > 0.0 or (beyond_half == 0.0 and rounded % 2 == 1):
        rounded += 1
    return rounded


@part
def write_fixed(value, decimals, out, position):
    """Write ``value`` with that many decimals at ``position``; the position after it, or -1 if too large."""
    power = 1.0
    for _ in range(decimals):
        power *= 10.0
    size = abs(value)
    if not size * power < _LIMIT:
        return -1
    digits = round_scaled(size, power)
    if math.copysign(1.0, value) < 0.0:
        out[position] = _MINUS
        position += 1
    length = 1
    rest = digits // 10
    while rest > 0:
        length += 1
        rest //= 10
    length = max(length, decimals + 1)
    end = position + length + (1 if decimals > 0 else 0)
    place = end
    for k in range(length):
        if k == decimals and k > 0:
            place -= 1
            out[place] = _POINT
        place -= 1
        out[place] = _ZERO + digits % 10
        digits //= 10
    return end


@kernel
def write_rows(values, decimals, first, blank, out):
    """Write rows of comma-separated cells from row ``first`` on; NaN is an empty cell.

    Parameters: ``values`` (N, C) float64, ``decimals`` (C,), whether a ``blank`` stands before each number
    but the first, ``out`` uint8 with room for all. Returns the number of bytes and the first row not written,
    which has a number too large for fixed 52-bit digits.
    """
    position = 0
    for i in range(first, values.shape[0]):
        start = position
        for j in range(values.shape[1]):
            if j > 0:
                out[position] = _COMMA
                position += 1
            if values[i, j] == values[i, j]:
                if blank and j > 0:
                    out[position] = _BLANK
                    position += 1
                position = write_fixed(values[i, j], decimals[j], out, position)
                if position < 0:
                    return start, i
        out[position] = _NEWLINE
        position += 1
    return position, values.shape[0]

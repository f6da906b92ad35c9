"""Numbers in fixed notation are those of C's printf, which Python's format follows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mien.results import kernels
from mien.results.openface_csv import format_row


def write(value, decimals):
    out = np.zeros(64, np.uint8)
    end = kernels.write_fixed(value, decimals, out, 3)
    return None if end < 0 else bytes(out[3:end]).decode()


@settings(deadline=None, max_examples=2000)
@given(st.floats(allow_nan=False), st.integers(0, kernels.MOST_DECIMALS))
@example(-0.0, 1)
@example(-0.04, 1)
@example(-0.0004, 3)
@example(0.5, 0)
@example(1.5, 0)
@example(2.5, 0)
@example(0.125, 2)
@example(0.375, 2)
@example(1.005, 2)
@example(9.995, 2)
@example(0.99999999, 6)
@example(5e-324, 9)
@example(2.0**52 - 0.5, 0)
def test_text_is_that_of_python(value, decimals):
    text = write(value, decimals)
    if text is None:
        assert not abs(value) * 10.0**decimals < 2.0**52
    else:
        assert text == f"{value:.{decimals}f}"
        assert len(text) < kernels.LONGEST_CELL


@settings(deadline=None, max_examples=1000)
@given(st.integers(-(10**9), 10**9), st.integers(1, 6), st.integers(-2, 2))
def test_halves_and_their_neighbours_are_rounded_as_the_binary_value_says(number, decimals, steps):
    value = (number + 0.5) / 10**decimals
    for _ in range(abs(steps)):
        value = math.nextafter(value, math.copysign(math.inf, steps))
    assert write(value, decimals) == f"{value:.{decimals}f}"


@settings(deadline=None, max_examples=500)
@given(st.integers(-(2**20), 2**20), st.integers(1, 6))
def test_exact_ties_go_to_the_even_digit(number, places):
    value = number / 2**places
    for decimals in range(places + 1):
        assert write(value, decimals) == f"{value:.{decimals}f}"


@settings(deadline=None, max_examples=500)
@given(st.floats(width=32, allow_nan=False, allow_infinity=False), st.integers(0, 3))
def test_single_precision_values_are_exact_too(value, decimals):
    text = write(value, decimals)
    assert text is None or text == f"{value:.{decimals}f}"


@pytest.mark.parametrize("value", [1e16, -1e300, math.inf, -math.inf])
def test_rows_stop_before_numbers_too_large_for_them(value):
    values = np.array([[1.0, 2.0], [3.0, value], [5.0, 6.0]])
    out = np.empty(200, np.uint8)
    size, row = kernels.write_rows(values, np.array([1, 1]), 0, False, out)
    assert (bytes(out[:size]), row) == (b"1.0,2.0\n", 1)
    assert format_row(values[1], np.array([1, 1])) == f"3.0,{value:.1f}\n"


def test_what_was_not_measured_is_an_empty_cell():
    values = np.array([[math.nan, 2.0, math.nan]])
    out = np.empty(100, np.uint8)
    size, _ = kernels.write_rows(values, np.array([1, 0, 1]), 0, False, out)
    assert bytes(out[:size]) == b",2,\n"
    assert format_row(values[0], np.array([1, 0, 1])) == ",2,\n"

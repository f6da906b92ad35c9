"""Rows beyond a limit live in a temporary file; results are the same."""

import numpy as np
import pytest

from mien.results import builder
from mien.runtime.memory import page_out


@pytest.fixture
def small_limit(monkeypatch):
    monkeypatch.setattr(builder, "_BLOCK_ROWS", 4)
    monkeypatch.setattr(builder, "_ROWS_IN_MEMORY", 8)


def rows(count, missing=0):
    made = builder._Rows((2,), np.float32, missing)
    for i in range(count):
        made.append((i, -i))
    return made


def expected(count):
    return np.array([(i, -i) for i in range(count)], np.float32)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 12, 13, 50])
def test_all_rows_come_back_in_order(small_limit, count):
    np.testing.assert_array_equal(rows(count).join(), expected(count))


def test_rows_may_follow_a_result_and_earlier_results_stay_as_they_were(small_limit):
    made = rows(21)
    first = made.join()
    for i in range(21, 40):
        made.append((i, -i))
    second = made.join()
    np.testing.assert_array_equal(first, expected(21))
    np.testing.assert_array_equal(second, expected(40))
    first[0] = 5
    np.testing.assert_array_equal(made.join(), expected(40))


def test_missing_rows_come_first(small_limit):
    joined = rows(3, missing=10).join()
    assert np.isnan(joined[:10]).all()
    np.testing.assert_array_equal(joined[10:], expected(3))


def test_long_arrays_are_in_a_file_and_short_ones_in_memory(small_limit):
    assert rows(7)._file is None
    assert rows(9)._file is not None


def test_asking_again_gives_the_same(small_limit):
    made = rows(30)
    np.testing.assert_array_equal(made.join(), made.join())


def test_mapped_rows_are_the_same_after_their_memory_was_taken_back(small_limit):
    joined = rows(5000).join()
    joined[3] = 7
    changed = joined.copy()
    page_out([joined, joined[100:200], np.zeros(3)])
    np.testing.assert_array_equal(joined, changed)

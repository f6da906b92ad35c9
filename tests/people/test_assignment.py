"""Pairs of least cost, against trying all ways."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mien.people.assignment import assign

COSTS = arrays(
    np.float64,
    st.tuples(st.integers(0, 4), st.integers(0, 4)),
    elements=st.one_of(st.floats(0, 2), st.just(np.inf), st.just(np.nan)),
)


def saving(costs, pairs, limit):
    return sum(limit - costs[pair] for pair in pairs)


def best_saving(costs, limit):
    rows, columns = costs.shape
    best = 0.0
    for order in permutations(range(max(rows, columns)), rows):
        pairs = [(row, column) for row, column in enumerate(order) if column < columns]
        best = max(best, saving(costs, [pair for pair in pairs if costs[pair] < limit], limit))
    return best


@settings(max_examples=200, deadline=None)
@given(COSTS, st.floats(0.1, 2))
def test_no_other_pairs_save_more(costs, limit):
    pairs = assign(costs, limit)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    assert all(costs[pair] <= limit for pair in pairs)
    assert saving(costs, pairs, limit) == pytest.approx(best_saving(costs, limit))


def test_two_good_pairs_are_better_than_one_very_good_one():
    assert assign(np.array([[0.0, 0.2], [0.1, np.inf]]), 1.0) == [(0, 1), (1, 0)]


def test_nothing_is_paired_with_nothing():
    assert assign(np.zeros((0, 3)), 1.0) == assign(np.zeros((3, 0)), 1.0) == []

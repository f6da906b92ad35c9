"""Pairs of least total cost, for the few faces of a frame (Kuhn 1955; Jonker and Volgenant 1987)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_OUT_OF_REACH = 1e6


def assign(costs: NDArray[np.float64], limit: float) -> list[tuple[int, int]]:
    """Pair rows with columns so that as much cost as possible below the limit is saved.

    Of all ways to form pairs, the one with the least sum of (cost - limit) is taken: a pair that costs more
    than the limit is never formed, and two good pairs are better than one very good one.

    Parameters
    ----------
    costs
        (R, C) float64; infinite or NaN where a pair is impossible.
    limit
        Greatest cost of a pair.

    Returns
    -------
    list of (row, column)
        In the order of rows.
    """
    rows, columns = costs.shape
    # Every row may also stay alone, in a column of its own, at the limit's cost.
    usable = np.nan_to_num(costs, nan=_OUT_OF_REACH, posinf=_OUT_OF_REACH)
    alone = np.full((rows, rows), _OUT_OF_REACH)
    np.fill_diagonal(alone, limit)
    chosen = _complete_matching(np.concatenate([usable, alone], axis=1).tolist())
    return [(row, column) for row, column in enumerate(chosen) if column < columns]


def _complete_matching(costs: list[list[float]]) -> list[int]:
    """Column of every row in the matching of least total cost; at least as many columns as rows.

    Shortest augmenting paths with potentials; rows and columns count from 1 inside, 0 is the start.
    """
    rows, columns = len(costs), len(costs[0]) if costs else 0
    row_potential, column_potential = [0.0] * (rows + 1), [0.0] * (columns + 1)
    row_of = [0] * (columns + 1)
    for new in range(1, rows + 1):
        row_of[0], column = new, 0
        shortest, before, done = [math.inf] * (columns + 1), [0] * (columns + 1), [False] * (columns + 1)
        while row_of[column]:
            done[column] = True
            row = row_of[column]
            for j in range(1, columns + 1):
                reduced = costs[row - 1][j - 1] - row_potential[row] - column_potential[j]
                if not done[j] and reduced < shortest[j]:
                    shortest[j], before[j] = reduced, column
            column = min((j for j in range(1, columns + 1) if not done[j]), key=shortest.__getitem__)
            step = shortest[column]
            for j in range(columns + 1):
                if done[j]:
                    row_potential[row_of[j]] += step
                    column_potential[j] -= step
                else:
                    shortest[j] -= step
        while column:
            row_of[column] = row_of[before[column]]
            column = before[column]
    matched = [0] * rows
    for column in range(1, columns + 1):
        if row_of[column]:
            matched[row_of[column] - 1] = column - 1
    return matched

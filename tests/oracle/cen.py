"""Slow, obvious twins of the CEN patch experts and of the early-termination search.

Written from patch-experts-ce-clm.md and hypotheses.md, in float64 and one window at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from mien.models.records import CenRecord, DenseLayer
from oracle.landmarks import SUPPORT, area_of_interest, normalised_window


def dense(layers: Sequence[DenseLayer], values: np.ndarray) -> float:
    """The network's single output."""
    for layer in layers:
        z = layer.weight.astype(float) @ values + layer.bias.astype(float)
        if layer.activation == 0:
            values = 0.5 * (1 + np.tanh(z / 2))
        elif layer.activation == 2:
            values = np.maximum(z, 0)
        else:
            values = z
    return float(values[0])


def window_inputs(area: np.ndarray, row: int, column: int) -> np.ndarray:
    """122 numbers: 1, then the contrast-normalised pixels column by column."""
    return np.append(1.0, normalised_window(area, row, column).T.reshape(-1))


def evaluated_positions(window: int) -> list[tuple[int, int]]:
    """(row, column) of the positions numbered k = column · w + row with odd k, in that order."""
    return [(k % window, k // window) for k in range(window * window) if k % 2 == 1]


def interpolation_matrix(window: int) -> np.ndarray:
    """((w² - 1) / 2, w²): from the evaluated positions to all, numbered column by column."""
    evaluated = evaluated_positions(window)
    matrix = np.zeros((len(evaluated), window * window))
    for column in range(window):
        for row in range(window):
            k = column * window + row
            if (row, column) in evaluated:
                matrix[evaluated.index((row, column)), k] = 1
                continue
            around = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
            inside = [p for p in around if 0 <= p[0] < window and 0 <= p[1] < window]
            for place in inside:
                matrix[evaluated.index(place), k] = 1 / len(inside)
    return matrix


def response(area: np.ndarray, layers: Sequence[DenseLayer]) -> np.ndarray:
    """(w, w) map of one landmark; rows are y."""
    window = area.shape[0] - SUPPORT + 1
    values = [dense(layers, window_inputs(area, r, c)) for r, c in evaluated_positions(window)]
    return (np.array(values) @ interpolation_matrix(window)).reshape(window, window).T


def mirrored_response(area: np.ndarray, layers: Sequence[DenseLayer]) -> np.ndarray:
    """The map by an expert of the other side of the face."""
    return response(area[:, ::-1], layers)[:, ::-1]


def responses_of_areas(areas: Sequence[np.ndarray], record: CenRecord, view: int) -> dict[int, np.ndarray]:
    """Landmark to its map, for those that some expert serves; ``areas``: one of each landmark."""
    out: dict[int, np.ndarray] = {}
    for i in np.flatnonzero(record.visibility[view]).tolist():
        layers = record.experts[view][i]
        mirror = int(record.mirror_landmark[i])
        if view == 0:
            if not layers:
                continue
            out[i] = response(areas[i], layers)
            if mirror != i:
                out[mirror] = mirrored_response(areas[mirror], layers)
        elif layers:
            out[i] = response(areas[i], layers)
        else:
            borrowed = record.experts[int(record.mirror_view[view])][mirror]
            if borrowed:
                out[i] = mirrored_response(areas[i], borrowed)
    return out


def responses(
    gray: np.ndarray, points: np.ndarray, b: np.ndarray, record: CenRecord, view: int, window: int
) -> np.ndarray:
    """(n, w, w) maps of all landmarks (2, n), 0 where none is to be had; ``b`` (2,): B00 and B10."""
    side = window + SUPPORT - 1
    areas = [area_of_interest(gray, *points[:, i], b[0], b[1], side) for i in range(points.shape[1])]
    out = np.zeros((points.shape[1], window, window))
    for i, values in responses_of_areas(areas, record, view).items():
        out[i] = values
    return out


# --- early termination ------------------------------------------------------------------------------------


def search(
    weights: Sequence[float],
    biases: Sequence[float],
    cutoffs: Sequence[float],
    coarse: Sequence[tuple[int, float]],
    complete: Callable[[int, bool], tuple[float, float, bool]],
) -> tuple[int, float, bool, bool, list[tuple[int, bool]]]:
    """Early termination, word for word (docs/algorithms/hypotheses.md).

    ``coarse``: view and likelihood of every hypothesis. ``complete`` fits a hypothesis to the end, from its
    shape (True) or from the mean shape (False), and gives likelihood, certainty and success.

    Returns the winner, the certainty, the model's success flag, the returned flag, and what was completed.
    """
    remembered = []
    for h, (view, likelihood) in enumerate(coarse):
        u = weights[view] * likelihood + biases[view]
        if u > cutoffs[view]:
            _, certainty, success = complete(h, True)
            return h, certainty, success, success, [(h, True)]
        remembered.append((u, h))
    # Equal u: the order is unspecified; here the earlier one comes first.
    best_three = sorted(remembered, key=lambda item: (-item[0], item[1]))[:3]
    winner, highest, winner_success = -1, -math.inf, False
    certainty, success, done = 0.0, False, []
    for _, h in best_three:
        keeps_shape = h == len(coarse) - 1
        likelihood, certainty, success = complete(h, keeps_shape)
        done.append((h, keeps_shape))
        if winner < 0 or likelihood > highest:
            winner, highest, winner_success = h, likelihood, success
    return winner, certainty, winner_success, success, done

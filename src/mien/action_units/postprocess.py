"""What is done to action units at the end of a video (docs/algorithms/action-unit-postprocessing.md).

Shapes: N frames, A action units. All functions return new arrays. Histories are worked on unit by unit: a
long one needs no more than one array of its size besides the result.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

S = TypeVar("S", bound=np.generic)

MAX_INTENSITY = 5.0
_VOTES = 7


def replace_first(history: NDArray[S], ok: NDArray[np.bool_], values: NDArray[S]) -> NDArray[S]:
    """Overwrite the first successful frames of a history (N, A) with ``values`` (K, A)."""
    result = history.copy()
    result[np.flatnonzero(ok)[: len(values)]] = values
    return result


def dynamic_offsets(
    history: NDArray[np.float64], ok: NDArray[np.bool_], cutoffs: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What counts as the zero of each intensity; docs/algorithms/action-unit-postprocessing.md#intensity.

    Parameters
    ----------
    history
        (N, A) raw intensities.
    ok
        (N,) which frames succeeded.
    cutoffs
        (A,) quantile of the successful frames; NaN for an offset of zero.

    Returns
    -------
    ndarray
        (A,) float64.
    """
    count = int(np.count_nonzero(ok))
    offsets = np.zeros(history.shape[1])
    if count:
        for column in np.flatnonzero(~np.isnan(cutoffs)):
            rank = min(int(count * cutoffs[column]), count - 1)
            offsets[column] = np.sort(history[ok, column])[rank]
    return offsets


def smooth_intensity(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centred mean of three frames (N, A); the first and the last frame stay as they are."""
    result = values.copy()
    result[1:-1] = (values[:-2] + values[1:-1] + values[2:]) / 3.0
    return result


def shift_intensity(
    history: NDArray[np.float64], ok: NDArray[np.bool_], offsets: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Raw history (N, A) relative to its zeros (A,), limited to 0..5; failed frames count as 0."""
    values = np.clip(history - offsets, 0.0, MAX_INTENSITY)
    return np.where(ok[:, None], values, 0.0)


def finish_intensity(
    history: NDArray[np.float64], ok: NDArray[np.bool_], cutoffs: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Intensities of a video from its raw history (N, A); docs/algorithms/action-unit-postprocessing.md."""
    offsets = dynamic_offsets(history, ok, cutoffs)
    result = np.empty_like(history)
    for unit in range(history.shape[1]):
        one = slice(unit, unit + 1)
        result[:, one] = smooth_intensity(shift_intensity(history[:, one], ok, offsets[one]))
    return result


def vote_presence(history: NDArray[np.float64]) -> NDArray[np.float64]:
    """Presence of a video from its history (N, A) of 0 and 1: the majority of seven frames.

    The first and the last three frames stay as they are.
    """
    result = history.copy()
    if len(history) >= _VOTES:
        for unit in range(history.shape[1]):
            windows = np.lib.stride_tricks.sliding_window_view(history[:, unit], _VOTES)
            result[_VOTES // 2 : -(_VOTES // 2), unit] = windows.sum(axis=-1) / _VOTES >= 0.5
    return result

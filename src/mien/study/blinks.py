"""How far the eyes are closed, from the opening that their landmarks show."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BLINK_UNIT = "AU45"
WINDOW_S = 3.0
"""Time over which the eyes' usual opening is taken: long against a blink, short against turns of the head."""


def closure(aspect: Floats, usable: NDArray[np.bool_], period_s: float) -> Floats:
    """Share by which the eyes are more closed than around that time.

    The aspect ratio changes with the shape of the eye and, slowly, with the head's pitch; a fixed threshold
    finds no blinks in one video and nothing else in another. It is therefore seen against its own median over
    `WINDOW_S`, which a blink hardly moves.

    Parameters
    ----------
    aspect
        (N,) the eyes' aspect ratio, see `mien.study.series.eye_aspect_ratio`.
    usable
        (N,) frames that count.
    period_s
        Time from one frame to the next, s.

    Returns
    -------
    ndarray
        (N,) float64: 0 as open as usual, 1 closed; NaN where it is not known.
    """
    shut = np.full(len(aspect), np.nan)
    row = np.flatnonzero(usable & np.isfinite(aspect))
    if not len(row) or not np.isfinite(period_s):
        return shut
    usual = running_median(aspect[row], max(1, round(WINDOW_S / period_s / 2)))
    shut[row] = 1 - np.divide(aspect[row], usual, out=np.ones(len(row)), where=usual > 0)
    return shut


def running_median(values: Floats, reach: int) -> Floats:
    """Median of every value and its neighbours, up to ``reach`` before and after; fewer at the ends.

    Parameters
    ----------
    values
        (N,) without NaN.
    reach
        Neighbours on each side.
    """
    if not len(values):
        return values
    padded = np.concatenate([np.full(reach, np.nan), values, np.full(reach, np.nan)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    out = np.empty(len(values))
    whole = slice(reach, max(reach, len(values) - reach))
    for start in range(whole.start, whole.stop, _CHUNK):
        end = min(start + _CHUNK, whole.stop)
        out[start:end] = np.median(windows[start:end], axis=1)
    for index in (
        *range(min(reach, len(values))),
        *range(max(whole.stop, min(reach, len(values))), len(values)),
    ):
        out[index] = np.nanmedian(windows[index])
    return out


_CHUNK = 4096
"""Windows sorted at a time: memory stays small however long the recording is."""

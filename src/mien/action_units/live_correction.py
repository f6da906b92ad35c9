"""Live intensities of a camera: relative to the lowest of what the person has shown so far."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.action_units.postprocess import MAX_INTENSITY

_LOW, _HIGH, _BINS = -3.0, 5.0, 200
_QUANTILE = 0.10
_FIRST_COUNT = 10


class LiveCorrection:
    """Corrects intensities of a camera (docs/algorithms/action-unit-predictors.md#live-values-of-a-camera).

    Parameters
    ----------
    count
        Number of action units.
    """

    def __init__(self, count: int) -> None:
        self._counters = np.zeros((count, _BINS), np.uint32)
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._counters.fill(0)
        self._count = 0

    def apply(self, raw: NDArray[np.float64], ok: bool) -> NDArray[np.float64]:
        """Corrected intensities of one frame, 0 to 5.

        Parameters
        ----------
        raw
            (count,) float64 raw intensities; zeros where the frame failed.
        ok
            Whether the frame succeeded; only then is it counted and shifted.
        """
        shift = np.zeros(len(raw))
        if ok:
            bins = np.nan_to_num((raw - _LOW) * _BINS / (_HIGH - _LOW)).astype(np.int64)
            self._counters[np.arange(len(raw)), np.clip(bins, 0, _BINS - 1)] += 1
            self._count += 1
            if self._count >= _FIRST_COUNT:
                above = self._counters.cumsum(axis=1) > int(_QUANTILE * self._count)
                shift = _LOW + above.argmax(axis=1) * (_HIGH - _LOW) / _BINS
        return np.clip(raw - shift, 0.0, MAX_INTENSITY)

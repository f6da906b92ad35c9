"""The neutral face of a person: a running median of every entry of the descriptor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.action_units import kernels
from mien.action_units.histogram import MedianHistogram, bin_centres

_SMALL_LIMIT = int(np.iinfo(np.uint16).max)


class RunningMedian:
    """Approximate running medians from histograms (docs/algorithms/action-unit-predictors.md).

    The histograms take ``length * bins`` counters of two bytes, from 65536 counted descriptors on of four.

    Parameters
    ----------
    length
        Number of entries of a descriptor.
    low, high
        Range of the histograms; values outside count at its ends.
    bins
        Number of bins.
    floor
        Medians below it are raised to it.

    Attributes
    ----------
    count : int
        Number of descriptors counted.
    value : ndarray
        (length,) float64: the current medians.
    """

    def __init__(self, length: int, low: float, high: float, bins: int, floor: float = -np.inf) -> None:
        self._range = low, high
        self._bins = bins
        self._floor = floor
        # Bin of the median, values below it, values in it, and work space.
        self._state = np.empty((4, length), np.int32)
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.count = 0
        self.value = np.zeros(self._state.shape[1])
        self._state.fill(0)
        self._counters: NDArray[np.uint16] | NDArray[np.uint32] = np.zeros((0, 0), np.uint16)

    def update(self, descriptor: NDArray[np.float64], ok: bool) -> None:
        """Take one step.

        Parameters
        ----------
        descriptor
            (length,) float64 of this frame; zeros where the frame failed.
        ok
            Whether it counts. A step with a failed frame still sets the medians.
        """
        if ok:
            self._count(descriptor)
        if self.count == 1:
            self.value = np.maximum(descriptor, self._floor)
        elif ok or self.count == 0:
            self.value = np.maximum(bin_centres(self._state[0], *self._range, self._bins), self._floor)

    def histogram(self) -> MedianHistogram:
        """What has been counted so far, to be kept or put together with other recordings."""
        flat = self._counters.reshape(-1)
        cells = np.flatnonzero(flat).astype(np.uint32)
        low, high = self._range
        return MedianHistogram(
            low=low,
            high=high,
            bins=self._bins,
            floor=self._floor,
            count=self.count,
            value=self.value,
            cells=cells,
            counters=flat[cells].astype(np.uint32),
        )

    def _count(self, descriptor: NDArray[np.float64]) -> None:
        if not self.count:
            self._counters = np.zeros((len(self.value), self._bins), np.uint16)
        elif self.count == _SMALL_LIMIT:
            self._counters = self._counters.astype(np.uint32)
        self.count += 1
        kernels.count_and_move(descriptor, *self._range, self.count, self._counters, *self._state)

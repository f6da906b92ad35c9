"""The neutral face of a person: a running median of every entry of the descriptor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mien.action_units import kernels
from mien.action_units.histogram import MedianHistogram, bin_centres, median_bins

_AT_ONCE = 64
"""Descriptors that `TalliedMedian` counts together."""
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
        return _histogram(self._counters, self._range, self._bins, self._floor, self.count, self.value)

    def _count(self, descriptor: NDArray[np.float64]) -> None:
        if not self.count:
            self._counters = np.zeros((len(self.value), self._bins), np.uint16)
        elif self.count == _SMALL_LIMIT:
            self._counters = self._counters.astype(np.uint32)
        self.count += 1
        kernels.count_and_move(descriptor, *self._range, self.count, self._counters, *self._state)


class TalliedMedian:
    """Counts descriptors for a median that is wanted at the end only: as `RunningMedian`, but cheaper.

    Descriptors are counted many at a time, entry by entry, so that the histograms pass through the
    processor's cache once for all of them.

    Parameters
    ----------
    length, low, high, bins, floor
        As for `RunningMedian`.
    """

    def __init__(self, length: int, low: float, high: float, bins: int, floor: float = -np.inf) -> None:
        self._range, self._bins, self._floor = (low, high), bins, floor
        self._counters: NDArray[np.uint16] | NDArray[np.uint32] = np.zeros((length, bins), np.uint16)
        self._first = np.zeros(length)
        self._waiting = np.empty((_AT_ONCE, length), np.float32)
        self._filled = 0
        self.count = 0

    def add(self, descriptor: NDArray[np.float64]) -> None:
        """Count a descriptor (length,) of a successful frame."""
        if self.count == 0:
            self._first = descriptor.copy()
        self._waiting[self._filled] = descriptor
        self._filled += 1
        self.count += 1
        if self._filled == _AT_ONCE:
            self._flush()

    def histogram(self) -> MedianHistogram:
        """What has been counted so far, and the median of it."""
        self._flush()
        found = _histogram(self._counters, self._range, self._bins, self._floor, self.count, self._first)
        if not self.count:
            return found
        value = found.value
        if self.count > 1:
            middle = median_bins(found.cells, found.counters, self._bins, len(value))
            value = bin_centres(middle, *self._range, self._bins)
        return replace(found, value=np.maximum(value, self._floor))

    def _flush(self) -> None:
        if self._counters.dtype == np.uint16 and self.count > _SMALL_LIMIT:
            self._counters = self._counters.astype(np.uint32)
        kernels.count_many(self._waiting[: self._filled], *self._range, self._counters)
        self._filled = 0


def _histogram(
    counters: NDArray[np.uint16] | NDArray[np.uint32],
    span: tuple[float, float],
    bins: int,
    floor: float,
    count: int,
    value: NDArray[np.float64],
) -> MedianHistogram:
    flat = counters.reshape(-1)
    cells = np.flatnonzero(flat).astype(np.uint32)
    return MedianHistogram(*span, bins, floor, count, value, cells, flat[cells].astype(np.uint32))

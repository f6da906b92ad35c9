"""What the running medians have counted, small enough to keep, and medians over several recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class MedianHistogram:
    """Histograms of a descriptor's entries, without empty cells (docs/algorithms/action-unit-predictors.md).

    D entries, B bins; K cells are not empty.

    Attributes
    ----------
    low, high
        Range of the histograms.
    bins
        B.
    floor
        Medians below it are raised to it.
    count
        Number of descriptors counted.
    value
        (D,) float64: the medians of this recording.
    cells
        (K,) uint32, ascending: entry * B + bin.
    counters
        (K,) uint32, how many descriptors fell into each cell.
    """

    low: float
    high: float
    bins: int
    floor: float
    count: int
    value: NDArray[np.float64]
    cells: NDArray[np.uint32]
    counters: NDArray[np.uint32]

    def same_layout(self, other: MedianHistogram) -> bool:
        """Whether both count the same entries in the same bins."""
        mine = (self.low, self.high, self.bins, self.floor, len(self.value))
        return mine == (other.low, other.high, other.bins, other.floor, len(other.value))


def pooled_median(histograms: Sequence[MedianHistogram]) -> NDArray[np.float64]:
    """Median of every entry over all recordings together, steps 3 and 4 of the neutral face.

    Parameters
    ----------
    histograms
        One of each recording, at least one.

    Returns
    -------
    ndarray
        (D,) float64: what `RunningMedian` would hold, had it counted all that they have counted.

    Raises
    ------
    ValueError
        There is none, or their layouts differ.
    """
    if not histograms:
        raise ValueError("expected the histograms of at least one recording, got none")
    first = histograms[0]
    if not all(first.same_layout(other) for other in histograms):
        raise ValueError("expected histograms of one layout, got different ranges or numbers of bins")
    counted = [histogram for histogram in histograms if histogram.count]
    if len(counted) == 1:
        # A single descriptor is its own median, not the centre of its bin: only the recording knows it.
        return counted[0].value
    bins = np.zeros(len(first.value), np.uint32)
    if counted:
        cells = np.concatenate([histogram.cells for histogram in counted])
        order = np.argsort(cells, kind="stable")  # a merge: those of each recording are ascending
        counters = np.concatenate([histogram.counters for histogram in counted])[order]
        bins = median_bins(cells[order], counters, first.bins, len(bins))
    return np.maximum(bin_centres(bins, first.low, first.high, first.bins), first.floor)


def median_bins(
    cells: NDArray[np.uint32], counters: NDArray[np.unsignedinteger], bins: int, length: int
) -> NDArray[np.uint32]:
    """The first bin of every entry's histogram whose cumulative count reaches half.

    Parameters
    ----------
    cells
        (K,) uint32, ascending: entry * bins + bin; one may be there several times.
    counters
        (K,) how many values fell into each; for every entry they add up to the same.
    bins, length
        Number of bins and of entries.

    Returns
    -------
    ndarray
        (length,) uint32.
    """
    reached = counters.cumsum(dtype=np.int64)
    count = int(reached[-1]) // length if len(reached) else 0
    halves = np.arange(length) * count + (count + 1) // 2
    return np.asarray(cells[np.searchsorted(reached, halves)] % np.uint32(bins))


def bin_centres(index: NDArray[np.integer], low: float, high: float, bins: int) -> NDArray[np.float64]:
    """Values in the middle of bins; docs/algorithms/action-unit-predictors.md#the-neutral-face, step 3."""
    return np.asarray(low + index * (high - low) / bins + 0.5 * (high - low) / bins, np.float64)

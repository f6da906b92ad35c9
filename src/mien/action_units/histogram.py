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
    total = np.zeros((len(first.value), first.bins), np.int64)
    for histogram in counted:
        total.reshape(-1)[histogram.cells] += histogram.counters
    cut = (sum(histogram.count for histogram in counted) + 1) // 2
    bins = (total.cumsum(axis=1) >= cut).argmax(axis=1)
    return np.maximum(bin_centres(bins, first.low, first.high, first.bins), first.floor)


def bin_centres(index: NDArray[np.integer], low: float, high: float, bins: int) -> NDArray[np.float64]:
    """Values in the middle of bins; docs/algorithms/action-unit-predictors.md#the-neutral-face, step 3."""
    return np.asarray(low + index * (high - low) / bins + 0.5 * (high - low) / bins, np.float64)

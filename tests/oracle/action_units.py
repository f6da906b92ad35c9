"""Slow, obvious twins of the running median and of post-processing (docs/algorithms)."""

from __future__ import annotations

import numpy as np


class NaiveMedian:
    """The definition: count, then scan every histogram from its first bin."""

    def __init__(self, low, high, bins, clamp):
        self.low, self.high, self.bins, self.clamp = low, high, bins, clamp
        self.histogram = None
        self.count = 0

    def update(self, descriptor, ok):
        if self.histogram is None:
            self.histogram = np.zeros((len(descriptor), self.bins), int)
        if ok:
            for d, value in enumerate(descriptor):
                position = (value - self.low) * self.bins / (self.high - self.low)
                self.histogram[d, int(min(max(position, 0), self.bins - 1))] += 1
            self.count += 1
        if self.count == 1:
            median = np.array(descriptor, float)
        else:
            cut = (self.count + 1) // 2
            width = (self.high - self.low) / self.bins
            first = [next(j for j, c in enumerate(np.cumsum(row)) if c >= cut) for row in self.histogram]
            median = np.array([self.low + j * width + 0.5 * width for j in first])
        return np.maximum(median, 0) if self.clamp else median


def scores(predictors, descriptor, median):
    """Raw output of each predictor; docs/algorithms/action-unit-predictors.md#prediction."""
    return np.array(
        [(descriptor - p.means - (median if p.dynamic else 0)) @ p.weights + p.bias for p in predictors]
    )


def offset(history, ok, cutoff):
    """What counts as zero of one intensity; docs/algorithms/action-unit-postprocessing.md#intensity."""
    good = sorted(v for v, fine in zip(history, ok, strict=True) if fine)
    return good[int(len(good) * cutoff)] if good and not np.isnan(cutoff) else 0.0


def finish_intensity(history, ok, cutoff):
    """One intensity of a video; docs/algorithms/action-unit-postprocessing.md#intensity."""
    zero = offset(history, ok, cutoff)
    clamped = [min(max(v - zero, 0), 5) if fine else 0 for v, fine in zip(history, ok, strict=True)]
    smooth = list(clamped)
    for i in range(1, len(clamped) - 1):
        smooth[i] = (clamped[i - 1] + clamped[i] + clamped[i + 1]) / 3
    return smooth


def vote(history):
    """One presence of a video; docs/algorithms/action-unit-postprocessing.md#presence."""
    voted = list(history)
    if len(history) >= 7:
        for i in range(3, len(history) - 3):
            voted[i] = 1 if sum(history[i - 3 : i + 4]) / 7 >= 0.5 else 0
    return voted


class NaiveCorrection:
    """Live intensity of a camera; docs/algorithms/action-unit-predictors.md#live-values-of-a-camera."""

    def __init__(self):
        self.histogram = [0] * 200
        self.count = 0

    def apply(self, value, ok):
        shift = 0.0
        if ok:
            self.histogram[min(max(int((value + 3) * 200 / 8), 0), 199)] += 1
            self.count += 1
            if self.count >= 10:
                cut, total = int(0.10 * self.count), 0
                for j, number in enumerate(self.histogram):
                    total += number
                    if total > cut:
                        shift = -3 + j * 8 / 200
                        break
        return min(max(value - shift, 0), 5)

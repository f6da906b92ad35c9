"""Kernels of running medians and linear predictors (docs/algorithms/action-unit-predictors.md)."""

from __future__ import annotations

import numpy as np

from mien.runtime.jit import fast_kernel, kernel


@kernel
def count_and_move(descriptor, low, high, count, counters, bins, below, here, index):
    """Count a descriptor (D,) in the histograms ``counters`` (D, B), and move every median to its new bin.

    ``count`` is the number of descriptors counted, this one included. The median is the first bin whose
    cumulative count reaches half of it. Its state per dimension is that bin, how many values lie ``below`` it
    and how many ``here``: a new value moves it by a few bins at most. The counters are the only large array,
    so they are touched in a loop of their own that never waits for a decision. ``index`` (D,) is work space.
    """
    size = counters.shape[1]
    last = size - 1.0
    for d in range(descriptor.shape[0]):
        position = (descriptor[d] - low) * size / (high - low)
        position = position if position > 0.0 else 0.0
        k = np.int32(position if position < last else last)
        index[d] = k
        below[d] += np.int32(1) if k < bins[d] else np.int32(0)
        here[d] += np.int32(1) if k == bins[d] else np.int32(0)
    for d in range(descriptor.shape[0]):
        counters[d, index[d]] += 1
    if count == 1:
        for d in range(descriptor.shape[0]):
            bins[d], below[d], here[d] = index[d], 0, 1
        return
    cut = (count + 1) // 2
    for d in range(descriptor.shape[0]):
        j, less, equal = bins[d], below[d], here[d]
        if less < cut and less + equal >= cut:
            continue
        while less >= cut:
            j -= 1
            equal = np.int32(counters[d, j])
            less -= equal
        while less + equal < cut:
            less += equal
            j += 1
            equal = np.int32(counters[d, j])
        bins[d], below[d], here[d] = j, less, equal


@fast_kernel
def weigh(descriptors, weights, out):
    """``out`` (K, P) = ``descriptors`` (K, D) times ``weights`` (P, D) transposed; weights are read once."""
    for p in range(weights.shape[0]):
        for k in range(descriptors.shape[0]):
            total = 0.0
            for i in range(weights.shape[1]):
                total += descriptors[k, i] * weights[p, i]
            out[k, p] = total

"""Latency, rate and drops, counted in constant memory."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.live.statistics import LiveStatistics


def test_nothing_is_known_before_the_first_result():
    summary = LiveStatistics().summary()
    assert (summary.frames, summary.dropped, summary.seconds) == (0, 0, 0.0)
    assert math.isnan(summary.latency_median_s)
    assert math.isnan(LiveStatistics().fps)


def test_the_rate_is_that_of_the_last_results():
    statistics = LiveStatistics()
    for i in range(100):
        statistics.add(i / 10 if i < 50 else 5 + (i - 50) / 25, 0.01, 0)
    assert statistics.fps == pytest.approx(25)


def test_a_summary_says_what_was_reached():
    statistics = LiveStatistics()
    for i, latency in enumerate((0.010, 0.030, 0.020, 0.5)):
        statistics.add(10 + i, latency, dropped=i)
    summary = statistics.summary()
    assert (summary.frames, summary.dropped, summary.seconds) == (4, 3, 3)
    assert summary.latency_median_s == pytest.approx(0.030)
    assert summary.latency_worst_s == 0.5


@given(st.lists(st.floats(0, 9), min_size=1, max_size=60), st.sampled_from([0.1, 0.5, 0.95]))
def test_quantiles_are_those_of_the_sorted_latencies(latencies, quantile):
    statistics = LiveStatistics()
    for i, latency in enumerate(latencies):
        statistics.add(i, latency, 0)
    rank = min(len(latencies), int(quantile * len(latencies)) + 1)
    assert statistics.latency_s(quantile) == pytest.approx(np.sort(latencies)[rank - 1], abs=1e-4)


def test_latencies_beyond_the_scale_count_at_its_end():
    statistics = LiveStatistics()
    statistics.add(0, 60.0, 0)
    assert statistics.latency_s(0.5) == pytest.approx(10)
    assert statistics.summary().latency_worst_s == 60

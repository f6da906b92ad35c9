"""Running medians equal the definition at every step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mien.action_units.running_median as module
from mien.action_units.running_median import RunningMedian
from oracle.action_units import NaiveMedian

FHOG = (-0.005, 1.0, 1000)
SHAPE = (-60.0, 60.0, 10000)
SMALL = (-1.0, 2.0, 7)


def pair(length, ranges, clamp):
    return RunningMedian(length, *ranges, *([0.0] if clamp else [])), NaiveMedian(*ranges, clamp)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([FHOG, SMALL]),
    st.booleans(),
    st.lists(st.booleans(), min_size=1, max_size=40),
)
def test_medians_equal_the_naive_twin_at_every_step(seed, ranges, clamp, flags):
    rng = np.random.default_rng(seed)
    fast, slow = pair(5, ranges, clamp)
    for ok in flags:
        # Also values outside the range and on the borders of bins.
        descriptor = rng.normal(0.3, 0.6, 5) if ok else np.zeros(5)
        descriptor[0] = round(descriptor[0], 1)
        fast.update(descriptor, ok)
        expected = slow.update(descriptor, ok)
        np.testing.assert_allclose(fast.value, expected, rtol=0, atol=1e-14)
        assert fast.count == slow.count


@pytest.mark.parametrize(("ranges", "clamp", "spread"), [(FHOG, True, 0.1), (SHAPE, False, 15.0)])
def test_medians_of_a_long_drifting_series_equal_the_naive_twin(ranges, clamp, spread):
    rng = np.random.default_rng(4)
    fast, slow = pair(6, ranges, clamp)
    for i in range(150):
        descriptor = rng.normal(spread * np.sin(i / 20), spread, 6)
        fast.update(descriptor, True)
        expected = slow.update(descriptor, True)
        np.testing.assert_allclose(fast.value, expected, rtol=0, atol=1e-13)


def test_without_any_success_the_median_is_the_first_bin():
    shape, fhog = RunningMedian(3, *SHAPE), RunningMedian(3, *FHOG, 0.0)
    for median in (shape, fhog):
        median.update(np.zeros(3), False)
    np.testing.assert_allclose(shape.value, -59.994)
    np.testing.assert_array_equal(fhog.value, 0)


def test_with_one_success_the_median_is_the_descriptor_of_the_step_even_a_failed_one():
    median = RunningMedian(2, *SHAPE)
    median.update(np.array([1.2345, -3.21]), True)
    np.testing.assert_array_equal(median.value, [1.2345, -3.21])
    median.update(np.zeros(2), False)
    np.testing.assert_array_equal(median.value, [0, 0])
    median.update(np.array([5.0, 5.0]), True)
    np.testing.assert_allclose(median.value, [1.230, -3.210], atol=1e-9)
    assert median.count == 2


def test_negative_medians_are_raised_where_a_floor_is_given():
    median = RunningMedian(1, *FHOG, 0.0)
    median.update(np.array([-0.004]), True)
    assert median.value[0] == 0
    median.update(np.array([-0.004]), True)
    assert median.value[0] == 0


def test_not_a_number_counts_at_the_lower_end_and_does_no_harm():
    median = RunningMedian(1, *SMALL)
    for _ in range(3):
        median.update(np.array([np.nan]), True)
    assert median.value[0] == pytest.approx(-1 + 0.5 * 3 / 7)


def test_a_returned_value_does_not_change_later():
    median = RunningMedian(2, *SMALL)
    values = []
    for i in range(4):
        median.update(np.full(2, i / 2), True)
        values.append((median.value, median.value.copy()))
    for kept, copy in values:
        np.testing.assert_array_equal(kept, copy)


def test_reset_forgets_everything():
    rng = np.random.default_rng(1)
    used, fresh = RunningMedian(4, *FHOG), RunningMedian(4, *FHOG)
    for _ in range(9):
        used.update(rng.random(4), True)
    used.reset()
    assert used.count == 0
    assert not used.value.any()
    for _ in range(5):
        descriptor = rng.random(4)
        used.update(descriptor, True)
        fresh.update(descriptor, True)
        np.testing.assert_array_equal(used.value, fresh.value)


def test_counters_grow_before_they_overflow(monkeypatch):
    monkeypatch.setattr(module, "_SMALL_LIMIT", 12)
    rng = np.random.default_rng(2)
    fast, slow = pair(3, SMALL, False)
    for i in range(30):
        assert fast._counters.dtype == (np.uint16 if i <= 12 else np.uint32)
        descriptor = rng.normal(0, 0.1, 3)
        fast.update(descriptor, True)
        np.testing.assert_allclose(fast.value, slow.update(descriptor, True), atol=1e-14)


def test_counters_take_two_bytes_each_until_a_video_of_over_an_hour():
    median = RunningMedian(4464, *FHOG)
    median.update(np.zeros(4464), True)
    assert median._counters.nbytes == 4464 * 1000 * 2
    assert module._SMALL_LIMIT == 65535

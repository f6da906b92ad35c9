"""Live intensities of a camera."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.action_units.live_correction import LiveCorrection
from oracle.action_units import NaiveCorrection


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.booleans(), max_size=60))
def test_correction_equals_the_slow_twin(seed, flags):
    rng = np.random.default_rng(seed)
    fast, slow = LiveCorrection(3), [NaiveCorrection() for _ in range(3)]
    for ok in flags:
        raw = rng.normal(1, 3, 3) * ok
        expected = [twin.apply(value, ok) for twin, value in zip(slow, raw, strict=True)]
        np.testing.assert_allclose(fast.apply(raw, ok), expected, rtol=0, atol=1e-14)


def test_nothing_is_shifted_before_the_tenth_success():
    correction = LiveCorrection(1)
    for _ in range(9):
        assert correction.apply(np.array([2.5]), True)[0] == 2.5
    np.testing.assert_allclose(correction.apply(np.array([2.5]), True), 0.02)
    assert correction.apply(np.array([0.0]), False)[0] == 0
    correction.reset()
    assert correction.apply(np.array([2.5]), True)[0] == 2.5


def test_action_units_that_are_not_measured_stay_so():
    correction = LiveCorrection(2)
    for _ in range(12):
        corrected = correction.apply(np.array([1.0, np.nan]), True)
    assert corrected[0] == 0
    assert np.isnan(corrected[1])

"""Offline post-processing of whole histories."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.action_units.postprocess import (
    dynamic_offsets,
    finish_intensity,
    replace_first,
    smooth_intensity,
    vote_presence,
)
from oracle import action_units as oracle

SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(0, 30), st.sampled_from([0, 0.2, 0.7000000000000001, 0.999, np.nan]))
def test_intensity_equals_the_slow_twin(seed, frames, cutoff):
    rng = np.random.default_rng(seed)
    ok = rng.random(frames) < 0.7
    history = rng.normal(1, 2, (frames, 2)) * ok[:, None]
    finished = finish_intensity(history, ok, np.array([cutoff, np.nan]))
    for column, quantile in enumerate((cutoff, np.nan)):
        expected = oracle.finish_intensity(history[:, column], ok, quantile)
        np.testing.assert_allclose(finished[:, column], expected, rtol=0, atol=1e-15)


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(0, 30))
def test_presence_equals_the_slow_twin(seed, frames):
    history = np.random.default_rng(seed).integers(0, 2, (frames, 3)).astype(float)
    voted = vote_presence(history)
    for column in range(3):
        np.testing.assert_array_equal(voted[:, column], oracle.vote(history[:, column]))


def test_rank_uses_the_cutoff_as_it_is_stored():
    # 700 frames times the literal 0.7 is 489.99..., times the stored number 490.
    history, ok = np.arange(700.0)[:, None], np.ones(700, bool)
    assert dynamic_offsets(history, ok, np.array([0.7]))[0] == 489
    assert dynamic_offsets(history, ok, np.array([0.7000000000000001]))[0] == 490


def test_failed_frames_do_not_enter_the_offset_but_the_smoothing():
    history = np.array([[3.0], [0.0], [3.0], [6.0]])
    ok = np.array([True, False, True, True])
    finished = finish_intensity(history, ok, np.array([0.0]))
    np.testing.assert_allclose(finished[:, 0], [0, 0, 1, 3])
    np.testing.assert_allclose(finish_intensity(history, ok, np.array([np.nan]))[:, 0], [3, 2, 8 / 3, 5])


def test_without_any_success_all_intensities_are_zero():
    assert not finish_intensity(np.zeros((5, 2)), np.zeros(5, bool), np.array([0.5, np.nan])).any()


def test_smoothing_leaves_the_first_and_the_last_frame():
    values = np.array([[3.0], [0.0], [0.0], [9.0]])
    np.testing.assert_array_equal(smooth_intensity(values)[:, 0], [3, 1, 3, 9])


def test_a_failed_frame_can_win_the_vote():
    history = np.ones((9, 1))
    history[4] = 0
    assert vote_presence(history).all()


@pytest.mark.parametrize("frames", [0, 1, 6])
def test_short_videos_are_not_voted_on(frames):
    history = (np.arange(frames) % 2).astype(float)[:, None]
    np.testing.assert_array_equal(vote_presence(history), history)


def test_only_the_first_successful_frames_are_replaced():
    ok = np.array([False, True, True, False, True])
    history = np.arange(5.0)[:, None]
    replaced = replace_first(history, ok, np.array([[10.0], [20.0]]))
    np.testing.assert_array_equal(replaced[:, 0], [0, 10, 20, 3, 4])
    np.testing.assert_array_equal(history[:, 0], np.arange(5.0))
    np.testing.assert_array_equal(replace_first(history, ok, np.empty((0, 1))), history)

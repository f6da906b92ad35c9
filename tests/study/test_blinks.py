"""Blinks: from the intensity of AU45, and from the opening that the eyelids' landmarks show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_events import series

from mien.study import find_events, series_of_result
from mien.study.blinks import closure, running_median
from mien.study.series import eye_aspect_ratio
from synthetic_result import make_result

FPS = 30


def dips(rows, *spans, low=0.1, usual=0.3):
    values = np.full(rows, usual)
    for first, last in spans:
        values[first:last] = low
    return values


def blinks(face):
    return [event for event in find_events(face) if event.kind == "blink"]


def test_the_aspect_ratio_is_height_over_width():
    eye = np.array([[[0, 0], [10, -4], [20, -6], [30, 0], [20, 6], [10, 4]]], np.float32)
    assert eye_aspect_ratio(eye) == pytest.approx([(8 + 12) / 2 / 30])
    assert np.isnan(eye_aspect_ratio(np.zeros((1, 6, 2), np.float32)))


def test_the_ratio_of_a_result_is_the_mean_of_both_eyes():
    result = make_result(3)
    eyes = [result.landmarks[:, 36:42], result.landmarks[:, 42:48]]
    expected = np.mean([eye_aspect_ratio(eye) for eye in eyes], axis=0)
    (face,) = series_of_result(result)
    assert face.eye_aspect == pytest.approx(expected)


def test_dips_of_the_eyes_opening_are_blinks_and_long_ones_are_not():
    face = series([0] * 300, eye_aspect=dips(300, (50, 55), (150, 157), (200, 220)))
    found = blinks(face)
    assert [(event.onset_frame, event.offset_frame) for event in found] == [(51, 55), (151, 157)]
    assert {event.signal for event in found} == {"eye_aspect"}
    assert found[0].peak == pytest.approx(2 / 3)


def test_slow_changes_of_the_opening_are_no_blinks():
    slow = 0.3 + 0.1 * np.sin(np.arange(600) / 600 * 2 * np.pi)
    assert not blinks(series([0] * 600, eye_aspect=slow))
    with_blink = slow.copy()
    with_blink[400:405] *= 0.4
    assert len(blinks(series([0] * 600, eye_aspect=with_blink))) == 1


def test_peaks_of_au45_are_blinks_and_long_closures_are_not():
    values = np.zeros(300)
    values[50:56], values[100:110], values[200:230] = 2.0, 0.8, 3.0
    face = replace(series([0] * 300), intensity={"AU45": values})
    assert [(event.onset_frame, event.offset_frame) for event in blinks(face)] == [(51, 56)]


def test_frames_that_do_not_count_are_not_seen_as_closed_eyes():
    success = np.ones(200, bool)
    success[50:53] = False
    aspect = dips(200, (50, 53), low=0.0)
    assert not blinks(series([0] * 200, success=success, eye_aspect=aspect))
    shut = closure(aspect, success, 1 / FPS)
    assert np.isnan(shut[50:53]).all()
    assert shut[0] == 0


@given(st.lists(st.floats(0, 1), max_size=40), st.integers(1, 12))
def test_the_running_median_is_that_of_each_neighbourhood(values, reach):
    array = np.array(values)
    expected = [np.median(array[max(0, i - reach) : i + reach + 1]) for i in range(len(array))]
    assert running_median(array, reach) == pytest.approx(expected)

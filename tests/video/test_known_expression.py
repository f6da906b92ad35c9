"""A portrait with a known expression: what moves, what stays, and how following it is judged."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from mien.data import PORTRAIT
from mien.video.known_expression import ACTIONS, SIDES, express, follow_action, portrait_expression

RELAXED = {f"{action}_{side}": 0.0 for action in ACTIONS for side in SIDES}
SMILING = RELAXED | {"smile_right": 1.0, "smile_left": 1.0}
AROUND = {
    "smile_right": (130, 165, 180, 224),
    "smile_left": (130, 165, 224, 270),
    "wink_right": (90, 108, 190, 217),
    "wink_left": (93, 110, 234, 259),
    "brow_right": (70, 105, 170, 230),
    "brow_left": (72, 110, 218, 285),
}
"""Rows and columns in which an action happens."""


@pytest.fixture(scope="module")
def portrait():
    with Image.open(PORTRAIT) as file:
        return np.asarray(file.convert("RGB"))


def changed(first, second):
    return np.abs(first.astype(int) - second).max(axis=2)


def test_the_portrait_itself_is_the_smile(portrait):
    np.testing.assert_array_equal(express(portrait, SMILING), portrait)


@pytest.mark.parametrize("action", ["wink_right", "wink_left", "brow_right", "brow_left"])
def test_an_action_changes_its_part_of_the_face_and_nothing_else(portrait, action):
    difference = changed(express(portrait, SMILING | {action: 1.0}), portrait)
    top, bottom, left, right = AROUND[action]
    assert difference[top:bottom, left:right].max() > 40
    difference[top:bottom, left:right] = 0
    assert difference.max() <= 12


@pytest.mark.parametrize("side", SIDES)
def test_a_smile_of_one_side_moves_that_corner_only(portrait, side):
    relaxed = express(portrait, RELAXED)
    difference = changed(express(portrait, RELAXED | {f"smile_{side}": 1.0}), relaxed)
    rows, other = slice(128, 137), {"right": slice(236, 260), "left": slice(188, 212)}[side]
    assert difference[rows, other].max() <= 12
    assert difference.max() > 40


def test_more_of_an_action_is_more_of_a_change(portrait):
    for action in ("wink_left", "brow_right", "smile_left"):
        pictures = [express(portrait, RELAXED | {action: amount}) for amount in (0, 0.3, 0.6, 1)]
        sizes = [changed(picture, pictures[0]).sum() for picture in pictures]
        assert sizes == sorted(sizes)
        assert len(set(sizes)) == 4


def test_the_expression_is_relaxed_most_of_the_time_and_each_side_acts_alone():
    expression = portrait_expression(180)
    assert len(expression) == 180
    for name, amounts in expression.amounts.items():
        assert amounts.min() >= 0
        assert amounts.max() == pytest.approx(1)
        assert np.median(amounts) == 0, name
    for action in ("smile", "wink"):
        right, left = (expression.amounts[f"{action}_{side}"] for side in SIDES)
        assert np.any((right > 0.9) & (left == 0))
    assert expression.at(40)["smile_left"] == 1


TRUTH = portrait_expression(180).amounts["smile_right"]


def test_a_measurement_in_another_unit_follows_perfectly():
    followed = follow_action(0.3 + 2.5 * TRUTH, TRUTH)
    assert followed.correlation == pytest.approx(1)
    np.testing.assert_allclose(followed.onsets, [0, 0], atol=1e-9)


@pytest.mark.parametrize("late", [1, 3])
def test_a_late_measurement_is_found_late(late):
    followed = follow_action(np.roll(TRUTH, late), TRUTH)
    np.testing.assert_allclose(followed.onsets, [late, late], atol=1e-9)
    assert followed.correlation < 1


def test_what_was_not_measured_has_no_onset():
    measured = TRUTH.copy()
    measured[140:] = np.nan
    followed = follow_action(measured, TRUTH)
    assert followed.correlation == pytest.approx(1)
    assert followed.onsets[0] == pytest.approx(0)
    assert np.isnan(followed.onsets[1])
    nothing = follow_action(np.full(180, np.nan), TRUTH)
    assert np.isnan(nothing.correlation)
    assert np.isnan(nothing.onsets).all()
    assert np.isnan(follow_action(np.zeros(180), TRUTH).correlation)

"""Every person has an analyzer of their own, and their values return to the rows they came from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.action_units.identities import IdentityAnalyzers
from mien.datatypes import ActionUnits, FaceLandmarks, Frame, TrackedFace

FRAME = Frame(0, 0.0, np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.uint8))


@dataclass
class Series:
    intensity: np.ndarray
    presence: np.ndarray
    measures: dict


class Counting:
    """Its values say whose rows it saw, and how many; what it finishes with is known only at the end."""

    def __init__(self):
        self.seen = []

    @property
    def last(self):
        return ("appearance", self.seen[-1])

    def analyze(self, frame, landmarks):
        self.seen.append(landmarks.confidence)
        return ActionUnits(np.full(17, len(self.seen)), np.zeros(18))

    def finish(self):
        count = len(self.seen)
        column = np.array(self.seen)[:, None] + count * 100
        return Series(column.repeat(17, 1), column.repeat(18, 1), {"count": np.arange(count, dtype=float)})


def face(face_id, value=0.0):
    empty = np.zeros((68, 2), np.float32), np.zeros((68, 3), np.float32), np.zeros(6), np.zeros(34)
    return TrackedFace(face_id, FaceLandmarks(*empty, (), value, True, True))


@given(st.lists(st.integers(0, 3), max_size=30))
def test_rows_get_their_own_persons_values(order):
    people = IdentityAnalyzers(Counting)
    for value, face_id in enumerate(order):
        live = people.analyze(FRAME, face(face_id, float(value)))
        assert live.intensity[0] == order[: value + 1].count(face_id)
    series = people.finish()
    expected = [value + 100 * order.count(face_id) for value, face_id in enumerate(order)]
    assert series.intensity.shape == (len(order), 17)
    assert series.presence.shape == (len(order), 18)
    assert series.intensity[:, 0].tolist() == series.presence[:, 0].tolist() == expected
    if order:
        counts = [order[:row].count(face_id) for row, face_id in enumerate(order)]
        assert series.measures["count"].tolist() == counts


def test_the_appearance_is_that_of_the_last_face():
    people = IdentityAnalyzers(Counting)
    assert people.last is None
    people.analyze(FRAME, face(0, 1.0))
    people.analyze(FRAME, face(5, 2.0))
    people.analyze(FRAME, face(0, 3.0))
    assert people.last == ("appearance", 3.0)


def test_reset_forgets_everybody():
    people = IdentityAnalyzers(Counting)
    people.analyze(FRAME, face(0, 1.0))
    people.reset()
    assert people.finish().intensity.shape == (0, 17)
    assert people.analyze(FRAME, face(0)).intensity[0] == pytest.approx(1)

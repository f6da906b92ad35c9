"""Every person has an analyzer of their own, and their values return to the rows they came from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.action_units.identities import IdentityAnalyzers
from mien.datatypes import ActionUnits, ActionUnitSeries, FaceLandmarks, TrackedFace


class Counting:
    """Its values say whose rows it saw, and how many; what it finishes with is known only at the end."""

    def __init__(self):
        self.seen = []

    def analyze(self, face, appearance):
        assert appearance == ("looks", face.landmarks.confidence)
        self.seen.append(face.landmarks.confidence)
        return ActionUnits(np.full(17, len(self.seen)), np.zeros(18))

    def finish(self):
        count = len(self.seen)
        column = np.array(self.seen)[:, None] + count * 100
        counts = {"count": np.arange(count, dtype=float)}
        return ActionUnitSeries(column.repeat(17, 1), column.repeat(18, 1), counts)


def face(face_id, value=0.0):
    empty = np.zeros((68, 2), np.float32), np.zeros((68, 3), np.float32), np.zeros(6), np.zeros(34)
    return TrackedFace(face_id, FaceLandmarks(*empty, (), value, True, True))


def analyze(people, seen):
    return people.analyze(seen, ("looks", seen.landmarks.confidence))


@given(st.lists(st.integers(0, 3), max_size=30))
def test_rows_get_their_own_persons_values(order):
    people = IdentityAnalyzers(Counting)
    for value, face_id in enumerate(order):
        live = analyze(people, face(face_id, float(value)))
        assert live.intensity[0] == order[: value + 1].count(face_id)
    series = people.finish()
    expected = [value + 100 * order.count(face_id) for value, face_id in enumerate(order)]
    assert series.intensity.shape == (len(order), 17)
    assert series.presence.shape == (len(order), 18)
    assert series.intensity[:, 0].tolist() == series.presence[:, 0].tolist() == expected
    if order:
        counts = [order[:row].count(face_id) for row, face_id in enumerate(order)]
        assert series.measures["count"].tolist() == counts


def test_reset_forgets_everybody():
    people = IdentityAnalyzers(Counting)
    analyze(people, face(0, 1.0))
    people.reset()
    assert people.finish().intensity.shape == (0, 17)
    assert analyze(people, face(0)).intensity[0] == pytest.approx(1)

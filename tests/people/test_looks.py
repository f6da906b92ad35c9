"""What a face looks like is compared upright, in any size, and only where it can be seen."""

from __future__ import annotations

import numpy as np
import pytest
from helpers_world import Somebody, World, card, landmarks

from mien.people.looks import CAPACITY, LooksMemory, describe
from synthetic_face import Pose, picture
from synthetic_face import landmarks as drawn_landmarks

PLACE = (200, 120)


def looks_of(number, noise=4.0, place=PLACE):
    frame = World(Somebody(card(number), [place]), noise=noise).frame(0)
    return describe(frame.bgr, landmarks(place, valid=True).points)


def test_a_face_is_like_itself():
    assert looks_of(1).likeness(looks_of(1)) == pytest.approx(1.0)


def test_likeness_is_mutual_and_between_0_and_1():
    one, other = looks_of(1), looks_of(2)
    assert 0 <= one.likeness(other) <= 1
    assert one.likeness(other) == pytest.approx(other.likeness(one))


@pytest.mark.parametrize("other", [2, 3, 4, 5])
def test_noise_and_place_matter_less_than_the_person(other):
    again = looks_of(1, noise=8.0, place=(280.4, 130.7))
    assert looks_of(1).likeness(again) > 0.8 > looks_of(1).likeness(looks_of(other))


@pytest.mark.parametrize("pose", [Pose(1.3, (0, 0, 0.4), 300, 260), Pose(0.6, (0, 0, 0), 200, 150)])
def test_turning_the_head_aside_and_its_size_do_not_matter(pose):
    def drawn(p):
        return describe(picture(p, noise=2.0), drawn_landmarks(p).astype(np.float32))

    assert drawn(Pose(1.0, (0, 0, 0), 320, 240)).features @ drawn(pose).features > 0.85


def test_what_is_outside_the_picture_is_not_compared():
    at_the_edge = looks_of(1, place=(200, 25))
    assert at_the_edge.hair is None
    assert at_the_edge.likeness(looks_of(1)) > 0.6


def test_a_flat_picture_has_looks_too():
    looks = describe(np.full((300, 400, 3), 9, np.uint8), landmarks(PLACE, valid=True).points)
    assert np.isfinite(looks.features).all()
    assert looks.likeness(looks) == pytest.approx(1.0)


def test_a_memory_knows_what_it_was_shown_and_does_not_grow_for_ever():
    memory = LooksMemory()
    assert memory.likeness(looks_of(1)) == 0
    for number in range(CAPACITY + 3):
        memory.add(looks_of(number))
    assert len(memory) == CAPACITY
    assert memory.likeness(looks_of(CAPACITY + 2)) > 0.99


def test_a_memory_keeps_what_is_different():
    memory = LooksMemory()
    for seed in range(30):
        memory.add(looks_of(1, noise=4.0 + 0.1 * seed))
    memory.add(looks_of(2))
    assert len(memory) < CAPACITY
    assert min(memory.likeness(looks_of(1)), memory.likeness(looks_of(2))) > 0.9

"""Everybody keeps their number, whatever happens between."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from helpers_world import Somebody, World, away, card, landmarks, stand, walk

from mien.datatypes import FollowedFace
from mien.people.people_tracker import PeopleOptions, PeopleTracker

LEFT, MIDDLE, RIGHT = (100, 120), (240, 120), (380, 120)


def follow(world, frames, **options):
    """Numbers that each person had, by frame: {person: {frame: number}}."""
    tracker = PeopleTracker(world, world.detect, PeopleOptions(**options))
    numbers = defaultdict(dict)
    for index in range(frames):
        for face in tracker.track(world.frame(index)):
            if face.landmarks.valid:
                numbers[world.owner(face)][index] = face.face_id
    return {person: dict(found) for person, found in numbers.items()}


def used(numbers):
    """The set of numbers of each person."""
    return {person: set(found.values()) for person, found in numbers.items()}


def test_people_are_numbered_from_left_to_right():
    world = World(Somebody(card(1), [RIGHT]), Somebody(card(2), [LEFT]), Somebody(card(3), [MIDDLE]))
    assert used(follow(world, 1)) == {0: {2}, 1: {0}, 2: {1}}


def test_all_is_well_with_one_detection_in_eight_frames():
    world = World(Somebody(card(1), stand(LEFT, 40)), Somebody(card(2), walk(RIGHT, MIDDLE, 40)))
    numbers = follow(world, 40)
    assert used(numbers) == {0: {0}, 1: {1}}
    assert [len(found) for found in numbers.values()] == [40, 40]
    assert world.detections == 5


@pytest.mark.parametrize("speed", [2, 5, 9])
def test_two_people_cross(speed):
    frames = 280 // speed
    world = World(Somebody(card(1), walk(LEFT, RIGHT, frames)), Somebody(card(2), walk(RIGHT, LEFT, frames)))
    assert used(follow(world, frames)) == {0: {0}, 1: {1}}


@pytest.mark.parametrize("speed", [2, 5, 9])
def test_two_people_meet_and_turn_back(speed):
    there = 140 // speed
    paths = [walk(LEFT, MIDDLE, there), walk(RIGHT, MIDDLE, there)]
    world = World(*(Somebody(card(k), path + path[::-1]) for k, path in enumerate(paths)))
    assert used(follow(world, 2 * there)) == {0: {0}, 1: {1}}


def test_somebody_comes_back_elsewhere_after_a_long_time():
    away_and_back = stand(LEFT, 20) + away(100) + stand(MIDDLE, 20)
    world = World(Somebody(card(1), away_and_back), Somebody(card(2), stand(RIGHT, 140)))
    numbers = follow(world, 140)
    assert used(numbers) == {0: {0}, 1: {1}}
    assert max(numbers[0]) == 139


def test_somebody_who_comes_back_after_being_forgotten_is_new():
    world = World(Somebody(card(1), stand(LEFT, 20) + away(40) + stand(LEFT, 20)))
    assert used(follow(world, 80, remember_frames=30)) == {0: {0, 1}}


def test_a_stranger_is_not_taken_for_who_has_left():
    world = World(
        Somebody(card(1), stand(LEFT, 30) + away(90)), Somebody(card(2), away(60) + stand(LEFT, 60))
    )
    assert used(follow(world, 120)) == {0: {0}, 1: {1}}


def test_two_change_places_while_nobody_looks():
    gap = away(15)
    world = World(
        Somebody(card(1), stand(LEFT, 20) + gap + stand(RIGHT, 20)),
        Somebody(card(2), stand(RIGHT, 20) + gap + stand(LEFT, 20)),
    )
    assert used(follow(world, 55)) == {0: {0}, 1: {1}}


def test_a_face_that_jumps_is_found_in_the_same_frame():
    path = [(100 + 45 * (k % 3), 120) for k in range(30)]
    numbers = follow(World(Somebody(card(1), path)), 30)
    assert numbers == {0: dict.fromkeys(range(30), 0)}


def test_a_face_that_cannot_be_fitted_is_reported_without_success_and_then_given_up():
    world = World(Somebody(card(1), stand(LEFT, 30)))
    tracker = PeopleTracker(world, world.detect)
    tracker.track(world.frame(0))
    world.invalid = {0}
    rows = [tracker.track(world.frame(index)) for index in range(1, 12)]
    assert [len(faces) for faces in rows] == [1] * 5 + [0] * 6
    assert not any(face.landmarks.success for faces in rows for face in faces)


def test_everybody_is_known_again_elsewhere_when_the_picture_changes_its_shape():
    before, after = stand(LEFT, 20) + stand(RIGHT, 20), stand(RIGHT, 20) + stand(LEFT, 20)
    world = World(Somebody(card(1), before), Somebody(card(2), after))
    tracker = PeopleTracker(world, world.detect)
    for index in range(20):
        tracker.track(world.frame(index))
    tracker.lose()
    detections = world.detections
    faces = tracker.track(world.frame(20))
    assert world.detections == detections + 1
    assert {(face.face_id, world.owner(face)) for face in faces} == {(0, 0), (1, 1)}


def test_of_two_followers_on_one_face_the_wrong_one_goes():
    world = World(Somebody(card(1), stand(LEFT, 20)), Somebody(card(2), stand(RIGHT, 20)))
    tracker = PeopleTracker(world, world.detect)
    for index in range(10):
        tracker.track(world.frame(index))
    second = tracker._people[1]
    second.face = FollowedFace(landmarks(LEFT, valid=True), np.array(LEFT, float))
    (face,) = tracker.track(world.frame(10))
    assert (face.face_id, world.owner(face)) == (0, 0)
    faces = [face for index in range(11, 20) for face in tracker.track(world.frame(index))]
    assert {(face.face_id, world.owner(face)) for face in faces} == {(0, 0), (1, 1)}


def test_a_face_stays_with_its_person_when_another_follower_slides_onto_it():
    world = World(Somebody(card(1), stand(LEFT, 20)), Somebody(card(2), stand(RIGHT, 20)))
    tracker = PeopleTracker(world, world.detect)
    for index in range(10):
        tracker.track(world.frame(index))
    first, second = tracker._people
    nowhere = np.array((240.0, 300.0))
    first.face = FollowedFace(landmarks(LEFT, valid=True), nowhere)
    second.face = FollowedFace(landmarks(LEFT, valid=True), np.array(LEFT, float))
    faces = tracker.track(world.frame(10))
    assert {(face.face_id, world.owner(face)) for face in faces if face.landmarks.valid} <= {(0, 0), (1, 1)}
    assert 0 in {face.face_id for face in faces if face.landmarks.valid}


def test_a_face_that_swells_all_at_once_is_a_misfit():
    world = World(Somebody(card(1), stand(LEFT, 3)))
    tracker = PeopleTracker(world, world.detect)
    tracker.track(world.frame(0))
    swollen = landmarks(LEFT, valid=True)
    swollen.points[:] = (swollen.points - LEFT) * 2 + LEFT
    world.follow = lambda frame, face: FollowedFace(swollen, face.memory)
    tracker._detect = lambda bgr: World().detect(bgr)
    (face,) = tracker.track(world.frame(1))
    assert not face.landmarks.success
    assert not face.landmarks.valid


def test_a_follower_on_what_is_no_face_goes():
    world = World(Somebody(card(1), stand(LEFT, 40)))
    tracker = PeopleTracker(world, world.detect)
    tracker.track(world.frame(0))
    world.people[0].look = card(77)
    world.detect = lambda bgr: World().detect(bgr)
    tracker._detect = world.detect
    rows = [len(tracker.track(world.frame(index))) for index in range(1, 30)]
    assert rows[0] == 1
    assert rows[-1] == 0


def test_no_more_faces_than_wanted_are_followed():
    world = World(*(Somebody(card(k), stand((60 + 120 * k, 120), 10)) for k in range(4)))
    assert len(follow(world, 10, most_faces=2)) == 2


def test_an_empty_video_has_nobody():
    assert follow(World(), 10) == {}


def test_reset_begins_anew():
    world = World(Somebody(card(1), stand(LEFT, 9)))
    tracker = PeopleTracker(world, world.detect)
    tracker.track(world.frame(0))
    tracker.reset()
    world.people[0].look = card(5)
    assert [face.face_id for face in tracker.track(world.frame(1))] == [0]

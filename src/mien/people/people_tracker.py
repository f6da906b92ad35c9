"""Several people in a video, each under one number for the whole of it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import FaceBoxes, FollowedFace, Frame, TrackedFace
from mien.people.assignment import assign
from mien.people.looks import Looks, describe
from mien.people.person import NOBODY, FaceFollower, Person, Spot

Detect = Callable[[NDArray[np.uint8]], FaceBoxes]
"""Face detection on a BGR picture."""
FollowAll = Callable[[Frame, Sequence[FollowedFace]], Sequence[FollowedFace]]
"""Fits faces of the frame before, each as `FaceFollower.follow`."""

_DOUBTS = 2
"""Looks in a row that must speak against an identity before it is given up."""
_CLEARLY = 0.08
"""By how much more a face must be like somebody else."""
_STEP, _STEP_PER_FRAME, _FAR = 0.8, 0.4, 4.0
"""How far a face moves at once, per frame, and at most, in lengths of its side, to still count as near."""
_COST_OF_DISTANCE = 0.05
_ALONE = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleOptions:
    """How people are told apart. Likenesses are those of `mien.people.looks`, 0 to 1.

    Attributes
    ----------
    most_faces
        Faces that are followed at the same time; of more, the largest.
    detect_every
        Frames between two detections while all is well.
    search_every
        The same while somebody has just been lost.
    give_up_after
        Failed frames in a row after which a face counts as lost.
    remember_frames
        How long somebody who is lost is remembered.
    known_likeness
        Likeness from which on a face that appears is somebody who was seen before.
    near_likeness
        The same for a face that appears close to where one has just been lost; a face that is less like
        its owner, and that the detector does not see, is no face.
    strange_likeness
        Likeness below which a face is somebody else.
    moment_frames
        How long a loss is recent.
    wait_frames
        How long a face is looked at that may be that of a missing person, before it counts as somebody new.
    """

    most_faces: int = 16
    detect_every: int = 8
    search_every: int = 4
    give_up_after: int = 5
    remember_frames: int = 900
    known_likeness: float = 0.74
    near_likeness: float = 0.64
    strange_likeness: float = 0.6
    moment_frames: int = 30
    wait_frames: int = 30


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A face that belongs to nobody in sight."""

    face: FollowedFace
    spot: Spot
    looks: Looks


class PeopleTracker:
    """Follows every face of a video and keeps who is who through crossings and losses.

    Each face is followed from frame to frame by its landmarks. Every few frames, and whenever a face is
    lost, the detector looks for faces; those that nobody in sight has are given to missing people, by their
    looks and by where they were lost, with the least total cost. What is left is somebody new.

    Parameters
    ----------
    follower
        Fits and follows single faces.
    detect
        Face detector.
    options
        See `PeopleOptions`.
    follow_all
        Follows several faces at once as the follower does one by one; None leaves it to the follower.
    """

    def __init__(
        self,
        follower: FaceFollower,
        detect: Detect,
        options: PeopleOptions | None = None,
        *,
        follow_all: FollowAll | None = None,
    ) -> None:
        self._follower = follower
        self._follow_all = follow_all or functools.partial(_one_by_one, follower)
        self._detect = detect
        self.options = options or PeopleOptions()
        self.reset()

    def reset(self) -> None:
        """Forget everybody; the next frame starts another video."""
        self._people: list[Person] = []
        self._identities = 0
        self._now = -1
        self._detected = -self.options.detect_every

    def lose(self) -> None:
        """The next frame has another shape: everybody is looked for anew, and known again by their looks."""
        for person in self._people:
            person.lose()
        self._let_go()
        self._detected = self._now - self.options.detect_every

    def track(self, frame: Frame) -> tuple[TrackedFace, ...]:
        """Find everybody in the next frame.

        Parameters
        ----------
        frame
            The frame; its predecessor must have been given before.

        Returns
        -------
        tuple of TrackedFace
            By falling age of the identity. A face that could not be fitted is reported without success for
            a few frames, until it counts as lost.
        """
        self._now += 1
        followed = [(person, person.face) for person in self._people if person.face is not None]
        faces = self._follow_all(frame, [face for _, face in followed])
        for (person, _), face in zip(followed, faces, strict=True):
            person.follow(face, self._now)
        self._part(frame)
        if self._wants_detection():
            self._look_around(frame)
        self._let_go()
        known = (person for person in self._people if person.face_id != NOBODY)
        return tuple(
            TrackedFace(person.face_id, person.face.landmarks)
            for person in sorted(known, key=lambda person: person.face_id)
            if person.face is not None
        )

    def _part(self, frame: Frame) -> None:
        """Of two followers on one face, keep the one whose person it looks like."""
        followed = [person for person in self._people if person.face is not None]
        for index, one in enumerate(followed):
            for other in followed[:index]:
                if one.face is None or other.face is None or not one.spot.same_place(other.spot):
                    continue
                if one.in_sight and other.in_sight:
                    looks = _looks(frame, one.face)
                    min(one, other, key=lambda person: person.looks.likeness(looks)).lose()
                elif one.in_sight:
                    self._claim(frame, other, one)
                else:
                    self._claim(frame, one, other)

    def _claim(self, frame: Frame, lost: Person, holder: Person) -> None:
        """Somebody whose face fails gets it from who has slid onto it, or is gone."""
        if holder.in_sight:
            looks = _looks(frame, holder.face)
            needed = max(self.options.known_likeness, holder.looks.likeness(looks) + _CLEARLY)
            if lost.looks.likeness(looks) >= needed:
                self._hand_over(holder, lost)
                return
        lost.lose()

    def _wants_detection(self) -> bool:
        """Regularly, sooner after a loss, and at every second failure of a face."""
        since = self._now - self._detected
        if any(person.face is not None and person.failures % 2 == 1 for person in self._people):
            return True
        searching = any(
            not person.in_sight and self._now - person.seen < self.options.moment_frames
            for person in self._people
        )
        return since >= (self.options.search_every if searching else self.options.detect_every)

    def _look_around(self, frame: Frame) -> None:
        """Detect faces; check who is in sight, recognise who is missing, greet who is new."""
        self._detected = self._now
        faces = self._detect(frame.bgr)
        spots = [Spot.of_box(box) for box in faces.boxes]
        for person in self._in_sight():
            if self._now - person.looked_at >= self.options.detect_every or person.face_id == NOBODY:
                detected = any(person.spot.same_place(spot) for spot in spots)
                person.looked_at = self._now
                self._check(person, _looks(frame, person.face), detected)
        candidates = self._candidates(frame, faces, spots)
        missing = [person for person in self._people if not person.in_sight]
        costs = np.array([[self._cost(p, c) for c in candidates] for p in missing])
        pairs = assign(costs.reshape(len(missing), len(candidates)), 1.0)
        for row, column in pairs:
            self._recover(missing[row], candidates[column])
        taken = {column for _, column in pairs}
        self._greet([c for column, c in enumerate(candidates) if column not in taken])

    def _in_sight(self) -> list[Person]:
        return [person for person in self._people if person.in_sight]

    def _check(self, person: Person, looks: Looks, detected: bool) -> None:
        """See whether a person still looks like themselves, and learn how they look now."""
        options = self.options
        own = person.looks.likeness(looks)
        double = max(self._missing(), key=lambda p: p.looks.likeness(looks), default=None)
        resembling = double.looks.likeness(looks) if double else 0.0
        if person.face_id == NOBODY:
            self._identify(person, looks, double, resembling)
        elif double and resembling >= max(options.known_likeness, own + _CLEARLY):
            person.doubts += 1
            if person.doubts >= _DOUBTS:
                self._hand_over(person, double)
        elif not detected and own < options.near_likeness:
            person.doubts += 1
            if person.doubts >= _DOUBTS:
                person.lose()
        else:
            person.doubts = 0
            if detected and self._alone(person):
                person.looks.add(looks)

    def _alone(self, person: Person) -> bool:
        """Whether nobody is so near that a part of them may be in the person's looks."""
        others = (other for other in self._people if other is not person and other.face is not None)
        return all(person.spot.distance(other.spot) > _ALONE for other in others)

    def _identify(self, stranger: Person, looks: Looks, double: Person | None, resembling: float) -> None:
        """Recognise a stranger, or wait, or take them for somebody new."""
        if double and resembling >= self.options.known_likeness:
            double.looks.absorb(stranger.looks)
            self._hand_over(stranger, double)
            return
        stranger.looks.add(looks)
        waited = self._now - stranger.since
        unlike = resembling < self.options.strange_likeness and waited >= self.options.detect_every
        if unlike or waited >= self.options.wait_frames:
            self._announce(stranger)

    def _missing(self) -> list[Person]:
        return [p for p in self._people if p.face_id != NOBODY and not p.in_sight]

    def _hand_over(self, holder: Person, owner: Person) -> None:
        """Give the face that one person is thought to have to whom it belongs."""
        owner.face, owner.spot, owner.seen, owner.since = holder.face, holder.spot, self._now, self._now
        owner.failures = owner.doubts = 0
        holder.lose()

    def _candidates(self, frame: Frame, faces: FaceBoxes, spots: list[Spot]) -> list[_Candidate]:
        """Fit the detected faces that nobody in sight has, large ones first."""
        taken = [person.spot for person in self._in_sight()]
        found: list[_Candidate] = []
        for number in sorted(range(len(spots)), key=lambda k: -spots[k].side):
            if len(taken) >= self.options.most_faces:
                break
            if _is_taken(spots[number], taken):
                continue
            face = self._follower.start(frame, faces, number)
            if not face.landmarks.valid:
                continue
            spot = Spot.of_points(face.landmarks.points)
            if not _is_taken(spot, taken):
                taken.append(spot)
                found.append(_Candidate(face, spot, _looks(frame, face)))
        return found

    def _cost(self, person: Person, candidate: _Candidate) -> float:
        """What speaks against a missing person having a face; infinite where it can't be theirs."""
        options = self.options
        frames = self._now - person.seen
        recent = 1 - frames / options.moment_frames
        jump = person.spot.distance(candidate.spot)
        likeness = person.looks.likeness(candidate.looks)
        needed = options.known_likeness
        if recent > 0 and jump < min(_STEP + _STEP_PER_FRAME * frames, _FAR):
            needed -= recent * (needed - options.near_likeness)
        if likeness < needed:
            return np.inf
        return 1 - likeness + _COST_OF_DISTANCE * (min(jump, _FAR) if recent > 0 else _FAR)

    def _recover(self, person: Person, candidate: _Candidate) -> None:
        person.see(candidate.face, self._now)
        person.since, person.doubts = self._now, 0
        if person.looks.likeness(candidate.looks) >= self.options.known_likeness:
            person.looks.add(candidate.looks)

    def _greet(self, candidates: list[_Candidate]) -> None:
        """Take faces for new people, from left to right; with doubt while somebody is missing."""
        doubtful = bool(self._missing())
        for candidate in sorted(candidates, key=lambda c: float(c.spot.centre[0])):
            person = Person(NOBODY, candidate.face, candidate.spot, self._now, self._now)
            person.looks.add(candidate.looks)
            self._people.append(person)
            if not doubtful:
                self._announce(person)

    def _announce(self, person: Person) -> None:
        person.face_id = self._identities
        self._identities += 1

    def _let_go(self) -> None:
        """Give up faces that fail for too long, and forget who has been gone for too long."""
        options = self.options
        for person in self._people:
            if person.failures > options.give_up_after:
                person.lose()
        self._people = [
            person
            for person in self._people
            if person.face is not None
            or (person.face_id != NOBODY and self._now - person.seen <= options.remember_frames)
        ]


def _one_by_one(follower: FaceFollower, frame: Frame, faces: Sequence[FollowedFace]) -> list[FollowedFace]:
    return [follower.follow(frame, face) for face in faces]


def _looks(frame: Frame, face: FollowedFace | None) -> Looks:
    assert face is not None
    return describe(frame.bgr, face.landmarks.points)


def _is_taken(spot: Spot, taken: Iterable[Spot]) -> bool:
    return any(spot.same_place(other) for other in taken)

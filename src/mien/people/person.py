"""One person of a video: where they are or were, and what they look like."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import FaceBoxes, FollowedFace, Frame
from mien.people.looks import LooksMemory

NOBODY = -1
_MOST_GROWTH = 1.6


class FaceFollower(Protocol):
    """Finds the landmarks of detected faces, and follows each by what it handed out for it before."""

    def start(self, frame: Frame, faces: FaceBoxes, number: int) -> FollowedFace:
        """Landmarks of a detected face."""
        ...

    def follow(self, frame: Frame, face: FollowedFace) -> FollowedFace:
        """Landmarks of a face of the frame before."""
        ...


@dataclass(frozen=True, slots=True)
class Spot:
    """Upright rectangle around a face's landmarks; all in px.

    Attributes
    ----------
    centre, size
        (2,) float64 each: x, y; width, height.
    """

    centre: NDArray[np.float64]
    size: NDArray[np.float64]

    @classmethod
    def of_points(cls, points: NDArray[np.float32]) -> Spot:
        """Around landmarks (68, 2)."""
        low, high = points.min(axis=0).astype(np.float64), points.max(axis=0).astype(np.float64)
        return cls((low + high) / 2, high - low)

    @classmethod
    def of_box(cls, box: NDArray[np.float32]) -> Spot:
        """From a box x, y, width, height."""
        corner, size = box[:2].astype(np.float64), box[2:].astype(np.float64)
        return cls(corner + size / 2, size)

    @property
    def side(self) -> float:
        """Mean of width and height."""
        return float(self.size.mean())

    def as_large_as(self, other: Spot) -> bool:
        """Whether both may be one face, at other times or a little nearer."""
        return 1 / _MOST_GROWTH < other.side / self.side < _MOST_GROWTH

    def distance(self, other: Spot) -> float:
        """Between the centres, in lengths of this side; infinite where the sizes differ too much."""
        if not self.as_large_as(other):
            return math.inf
        return float(np.linalg.norm(other.centre - self.centre)) / self.side

    def overlap(self, other: Spot) -> float:
        """Intersection over union, 0 to 1."""
        reach = (self.size + other.size) / 2 - np.abs(self.centre - other.centre)
        shared = float(np.prod(np.clip(reach, 0, np.minimum(self.size, other.size))))
        union = float(np.prod(self.size) + np.prod(other.size)) - shared
        return shared / union if union > 0 else 0.0

    def same_place(self, other: Spot) -> bool:
        """Whether both rectangles surround one face, even if drawn by different rules."""
        near = np.abs(self.centre - other.centre).max() < 0.5 * max(self.side, other.side)
        return self.overlap(other) > 1 / 3 or bool(near)


@dataclass(slots=True)
class Person:
    """Somebody who was seen in the video.

    Attributes
    ----------
    face_id
        Identity, counted from 0; `NOBODY` while it is open whether this is somebody known.
    face
        What follows the face; None while the person is out of sight.
    spot
        Where the face was last seen.
    looks
        What the person looks like.
    seen
        Number of the frame in which the face was last seen.
    since
        Number of the frame in which the face was found, for the first time or again.
    failures
        Frames in a row in which the face could not be fitted.
    looked_at
        Number of the frame in which the looks were last compared.
    doubts
        Looks in a row at which the person seemed to be somebody else, or no face.
    """

    face_id: int
    face: FollowedFace | None
    spot: Spot
    seen: int
    since: int
    looks: LooksMemory = field(default_factory=LooksMemory)
    failures: int = 0
    looked_at: int = -1000
    doubts: int = 0

    @property
    def in_sight(self) -> bool:
        """Whether the face is there and its landmarks are valid."""
        return self.face is not None and self.failures == 0

    def follow(self, face: FollowedFace, frame: int) -> None:
        """Take in the followed face of the next frame; one that swells or shrinks all at once is a misfit."""
        if face.landmarks.valid and not self.spot.as_large_as(_spot(face)):
            face = replace(face, landmarks=replace(face.landmarks, success=False, valid=False))
        self.see(face, frame)

    def see(self, face: FollowedFace, frame: int) -> None:
        """Take in the face of a frame."""
        self.face = face
        if face.landmarks.valid:
            self.spot = _spot(face)
            self.seen = frame
            self.failures = 0
        else:
            self.failures += 1

    def lose(self) -> None:
        """The face is gone."""
        self.face = None
        self.failures = self.doubts = 0


def _spot(face: FollowedFace) -> Spot:
    return Spot.of_points(face.landmarks.points)

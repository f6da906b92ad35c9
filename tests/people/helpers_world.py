"""A small world of people for tests: textured cards that walk about, hide one another, and look different."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mien.datatypes import FaceBoxes, FaceLandmarks, FollowedFace, Frame
from synthetic_face import face_points

WIDTH, HEIGHT = 480, 320
FACE = 60.0
"""Width of a face, px."""
_CARD = (110, 150)
_GRAIN = np.random.default_rng(0).normal(0, 1, (HEIGHT, WIDTH, 3))
_TEMPLATE = face_points()[:, :2] * (FACE / np.ptp(face_points()[:, 0]))


def card(number: int) -> np.ndarray:
    """(150, 110, 3) uint8: coarse texture in a colour of its own."""
    rng = np.random.default_rng(number)
    coarse = rng.normal(0, 30, (_CARD[1] // 10, _CARD[0] // 10, 1)).repeat(10, 0).repeat(10, 1)
    return np.clip(rng.uniform(60, 190, 3) + coarse, 0, 255).astype(np.uint8)


@dataclass
class Somebody:
    """A card and where its face is, frame by frame; None where it is out of sight."""

    look: np.ndarray
    path: list


class World:
    """Draws people, later ones in front, and plays detector and follower for the faces that can be seen."""

    def __init__(self, *people: Somebody, noise: float = 4.0):
        self.people, self.noise = people, noise
        self.now, self.detections = 0, 0
        self.invalid: set[int] = set()

    def places(self, index):
        """Centres of the faces in front, by person."""
        at = {k: p.path[index] for k, p in enumerate(self.people) if p.path[index] is not None}
        return {
            k: np.array(xy, float)
            for k, xy in at.items()
            if not any(j > k and np.abs(np.subtract(at[j], xy)).max() < 0.9 * FACE for j in at)
        }

    def frame(self, index) -> Frame:
        self.now = index
        bgr = np.full((HEIGHT, WIDTH, 3), 120.0)
        for person in self.people:
            if person.path[index] is None:
                continue
            x, y = (round(v) for v in person.path[index])
            x0, y0 = x - _CARD[0] // 2, y - 60
            left, top, right, bottom = max(x0, 0), max(y0, 0), min(x0 + _CARD[0], WIDTH), y0 + _CARD[1]
            bgr[top:bottom, left:right] = person.look[top - y0 : HEIGHT - y0, left - x0 : right - x0][
                : min(bottom, HEIGHT) - top
            ]
        bgr += self.noise * np.roll(_GRAIN, 17 * index, axis=(0, 1))
        picture = np.clip(bgr, 0, 255).astype(np.uint8)
        return Frame(index, index / 30, picture, picture[..., 1].copy())

    def detect(self, bgr) -> FaceBoxes:
        self.detections += 1
        centres = np.array(list(self.places(self.now).values())).reshape(-1, 2)
        boxes = np.concatenate([centres - FACE / 2, np.full_like(centres, FACE)], axis=1)
        return FaceBoxes(boxes.astype(np.float32), np.ones(len(boxes), np.float32))

    def start(self, frame, faces, number) -> FollowedFace:
        return self._fit(faces.boxes[number, :2] + faces.boxes[number, 2:] / 2)

    def follow(self, frame, face) -> FollowedFace:
        """Slide to the nearest face in front, if there is one close by."""
        return self._fit(face.memory)

    def _fit(self, near) -> FollowedFace:
        places = self.places(self.now)
        close = {k: float(np.abs(xy - near).max()) for k, xy in places.items()}
        k = min(close, key=close.get, default=None)
        if k is None or close[k] > 0.6 * FACE or k in self.invalid:
            return FollowedFace(landmarks(near, valid=False), near)
        return FollowedFace(landmarks(places[k], valid=True), places[k])

    def owner(self, face) -> int:
        """Whose face a tracked face is."""
        places = self.places(self.now)
        centre = face.landmarks.points.mean(axis=0)
        return min(places, key=lambda k: np.abs(places[k] - centre).max())


def landmarks(centre, *, valid: bool) -> FaceLandmarks:
    middle = (_TEMPLATE.min(axis=0) + _TEMPLATE.max(axis=0)) / 2
    points = (_TEMPLATE - middle + centre).astype(np.float32)
    if not valid:
        points = np.full_like(points, np.nan)
    zeros = np.zeros((68, 3), np.float32), np.ones(6, np.float32), np.zeros(34, np.float32)
    return FaceLandmarks(points, *zeros, (), 0.9 if valid else 0.1, valid, valid)


def walk(start, end, frames):
    """Straight and even."""
    return [tuple(xy) for xy in np.linspace(start, end, frames)]


def stand(place, frames):
    return [place] * frames


def away(frames):
    return [None] * frames

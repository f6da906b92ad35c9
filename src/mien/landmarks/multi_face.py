"""Several faces in a video by the rules of the original (docs/algorithms/several-faces.md)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import FaceBoxes, Frame, TrackedFace
from mien.landmarks.detector import Detection, LandmarkDetector
from mien.landmarks.tracker import Detect

SLOTS = 4
DETECT_EVERY = 8
_GIVE_UP_AFTER = 4
_SAME_FACE = 0.5


@dataclass(slots=True)
class _Slot:
    """A place for one face: its last fit, its failures in a row less one, and whether it has a face."""

    detection: Detection
    failures: int = -1
    active: bool = False


class MultiFaceTracker:
    """Landmarks of up to four faces, frame by frame, with the original's rules.

    A place that is free takes the first detected face that no place holds; a place is free again after six
    frames in a row without success. Nothing is known about who a face belongs to: the number of a face is
    that of its place, which another person may take later. See `mien.people` for identities.

    Parameters
    ----------
    detector
        Fits the landmarks.
    detect
        Face detector, called on every eighth frame while a place is free.
    """

    def __init__(self, detector: LandmarkDetector, detect: Detect) -> None:
        self._detector = detector
        self._detect = detect
        self.reset()

    def reset(self) -> None:
        """Forget all faces; the next frame starts another video."""
        self._slots = [_Slot(self._detector.nothing()) for _ in range(SLOTS)]
        self._frames = 0

    def lose(self) -> None:
        """The next frame has another shape; places are taken anew."""
        self.reset()

    def track(self, frame: Frame) -> tuple[TrackedFace, ...]:
        """Landmarks of all faces in the next frame.

        Parameters
        ----------
        frame
            The frame; its predecessor must have been given before.

        Returns
        -------
        tuple of TrackedFace
            One per taken place, in the order of places; ``success`` says whether the fit is valid.
        """
        unused = self._unexplained(self._find(frame))
        self._frames += 1
        return tuple(
            found
            for number, slot in enumerate(self._slots)
            if (found := self._advance(number, slot, frame, unused)) is not None
        )

    def _find(self, frame: Frame) -> list[NDArray[np.float32]]:
        """Boxes of detected faces, in the detector's order."""
        if self._frames % DETECT_EVERY or all(slot.active for slot in self._slots):
            return []
        faces: FaceBoxes = self._detect(frame.bgr)
        return list(faces.boxes)

    def _unexplained(self, boxes: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Boxes that do not overlap what a place holds, even one that is about to be given up."""
        held = [_bounds(slot.detection.points) for slot in self._slots]
        return [box for box in boxes if not any(_same_face(other, box) for other in held)]

    def _advance(
        self, number: int, slot: _Slot, frame: Frame, unused: list[NDArray[np.float32]]
    ) -> TrackedFace | None:
        """Follow a place's face, or take the first unused one."""
        if slot.failures > _GIVE_UP_AFTER:
            slot.detection, slot.failures, slot.active = self._detector.nothing(), -1, False
        if not slot.active:
            if not unused:
                return None
            start = self._detector.pdm.from_box(unused.pop(0))
            slot.detection, slot.active = replace(slot.detection, params=start), True
        found = self._detector.follow(frame.gray, slot.detection)
        slot.detection, slot.failures = found, -1 if found.success else slot.failures + 1
        return TrackedFace(number, self._detector.describe(found, found.success))


def _bounds(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Box x, y, width, height around points (n, 2)."""
    low, high = points.min(axis=0), points.max(axis=0)
    return np.concatenate([low, high - low])


def _same_face(held: NDArray[np.float32], box: NDArray[np.float32]) -> bool:
    """Whether two boxes overlap by more than half of their symmetric difference.

    The original divides by the symmetric difference in place of the union, so that a third of the union is
    enough.
    """
    low = np.maximum(held[:2], box[:2])
    high = np.minimum(held[:2] + held[2:], box[:2] + box[2:])
    shared = float(np.prod(np.maximum(high - low, 0)))
    difference = float(held[2] * held[3] + box[2] * box[3]) - 2 * shared
    return shared > _SAME_FACE * difference

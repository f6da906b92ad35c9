"""Several faces in a video by the rules of the original (docs/algorithms/several-faces.md)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import FaceBoxes, Frame, TrackedFace
from mien.landmarks.accelerator import Accelerator
from mien.landmarks.detector import Validate
from mien.landmarks.options import FitOptions
from mien.landmarks.tracker import Detect, FaceTracker, TrackerState
from mien.models.records import LandmarkModelRecord

SLOTS = 4
DETECT_EVERY = 8
_GIVE_UP_AFTER = 4
_SAME_FACE = 0.5


@dataclass(slots=True)
class _Slot:
    """A place for one face: what its tracker remembers, and whether it has a face."""

    state: TrackerState
    active: bool = False


class MultiFaceTracker:
    """Landmarks of up to four faces, frame by frame, with the original's rules.

    A place that is free takes the first detected face that no place holds; a place is free again after six
    frames in a row without success. Nothing is known about who a face belongs to: the number of a face is
    that of its place, which another person may take later. See `mien.people` for identities.

    Parameters
    ----------
    record
        The landmark model.
    detect
        Face detector, called on every eighth frame while a place is free.
    validate
        Landmark validator, as in `FaceTracker`; None accepts all.
    options
        Fitting parameters; by default the original's. ``redetect_every`` has no effect.
    threads, device
        As in `FaceTracker`.
    """

    def __init__(
        self,
        record: LandmarkModelRecord,
        detect: Detect,
        validate: Validate | None,
        *,
        options: FitOptions | None = None,
        threads: int = 1,
        device: str | Accelerator = "cpu",
    ) -> None:
        options = replace(options or FitOptions(), redetect_every=-1)
        # One tracker serves all places in turn: what it remembers between frames is its state.
        self._tracker = FaceTracker(record, detect, validate, options=options, threads=threads, device=device)
        self._detect = detect
        self.reset()

    @property
    def networks(self) -> dict[str, str]:
        """Where the networks of the patch experts run, by name."""
        return self._tracker.detector.networks

    def reset(self) -> None:
        """Forget all faces; the next frame starts another video."""
        self._tracker.reset()
        self._empty = self._tracker.state
        self._slots = [_Slot(self._empty) for _ in range(SLOTS)]
        self._frames = 0

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
        held = [_bounds(slot.state.detection.points) for slot in self._slots]
        return [box for box in boxes if not any(_same_face(other, box) for other in held)]

    def _advance(
        self, number: int, slot: _Slot, frame: Frame, unused: list[NDArray[np.float32]]
    ) -> TrackedFace | None:
        """Follow a place's face, or take the first unused one."""
        if slot.state.failures > _GIVE_UP_AFTER:
            slot.state, slot.active = self._empty, False
        if slot.active:
            self._tracker.state = slot.state
            landmarks = self._tracker.track(frame)
        elif unused:
            landmarks = self._tracker.track_box(frame, unused.pop(0))
        else:
            return None
        slot.state, slot.active = self._tracker.state, True
        return TrackedFace(number, replace(landmarks, success=landmarks.valid))


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

"""The tracker's own difference between left and right: measured in mirrored frames, and removed.

A tracker whose parts were learnt from pictures of people lays landmarks a little otherwise in a frame than in
its mirror image, whoever is seen there. Half of that difference, mean of some frames, is its bias
(docs/sides-methods.md). What is asymmetric in a face is seen in both, and stays.
"""

from __future__ import annotations

import cmath
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import EyeShape, FaceLandmarks, Frame, TrackedFace
from mien.shape.mirror import MIRRORED, mirror_landmarks
from mien.stages import Refit, Tracker

EVERY = 32
"""Every how many frames with a face that is seen from ahead the bias is measured, after the first ones."""
FURTHEST_YAW_RAD = math.radians(15)
"""Faces turned further are not measured: in a mirrored frame they are turned to the other side, and what
differs then is above all between the side that is near and the one that is far."""
MOST_MM = 3.0
"""Mean distance of landmarks from the mean of both fits beyond which the mirrored frame's is of something
else than the face: biases are 0.2-0.4 mm, faces that are hard to follow are laid up to 2 mm apart."""
_RING = slice(8)


@dataclass(frozen=True, slots=True)
class TrackerBias:
    """How far from the mean of a frame and its mirror image a tracker lays landmarks in the frame.

    Attributes
    ----------
    offsets
        (70,) complex128: x + iy, mm of the shape model, in a face without roll: 68 landmarks, then the irises
        of the image-left and of the image-right eye; (68,) where the landmark model has no eyes.
    frames
        In how many frames it was measured.
    """

    offsets: NDArray[np.complex128]
    frames: int

    def told(self) -> dict[str, float]:
        """For the provenance."""
        return {"frames": self.frames, "mean_mm": round(float(np.abs(self.offsets[:68]).mean()), 3)}

    def removed_from(self, landmarks: FaceLandmarks) -> FaceLandmarks:
        """Landmarks and eyes without the bias; all else of them stays as it is."""
        # A complex number is its x and y, one behind the other.
        by = (self.offsets * _turn(landmarks)).astype(np.complex64).view(np.float32).reshape(-1, 2)
        eyes = tuple(
            EyeShape(eye.points + by[68 + place], eye.depth_offsets, eye.scale)
            for place, eye in enumerate(landmarks.eyes)
        )
        return replace(landmarks, points=landmarks.points + by[:68], eyes=eyes)


class BiasMeter:
    """Measures the bias of a tracker, frame by frame; the mean of what it has seen so far is what counts.

    Parameters
    ----------
    refit
        Fits landmarks in another picture.

    Attributes
    ----------
    bias : TrackerBias or None
        Mean of all frames so far; None if it could be measured in none.
    """

    def __init__(self, refit: Refit) -> None:
        self._refit = refit
        self._sum: NDArray[np.complex128] | float = 0.0
        self.bias: TrackerBias | None = None

    @staticmethod
    def suits(landmarks: FaceLandmarks) -> bool:
        """Whether a face is there, and seen from ahead."""
        return landmarks.valid and abs(float(landmarks.global_params[2])) <= FURTHEST_YAW_RAD

    def measure(self, frame: Frame, landmarks: FaceLandmarks) -> None:
        """Fit the landmarks of a face that suits in the mirrored frame too.

        Where that fails, or gives another face, nothing is learnt.
        """
        last = frame.size[0] - 1
        mirrored = np.ascontiguousarray(frame.gray[:, ::-1])
        other = self._refit(mirrored, mirror_landmarks(landmarks.points, last))
        turn = _turn(landmarks)
        if other is None or len(other.eyes) != len(landmarks.eyes) or not turn:
            return
        here, there = _places(landmarks), last - _places(other)[_swapped(len(other.eyes))].conj()
        half = (there - here) / (2 * turn)
        if np.isfinite(half).all() and np.abs(half[:68]).mean() <= MOST_MM:
            self._sum = self._sum + half
            frames = 1 if self.bias is None else self.bias.frames + 1
            self.bias = TrackerBias(self._sum / frames, frames)


class BiasMeasuringTracker:
    """A tracker of one face, and what is known of its bias at every frame.

    Parameters
    ----------
    tracker
        What follows the face; its results are passed on unchanged.
    refit
        Fits landmarks in another picture, by the same models.
    """

    def __init__(self, tracker: Tracker, refit: Refit) -> None:
        self._tracker, self._refit = tracker, refit
        self._meter = BiasMeter(refit)
        self._faces = 0
        self._known: deque[TrackerBias | None] = deque()
        """Of frames that are tracked, and not yet asked for: tracking is some frames ahead."""

    @property
    def bias(self) -> TrackerBias | None:
        """Mean of all frames so far."""
        return self._meter.bias

    def track(self, frame: Frame) -> Sequence[TrackedFace]:
        """Faces of the next frame."""
        faces = self._tracker.track(frame)
        if faces and self._meter.suits(faces[0].landmarks):
            if _is_due(self._faces):
                self._meter.measure(frame, faces[0].landmarks)
            self._faces += 1
        self._known.append(self._meter.bias)
        return faces

    def lose(self) -> None:
        """The next frame has another shape."""
        self._tracker.lose()

    def reset(self) -> None:
        """The next frame starts another video, of which nothing is known."""
        self._tracker.reset()
        self._meter, self._faces = BiasMeter(self._refit), 0
        self._known.clear()

    def next_bias(self) -> TrackerBias | None:
        """What was known when the next frame was tracked; ask once for every frame, in order."""
        return self._known.popleft()


def unbiased_in_picture(refit: Refit, frame: Frame, landmarks: FaceLandmarks) -> FaceLandmarks:
    """Landmarks of a face in a picture without the tracker's bias there, where it can be measured."""
    meter = BiasMeter(refit)
    if landmarks.valid:  # However far it is turned: what is learnt serves this picture alone.
        meter.measure(frame, landmarks)
    return landmarks if meter.bias is None else meter.bias.removed_from(landmarks)


def _is_due(faces: int) -> bool:
    """Whether the bias is measured in a frame, before which so many had a face: often at first."""
    return faces % EVERY == 0 if faces >= EVERY else faces & (faces - 1) == 0


def _turn(landmarks: FaceLandmarks) -> complex:
    """Scale and roll of a face, as what multiplies x + iy."""
    scale, _, _, roll = landmarks.global_params[:4].tolist()
    return cmath.rect(scale, roll)


def _places(landmarks: FaceLandmarks) -> NDArray[np.complex128]:
    """(70,) complex128: landmarks and middles of the irises, px."""
    irises = [eye.points[_RING].mean(axis=0, keepdims=True) for eye in landmarks.eyes]
    points = np.concatenate((landmarks.points, *irises)).astype(np.float64)
    return points[:, 0] + 1j * points[:, 1]


def _swapped(eyes: int) -> NDArray[np.int64]:
    """Which of `_places` each one is mirrored to."""
    return np.concatenate((MIRRORED, 68 + np.arange(eyes)[::-1]))

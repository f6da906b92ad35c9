"""Tiny stages for tests of order, threads and failures: every value depends on all frames so far."""

from __future__ import annotations

import threading

import numpy as np

from mien.datatypes import (
    ActionUnits,
    ActionUnitSeries,
    Camera,
    FaceLandmarks,
    Gaze,
    HeadPose,
    TrackedFace,
)
from mien.stages import Stages

CAMERA = Camera(500.0, 500.0, 32.0, 24.0)


class CountingTracker:
    """Landmarks that depend on every frame so far, so that a wrong order shows."""

    def __init__(self, fail_at=None):
        self.fail_at, self.state, self.threads, self.losses = fail_at, 0, set(), 0

    def track(self, frame):
        self.threads.add(threading.current_thread().name)
        if frame.index == self.fail_at:
            raise ZeroDivisionError("no face can be this small")
        self.state = (self.state * 31 + frame.index + int(frame.gray[0, 0])) % 1009
        points = np.full((68, 2), self.state, np.float32)
        shape, place, modes = (np.zeros(size, np.float32) for size in ((68, 3), 6, 34))
        return (TrackedFace(0, FaceLandmarks(points, shape, place, modes, (), 0.9, True, True)),)

    def lose(self):
        self.losses += 1
        self.state = 0

    def reset(self):
        self.state = 0


class FlatPose:
    def estimate(self, landmarks, camera):
        return HeadPose(np.full(3, landmarks.points[0, 0]), np.zeros(3)), np.zeros((68, 3), np.float32)


class StraightGaze:
    def estimate(self, landmarks, landmarks_3d, pose, camera):
        return Gaze(np.zeros((2, 3)), pose.translation_mm[:2], np.zeros((56, 2)), np.zeros((56, 3)))


class FrameAsAppearance:
    """What a face looks like is the whole frame."""

    def extract(self, frame, landmarks):
        return frame


class SummingAnalyzer:
    def __init__(self, fail_at=None):
        self.fail_at, self.rows = fail_at, []

    def analyze(self, face, frame):
        if self.fail_at is not None and frame.index == self.fail_at:
            raise ValueError("cannot be")
        self.rows.append(float(face.landmarks.points[0, 0]) + sum(self.rows) % 7)
        return ActionUnits(np.full(17, self.rows[-1]), np.zeros(18))

    def finish(self):
        rows = np.array(self.rows)
        return ActionUnitSeries(np.repeat(rows[:, None], 17, 1), np.zeros((len(rows), 18)))

    def reset(self):
        self.rows = []


def stages(
    tracker=None,
    analyzer=None,
    *,
    pose=None,
    gaze=True,
    appearance=True,
    camera_for=lambda width, height: CAMERA,
):
    return Stages(
        tracker=tracker or CountingTracker(),
        pose=pose or FlatPose(),
        gaze=StraightGaze() if gaze else None,
        appearance=FrameAsAppearance() if appearance else None,
        action_units=analyzer,
        camera_for=camera_for,
        pack="test",
        landmark_model="counting",
    )

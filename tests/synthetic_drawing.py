"""A face with everything that can be drawn, without any model."""

from __future__ import annotations

import numpy as np

from mien.datatypes import ActionUnits, FaceLandmarks, FaceResult, Gaze, HeadPose
from mien.geometry.pinhole import default_camera
from mien.geometry.rotation import rotation_from_euler
from oracle.camera_geometry import points_in_camera
from synthetic_face import Pose, face_pdm, landmarks

CAMERA = default_camera(640, 480)
SCALE = 1.4
RINGS = ((8, 6.0, 6.0), (12, 16.0, 6.0), (8, 2.5, 2.5))
"""Points and half-axes (mm) of iris, lids and pupil."""


def eye(centre, factor):
    parts = []
    for count, wide, high in RINGS:
        angle = np.arange(count) * 2 * np.pi / count
        parts.append(np.stack([wide * np.cos(angle), high * np.sin(angle)], axis=1) * SCALE * factor)
    return np.concatenate(parts) + centre


def drawn_face(
    *,
    frame=0,
    time_s=None,
    face_id=0,
    x=320.0,
    y=240.0,
    turn=(0.1, -0.3, 0.05),
    success=True,
    confidence=0.9,
    factor=1,
    intensity=2.0,
    presence=1.0,
):
    """A face at (x, y) px of a frame of 640 x 480 px, times ``factor``."""
    pdm = face_pdm()
    camera = default_camera(640 * factor, 480 * factor)
    pose = Pose(SCALE * factor, turn, x * factor, y * factor)
    points = landmarks(pose, pdm).astype(np.float32)
    depths = (pdm.mean @ rotation_from_euler(np.array(turn)).T)[:, 2].astype(np.float32)
    eyes = np.concatenate([eye(points[s].mean(axis=0), factor) for s in (slice(36, 42), slice(42, 48))])
    depth = camera.fx / (SCALE * factor)
    translation = np.array([(x * factor - camera.cx) / camera.fx, (y * factor - camera.cy) / camera.fy, 1.0])
    return FaceResult(
        frame=frame,
        time_s=frame / 30 if time_s is None else time_s,
        face_id=face_id,
        landmarks=FaceLandmarks(
            points=points,
            object_shape=pdm.mean.astype(np.float32),
            global_params=np.array([SCALE * factor, *turn, x * factor, y * factor], np.float32),
            local_params=np.zeros(34, np.float32),
            eyes=(),
            confidence=confidence,
            success=success,
            valid=success,
        ),
        landmarks_3d=points_in_camera(points, depths, SCALE * factor, camera).astype(np.float32),
        pose=HeadPose(translation * depth, np.array(turn)),
        gaze=Gaze(
            directions=np.array([[0.1, 0.2, -0.97], [0.05, 0.2, -0.98]]),
            angle_rad=np.array([0.08, 0.2]),
            eye_points=eyes.astype(np.float32),
            eye_points_3d=points_in_camera(eyes, np.full(56, -20), SCALE * factor, camera).astype(np.float32),
        ),
        action_units=ActionUnits(np.full(17, intensity), np.full(18, presence)),
    )

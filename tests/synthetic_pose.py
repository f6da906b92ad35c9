"""A face-like cloud of 68 points seen by a camera: no licensed model needed."""

from __future__ import annotations

import numpy as np

from mien.datatypes import Camera, EyeShape, FaceLandmarks
from oracle import camera_geometry as oracle

CAMERA = Camera(fx=620.0, fy=600.0, cx=330.0, cy=235.0)


def face_shape(seed=3):
    """(68, 3) float32 mm, about as wide, high and deep as a face."""
    return (np.random.default_rng(seed).uniform(-1, 1, (68, 3)) * (70, 65, 35)).astype(np.float32)


def seen_landmarks(angles, translation, *, noise_px=0.0, camera=CAMERA, success=True, seed=3):
    """Landmarks of a face at a known pose, with the weak-perspective fit a tracker would have."""
    rng = np.random.default_rng(seed)
    shape = face_shape(seed)
    placed = shape @ oracle.rotation_from_euler(angles).T + translation
    points = oracle.project(placed, camera) + rng.normal(0, 1, (68, 2)) * noise_px
    centre = oracle.project(np.array([translation]), camera)[0]
    params = np.array([camera.fx / translation[2], *angles, *centre], np.float32)
    eye = EyeShape(
        points[36:64].astype(np.float32), np.linspace(-3, 3, 28).astype(np.float32), float(params[0])
    )
    return FaceLandmarks(
        points=points.astype(np.float32),
        object_shape=shape,
        global_params=params,
        local_params=np.zeros(34, np.float32),
        eyes=(eye, eye),
        confidence=0.9,
        success=success,
        valid=success,
    )

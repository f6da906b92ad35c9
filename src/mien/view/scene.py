"""Where things in front of the camera lie in its picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import Camera, FaceResult, HeadPose
from mien.geometry.rotation import rotation_from_euler
from mien.view.style import EYE_POINTS, IRIS, LIDS, MESH_IRISES, PUPIL

_NEAREST_MM = 10.0
"""What is nearer to the camera is not drawn."""

_EYELIDS = (slice(36, 42), slice(42, 48))
_ANGLES = np.arange(16) * (2 * np.pi / 16)
_TURN = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
"""Sixteen points of a circle."""

HEAD_BOX_MM = ((-72.0, -105.0, -55.0), (72.0, 85.0, 95.0))
"""Two opposite corners of a box around a head, in the frame of its face model."""
BOX_EDGES = tuple((i, i | bit) for bit in (1, 2, 4) for i in range(8) if not i & bit)
"""Edges of a box between its corners; bits 0, 1, 2 of a corner's number are x, y, z."""


def project(points: NDArray[Any], camera: Camera) -> NDArray[np.float64]:
    """Points of the camera's frame in the picture.

    Parameters
    ----------
    points
        (..., 3) mm.
    camera
        Intrinsics.

    Returns
    -------
    ndarray
        (..., 2) float64, px; NaN for points beside or behind the camera.
    """
    points = np.asarray(points, np.float64)
    depth = np.where(points[..., 2] > _NEAREST_MM, points[..., 2], np.nan)
    x = camera.fx * points[..., 0] / depth + camera.cx
    y = camera.fy * points[..., 1] / depth + camera.cy
    return np.stack([x, y], axis=-1)


def box_corners(pose: HeadPose, low_mm: tuple[float, ...], high_mm: tuple[float, ...]) -> NDArray[np.float64]:
    """Corners (8, 3) of a box that moves with the head, mm, camera frame.

    Parameters
    ----------
    pose
        Of the head.
    low_mm, high_mm
        The box in the head's frame: x to the image's right, y down, z away from the camera.
    """
    bits = np.array([[i & 1, i >> 1 & 1, i >> 2 & 1] for i in range(8)], bool)
    corners = np.where(bits, np.array(high_mm), np.array(low_mm))
    return np.asarray(corners @ rotation_from_euler(pose.rotation_rad).T + pose.translation_mm)


def visible_edges(corners: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of a box's `BOX_EDGES` the box itself does not hide from the camera, (12,) bool.

    Parameters
    ----------
    corners
        (8, 3), as `box_corners` gives them.
    """
    middle = corners.mean(axis=0)
    seen = np.zeros(len(BOX_EDGES), bool)
    for bit in (1, 2, 4):
        for side in (0, bit):
            members = [i for i in range(8) if i & bit == side]
            centre = corners[members].mean(axis=0)
            if (centre - middle) @ centre < 0:
                seen |= np.array([one in members and other in members for one, other in BOX_EDGES])
    return seen


@dataclass(frozen=True, slots=True)
class EyeRings:
    """Outlines of one eye in the picture, (n, 2) px each; ``pupil`` is None where it is not measured."""

    lids: NDArray[np.floating]
    iris: NDArray[np.floating]
    pupil: NDArray[np.floating] | None


def eye_rings(face: FaceResult) -> list[EyeRings]:
    """Outlines of the eyes, the image-left one first; empty where no iris is known."""
    points, mesh = None if face.gaze is None else face.gaze.eye_points, face.landmarks.mesh
    rings = []
    for eye in (0, 1):
        own = None if points is None else points[eye * EYE_POINTS : (eye + 1) * EYE_POINTS]
        if own is not None and np.isfinite(own).all():
            rings.append(EyeRings(own[LIDS], own[IRIS], own[PUPIL]))
        elif mesh is not None and np.isfinite(mesh[MESH_IRISES[eye]]).all():
            right, top, left, bottom = mesh[MESH_IRISES[eye], :2]
            iris = (right + left) / 2 + _TURN @ np.stack([right - left, top - bottom]) / 2
            rings.append(EyeRings(face.landmarks.points[_EYELIDS[eye]], iris, None))
    return rings


def gaze_rays(face: FaceResult, camera: Camera, length_mm: float) -> NDArray[np.float64]:
    """Where the gaze of each eye begins and ends in the picture.

    Parameters
    ----------
    face
        What was measured.
    camera
        Intrinsics.
    length_mm
        Length of a ray in space.

    Returns
    -------
    ndarray
        (n, 2, 2) float64, px: from the iris along the gaze, of each eye that has one.
    """
    rays = []
    if face.gaze is not None:
        rings = eye_rings(face)
        for eye, direction in enumerate(face.gaze.directions):
            start = face.gaze.eye_points_3d[eye * EYE_POINTS :][IRIS].mean(axis=0, dtype=np.float64)
            if not np.isfinite(start).all():
                start = face.landmarks_3d[_EYELIDS[eye]].mean(axis=0, dtype=np.float64)
                if rings:
                    # at the lids' depth, behind the iris in the picture
                    pixel = rings[eye].iris.mean(axis=0) - (camera.cx, camera.cy)
                    start[:2] = pixel * start[2] / (camera.fx, camera.fy)
            # zeros stand for "not measured"
            if np.isfinite(direction).all() and direction.any() and np.isfinite(start).all():
                rays.append((start, start + length_mm * direction))
    return project(np.array(rays, np.float64).reshape(-1, 2, 3), camera)


_AXIS_DEPTH_MM = 70.0
_GRAZING = 0.25


def hidden_landmarks(face: FaceResult) -> NDArray[np.bool_]:
    """Which landmarks the head itself hides from the camera, (68,) bool.

    An estimate: the head is taken for a cylinder whose axis lies 70 mm behind the face's origin, and a point
    on it is hidden where its normal turns away from the camera by more than about 105 degrees.
    """
    rotation = rotation_from_euler(face.pose.rotation_rad)
    points = np.asarray(face.landmarks_3d, np.float64)
    outwards = points - (face.pose.translation_mm + _AXIS_DEPTH_MM * rotation[:, 2])
    outwards -= np.outer(outwards @ rotation[:, 1], rotation[:, 1])
    lengths = np.linalg.norm(outwards, axis=1) * np.linalg.norm(points, axis=1)
    return np.asarray((outwards * points).sum(axis=1) > _GRAZING * lengths)

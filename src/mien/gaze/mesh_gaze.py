"""Coarse gaze from the irises of the face mesh (docs/algorithms/open-pose-and-gaze.md#gaze)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import Camera, FaceLandmarks, Gaze, HeadPose
from mien.geometry.kernels import euler_to_matrix
from mien.shape.canonical_face import MM_PER_UNIT, ORIGIN_SHIFT_MM, CanonicalFace

EYES = ((33, 133, 468), (362, 263, 473))
"""Vertices of both corners and of the iris centre: of the subject's right eye (image left), of the left."""
EYEBALL_DEPTH = 0.6
"""The eyeball's centre lies this far behind the mean of the eye's corners, nominal cm."""
EYEBALL_RADIUS = 1.2
"""Nominal cm."""
VERTICAL_OFFSET_RAD = 0.203
"""How much higher than OpenFace the method looks (median over 28 videos); fitted on OpenFace's output."""


class MeshGazeEstimator:
    """Gaze as the line from an eyeball's centre to its iris.

    The horizontal angle tells roughly where someone looks; the vertical angle is no better than a constant.

    Parameters
    ----------
    face
        The canonical face.
    shift_origin
        Whether the poses have OpenFace's origin, as in the pose estimator.
    vertical_offset_rad
        Turns both directions down by this angle, so that they compare with OpenFace's.
    """

    def __init__(
        self,
        face: CanonicalFace,
        *,
        shift_origin: bool = True,
        vertical_offset_rad: float = VERTICAL_OFFSET_RAD,
    ) -> None:
        self._corners = np.ascontiguousarray(face.vertices[[corner for eye in EYES for corner in eye[:2]]])
        self._shift = np.array(ORIGIN_SHIFT_MM if shift_origin else (0.0, 0.0, 0.0))
        self._down = np.empty((3, 3))
        euler_to_matrix(np.array([vertical_offset_rad, 0.0, 0.0]), self._down)

    def estimate(
        self, landmarks: FaceLandmarks, landmarks_3d: NDArray[np.float32], pose: HeadPose, camera: Camera
    ) -> Gaze:
        """Estimate where the eyes look.

        Parameters
        ----------
        landmarks
            With ``mesh``, including irises.
        landmarks_3d
            Not read: the mesh says more.
        pose
            Of the same frame, from the mesh pose estimator.
        camera
            Pinhole camera that took the picture.

        Returns
        -------
        Gaze
            NaN where there is no face or the network gives no irises. The eye landmarks are NaN: the mesh
            has five points of an iris where OpenFace has 28 of an eye.
        """
        mesh = landmarks.mesh
        directions = np.full((2, 3), np.nan)
        if mesh is not None and np.isfinite(mesh[468, 0]):
            rotation = np.empty((3, 3))
            euler_to_matrix(pose.rotation_rad, rotation)
            translation = (pose.translation_mm - rotation @ self._shift) / MM_PER_UNIT
            depths = (self._corners @ rotation[2] + translation[2]).reshape(2, 2)
            behind = rotation[:, 2] * EYEBALL_DEPTH
            for eye, vertices in enumerate(EYES):
                rays = _rays(mesh[list(vertices), :2], camera)
                centre = (rays[:2] * depths[eye][:, None]).mean(axis=0) + behind
                directions[eye] = self._down @ _through_iris(centre, rays[2])
        x, y, z = directions.mean(axis=0).tolist()
        return Gaze(
            directions=directions,
            angle_rad=np.array([math.atan2(x, -z), math.atan2(y, -z)]),
            eye_points=np.full((56, 2), np.nan, np.float32),
            eye_points_3d=np.full((56, 3), np.nan, np.float32),
        )


def _rays(points: NDArray[np.float32], camera: Camera) -> NDArray[np.float64]:
    """Points at depth 1 behind the given pixels, (N, 3)."""
    x, y = (points[:, 0] - camera.cx) / camera.fx, (points[:, 1] - camera.cy) / camera.fy
    return np.column_stack([x, y, np.ones(len(points))])


def _through_iris(centre: NDArray[np.float64], ray: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit vector from an eyeball's centre to where the iris's ray first meets the eyeball."""
    ray = ray / np.sqrt(ray @ ray)
    along = float(ray @ centre)
    reach = max(along * along - float(centre @ centre) + EYEBALL_RADIUS**2, 0.0)
    look = ray * (along - math.sqrt(reach)) - centre
    return np.asarray(look / np.sqrt(look @ look))

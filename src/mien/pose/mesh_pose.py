"""Head pose from near-rigid points of the mesh (docs/algorithms/open-pose-and-gaze.md#pose)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import Camera, FaceLandmarks, HeadPose
from mien.geometry.kernels import matrix_to_euler
from mien.pose.kernels import refine_pose
from mien.shape.canonical_face import MM_PER_UNIT, ORIGIN_SHIFT_MM, CanonicalFace


class MeshPoseEstimator:
    """Head pose and 3D landmarks from a face mesh.

    Parameters
    ----------
    face
        The canonical face.
    shift_origin
        Report the position of OpenFace's origin in the head instead of the canonical face's.
    """

    def __init__(self, face: CanonicalFace, *, shift_origin: bool = True) -> None:
        self._rigid = face.rigid
        self._model = (face.vertices[face.rigid] * MM_PER_UNIT).astype(np.float32)
        self._shift = np.array(ORIGIN_SHIFT_MM if shift_origin else (0.0, 0.0, 0.0))

    def estimate(self, landmarks: FaceLandmarks, camera: Camera) -> tuple[HeadPose, NDArray[np.float32]]:
        """Estimate where the head is and how it is turned.

        Parameters
        ----------
        landmarks
            With ``mesh``, ``object_shape`` and ``global_params`` as the mesh tracker gives them.
        camera
            Pinhole camera that took the picture.

        Returns
        -------
        pose
            Its signs are OpenFace's: Rx > 0 turns the nose down, Ry > 0 turns it to the image's left, Rz > 0
            rolls the head clockwise on the screen. NaN where there is no face.
        landmarks_3d
            (68, 3) float32, mm, camera frame: each landmark on its pixel's ray, at the depth that the mesh
            gives it.
        """
        mesh = landmarks.mesh
        if mesh is None or not np.isfinite(mesh[0, 0]):
            missing = np.full(3, np.nan)
            return HeadPose(missing, missing), np.full((68, 3), np.nan, np.float32)
        intrinsics = camera.intrinsics
        unknowns = _first_guess(landmarks.global_params.astype(np.float64), intrinsics)
        rotation, angles = np.empty((3, 3)), np.empty(3)
        refine_pose(self._model, mesh[self._rigid, :2], intrinsics, unknowns, rotation)
        matrix_to_euler(rotation, angles)
        pose = HeadPose(unknowns[3:] + rotation @ self._shift, angles)
        depths = unknowns[5] + landmarks.object_shape @ rotation[2]
        rays = (landmarks.points - intrinsics[2:]) / intrinsics[:2]
        return pose, np.column_stack([rays * depths[:, None], depths]).astype(np.float32)


def _first_guess(placed: NDArray[np.float64], camera: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotation vector and translation (mm) of the face as a similarity places it in the image."""
    fx, fy, cx, cy = camera
    depth = (fx + fy) / 2 / placed[0]
    x, y = (placed[4] - cx) * depth / fx, (placed[5] - cy) * depth / fy
    return np.array([*placed[1:4], x, y, depth])

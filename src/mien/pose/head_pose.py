"""Where the head is and how it is turned."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import Camera, FaceLandmarks, HeadPose
from mien.geometry.rotation import euler_from_rotation, rotation_from_euler
from mien.pose import kernels


class HeadPoseEstimator:
    """Finds the head's position and orientation from its landmarks (docs/algorithms/head-pose.md).

    The fitted 3D shape is placed in front of the camera so that its projection meets the landmarks
    best (perspective-n-point, minimised to convergence in float64).
    """

    def estimate(self, landmarks: FaceLandmarks, camera: Camera) -> tuple[HeadPose, NDArray[np.float32]]:
        """Pose and 3D landmarks of one face.

        Parameters
        ----------
        landmarks
            A fit, successful or not; the pose follows the points whatever they are worth.
        camera
            Intrinsics of the camera that took the picture.

        Returns
        -------
        HeadPose
            Position in mm of the shape model's origin (about the middle of the head, between the eyes) and
            Euler angles in rad, camera frame. All zeros where no pose exists: before a face was ever found
            (all points equal; the original writes meaningless huge numbers there), for a scale of zero, or
            for points that are not finite.
        ndarray
            (68, 3) float32, mm, camera frame: the landmarks' pixels at the depth that the
            weak-perspective fit gives them. They are not the shape at ``HeadPose``.

        Raises
        ------
        ValueError
            The arrays of ``landmarks`` do not have the documented shapes.
        """
        points = np.ascontiguousarray(landmarks.points, dtype=np.float32)
        shape = np.ascontiguousarray(landmarks.object_shape, dtype=np.float32)
        params = np.ascontiguousarray(landmarks.global_params, dtype=np.float32)
        n = len(points)
        if points.shape != (n, 2) or shape.shape != (n, 3) or params.shape != (6,):
            raise ValueError(
                "expected points (n, 2), object_shape (n, 3) and global_params (6,), "
                f"got {points.shape}, {shape.shape} and {params.shape}"
            )
        landmarks_3d = np.empty((n, 3), np.float32)
        pose = np.zeros(6, np.float64)
        kernels.estimate_pose(points, shape, params, camera.intrinsics, landmarks_3d, pose)
        return HeadPose(translation_mm=pose[:3], rotation_rad=pose[3:]), landmarks_3d


def pose_towards_camera(pose: HeadPose) -> HeadPose:
    """Orientation of a head as its camera sees it (docs/algorithms/head-pose.md#towards-the-camera).

    A head that faces the camera has angles near zero here wherever it is in the picture.

    Parameters
    ----------
    pose
        Pose in the camera frame.

    Returns
    -------
    HeadPose
        The same position; angles relative to the direction of the head.
    """
    x, y, z = (float(value) for value in pose.translation_mm)
    towards = np.array([math.atan2(y, math.hypot(x, z)), -math.atan2(x, math.hypot(y, z)), 0.0])
    rotation = rotation_from_euler(towards) @ rotation_from_euler(pose.rotation_rad.astype(np.float64))
    return HeadPose(translation_mm=pose.translation_mm, rotation_rad=euler_from_rotation(rotation))

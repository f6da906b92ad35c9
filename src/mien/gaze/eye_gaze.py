"""Where the eyes look."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import Camera, FaceLandmarks, Gaze, HeadPose
from mien.gaze import kernels


class GazeEstimator:
    """Finds the direction of gaze of both eyes (docs/algorithms/gaze.md).

    A ray from the camera through the middle of the iris meets the eyeball, a sphere of 12 mm radius set
    into the head behind the eye's corners; the gaze runs from its centre to that point.

    Parameters
    ----------
    always
        Measure the gaze of faces whose landmarks failed too, as OpenFace does for single images. By
        default their directions and angles are zero, as in its tables of videos.
    """

    def __init__(self, *, always: bool = False) -> None:
        self.always = always

    def estimate(
        self, landmarks: FaceLandmarks, landmarks_3d: NDArray[np.float32], pose: HeadPose, camera: Camera
    ) -> Gaze:
        """Gaze of one face.

        Parameters
        ----------
        landmarks
            A fit with two eyes: the eye on the left of the image first.
        landmarks_3d
            (68, 3) float32, mm, camera frame, as `mien.pose.head_pose.HeadPoseEstimator` gives them.
        pose
            The head's pose from the same estimator.
        camera
            Intrinsics of the camera that took the picture.

        Returns
        -------
        Gaze
            Eye landmarks are always filled from the fit's present state; directions and angles are zero
            where ``landmarks.success`` is False (unless ``always``). A person who looks at the camera has
            directions near (0, 0, -1).

        Raises
        ------
        ValueError
            The fit has not two eyes, or arrays have other shapes than documented.
        """
        if len(landmarks.eyes) != 2:
            raise ValueError(
                f"expected landmarks with two eyes, got {len(landmarks.eyes)}; "
                "choose a landmark model that has eye parts, or leave gaze out"
            )
        left, right = landmarks.eyes
        shape, depths = left.points.shape, left.depth_offsets.shape
        if (
            shape != (*depths, 2)
            or (right.points.shape, right.depth_offsets.shape) != (shape, depths)
            or landmarks_3d.shape != (68, 3)
        ):
            raise ValueError(
                "expected eyes with points (n, 2) and depth_offsets (n,), and landmarks_3d (68, 3), got "
                f"{left.points.shape}, {left.depth_offsets.shape} and {landmarks_3d.shape}"
            )
        points, offsets = _both(left.points, right.points), _both(left.depth_offsets, right.depth_offsets)
        points_3d = np.empty((*offsets.shape, 3), np.float32)
        directions = np.zeros((2, 3), np.float64)
        angles = np.zeros(2, np.float64)
        kernels.estimate_gaze(
            points,
            offsets,
            np.array((left.scale, right.scale), dtype=np.float64),
            np.ascontiguousarray(landmarks_3d, dtype=np.float32),
            pose.rotation_rad.astype(np.float32),
            camera.intrinsics,
            bool(landmarks.success or self.always),
            points_3d,
            directions,
            angles,
        )
        return Gaze(
            directions=directions,
            angle_rad=angles,
            eye_points=points.reshape(-1, 2),
            eye_points_3d=points_3d.reshape(-1, 3),
        )


def _both(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    """One array (2, ...) float32 of both eyes' arrays."""
    both = np.empty((2, *left.shape), np.float32)
    both[0], both[1] = left, right
    return both

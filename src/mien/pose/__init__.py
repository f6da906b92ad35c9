"""Head pose."""

from mien.pose.estimator import HeadPoseEstimator, pose_towards_camera

__all__ = ["HeadPoseEstimator", "pose_towards_camera"]

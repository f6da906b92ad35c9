"""Head pose."""

from mien.pose.head_pose import HeadPoseEstimator, pose_towards_camera

__all__ = ["HeadPoseEstimator", "pose_towards_camera"]

"""Eye gaze."""

from mien.gaze.eye_gaze import GazeEstimator

__all__ = ["GazeEstimator"]

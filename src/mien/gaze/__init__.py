"""Eye gaze."""

from mien.gaze.estimator import GazeEstimator

__all__ = ["GazeEstimator"]

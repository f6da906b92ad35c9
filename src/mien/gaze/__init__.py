"""Eye gaze."""

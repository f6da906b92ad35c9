"""Rotations and the pinhole camera; shared by pose, gaze and results."""

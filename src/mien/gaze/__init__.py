"""Gaze direction."""

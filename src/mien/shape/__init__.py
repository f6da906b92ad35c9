"""The point distribution model and its fit to 2D points; shared by landmarks and appearance."""

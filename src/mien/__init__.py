"""mien reads faces: action units, landmarks, head pose and gaze from video."""

__version__ = "0.1.0"

"""Facial landmarks: patch experts, fitting, parts, validation, tracking."""

"""A symmetric face that is made of numbers, and the same face as a camera sees it."""

from __future__ import annotations

import numpy as np

from mien.sides.midplane import Midplane
from mien.sides.symmetric_shape import reflect


def symmetric_face() -> np.ndarray:
    """(68, 3) mm: x to the image's right, y down, z away; its mirror image is itself."""
    from synthetic_face import face_pdm

    mean = face_pdm().mean.astype(np.float64)
    return (mean + reflect(mean)) / 2


def seen(face: np.ndarray, *, yaw_deg: float = 0.0, nod_deg: float = 0.0, scale: float = 2.0) -> Midplane:
    """A face as a camera sees it, with its plane where it truly is."""
    from mien.geometry.rotation import rotation_from_euler

    angles = np.radians([nod_deg, yaw_deg, 0.0])
    return Midplane(scale, rotation_from_euler(angles), np.array([240.0, 230.0]), face)

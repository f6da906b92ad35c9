"""A face laid out in its own frame, whichever model pack found it: where measures and composites begin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import FaceLandmarks
from mien.geometry.rotation import rotation_from_euler
from mien.sides.midplane import Midplane, MidplaneFinder, lay_flat

_IRIS = slice(0, 8)
_MESH_IRISES = (slice(473, 478), slice(468, 473))
"""Left iris of the subject, then the right one: centre, then four points of the edge."""


@dataclass(frozen=True, slots=True)
class FaceSketch:
    """One face in its own frame (see `Midplane`).

    Attributes
    ----------
    midplane
        Where the middle is, and the landmarks.
    irises
        (2, 2) float64, mm of the shape model: x, y of the centre of the left and of the right iris; NaN where
        the model has none.
    iris_radius
        Mean radius of the irises, mm of the shape model, across the direction in which they are seen longest.
    """

    midplane: Midplane
    irises: NDArray[np.float64]
    iris_radius: float


Sketcher = Callable[[FaceLandmarks], FaceSketch]


def openface_sketcher(finder: MidplaneFinder) -> Sketcher:
    """Sketches of faces that OpenFace's models found: eyes from their 28 points."""

    def sketch(landmarks: FaceLandmarks) -> FaceSketch:
        midplane = finder.find(landmarks.points)
        irises, radii = np.full((2, 2), np.nan), np.full(2, np.nan)
        for side, eye in enumerate(reversed(landmarks.eyes)):
            ring = eye.points[_IRIS].astype(np.float64)
            corners = [42, 45] if side == 0 else [36, 39]
            irises[side] = _lay_flat(ring.mean(axis=0), midplane, midplane.face[corners, 2].mean())
            radii[side] = np.linalg.norm(ring[:4] - ring[4:], axis=1).max() / 2
        return FaceSketch(midplane, irises, float(radii.mean()) / midplane.scale)

    return sketch


def mesh_sketch(landmarks: FaceLandmarks) -> FaceSketch:
    """Sketch of a face that the open models found: they measure it in three dimensions."""
    assert landmarks.mesh is not None
    scale, angles = float(landmarks.global_params[0]), landmarks.global_params[1:4].astype(np.float64)
    midplane = Midplane(
        scale,
        rotation_from_euler(angles),
        landmarks.global_params[4:6].astype(np.float64),
        landmarks.object_shape.astype(np.float64),
    )
    irises, radii = np.full((2, 2), np.nan), np.full(2, np.nan)
    if len(landmarks.mesh) >= _MESH_IRISES[0].stop:
        for side, points in enumerate(_MESH_IRISES):
            iris = landmarks.mesh[points, :2].astype(np.float64)
            corners = [42, 45] if side == 0 else [36, 39]
            irises[side] = _lay_flat(iris[0], midplane, midplane.face[corners, 2].mean())
            radii[side] = np.linalg.norm(iris[1:3] - iris[3:5], axis=1).max() / 2
    return FaceSketch(midplane, irises, float(radii.mean()) / scale)


def _lay_flat(point: NDArray[np.float64], midplane: Midplane, depth: float) -> NDArray[np.float64]:
    """x, y in the face's own frame of what is seen at a point (2,), px, and has a depth there, mm."""
    out: NDArray[np.float64] = np.empty((1, 2))
    lay_flat(point[None], depth, midplane.scale, midplane.rotation, midplane.translation, out)
    return np.asarray(out[0])

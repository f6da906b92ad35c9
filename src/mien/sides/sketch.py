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
_CORNERS = np.array(((42, 45), (36, 39)))
"""Landmarks of the corners of the left and of the right eye."""
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
        Mean radius of the irises, mm of the shape model, across the direction in which they are seen longest;
        NaN likewise.
    """

    midplane: Midplane
    irises: NDArray[np.float64]
    iris_radius: float


Sketcher = Callable[[FaceLandmarks], FaceSketch]


def openface_sketcher(finder: MidplaneFinder) -> Sketcher:
    """Sketches of faces that OpenFace's models found: eyes from their 28 points, where these were fitted."""

    def sketch(landmarks: FaceLandmarks) -> FaceSketch:
        midplane = finder.find(landmarks.points)
        if len(landmarks.eyes) != 2:
            return FaceSketch(midplane, np.full((2, 2), np.nan), float("nan"))
        right, left = landmarks.eyes
        rings = np.array((left.points[_IRIS], right.points[_IRIS]), np.float64)
        across = rings[:, :4] - rings[:, 4:]
        radii = np.sqrt((across * across).sum(axis=2).max(axis=1)) / 2
        irises = _lay_flat(rings.mean(axis=1), midplane)
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
        iris = np.array([landmarks.mesh[points, :2] for points in _MESH_IRISES], np.float64)
        irises = _lay_flat(iris[:, 0], midplane)
        radii = np.linalg.norm(iris[:, 1:3] - iris[:, 3:5], axis=2).max(axis=1) / 2
    return FaceSketch(midplane, irises, float(radii.mean()) / scale)


def _lay_flat(irises: NDArray[np.float64], midplane: Midplane) -> NDArray[np.float64]:
    """x, y in the face's own frame of irises that are seen at (2, 2), px; they are as deep as eye corners."""
    out: NDArray[np.float64] = np.empty((2, 2))
    depth = midplane.face[_CORNERS, 2].mean(axis=1)
    lay_flat(irises, depth, midplane.scale, midplane.rotation, midplane.translation, out)
    return out

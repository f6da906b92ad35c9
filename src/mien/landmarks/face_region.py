"""The rotated square from which the mesh network reads a face (docs/algorithms/open-mesh.md#region)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MARGIN = 1.5
"""Side of the square in lengths of the face's box."""
RIGHT_EYE_OUTER, LEFT_EYE_OUTER = 33, 263
"""Mesh vertices of the subject's outer eye corners."""


@dataclass(frozen=True, slots=True)
class FaceRegion:
    """A rotated square around a face; it may stick out of the image.

    Attributes
    ----------
    cx, cy
        Centre, px.
    side
        Length of a side, px.
    rotation_rad
        Positive clockwise on the screen.
    """

    cx: float
    cy: float
    side: float
    rotation_rad: float

    def crop_matrix(self, size: int) -> NDArray[np.float64]:
        """Affine map of the crop's pixels to the image.

        Parameters
        ----------
        size
            Side of the crop, px.

        Returns
        -------
        ndarray
            (2, 3) float64: column and row in the crop to x and y in the image.
        """
        step, half = self.side / size, size / 2
        c, s = math.cos(self.rotation_rad) * step, math.sin(self.rotation_rad) * step
        return np.array([[c, -s, self.cx - half * c + half * s], [s, c, self.cy - half * s - half * c]])

    def overlap(self, other: FaceRegion) -> float:
        """Intersection over union of the two squares, both taken upright.

        Parameters
        ----------
        other
            The other square.

        Returns
        -------
        float
            From 0 to 1.
        """
        shared = 1.0
        for a, b in ((self.cx, other.cx), (self.cy, other.cy)):
            low = max(a - self.side / 2, b - other.side / 2)
            high = min(a + self.side / 2, b + other.side / 2)
            shared *= max(high - low, 0.0)
        union = self.side**2 + other.side**2 - shared
        return shared / union if union > 0 else 0.0


def region_from_box(box: NDArray[np.float32], eyes: NDArray[np.float32] | None = None) -> FaceRegion:
    """Region of a detected face.

    Parameters
    ----------
    box
        (4,) x, y, width, height, px.
    eyes
        (2, 2) px: the eye on the image's left, the other eye; None where the detector gives none, then the
        region is upright.

    Returns
    -------
    FaceRegion
    """
    x, y, width, height = (float(v) for v in box)
    rotation = 0.0 if eyes is None else _angle(eyes[0], eyes[1])
    return FaceRegion(x + width / 2, y + height / 2, MARGIN * max(width, height), rotation)


def region_from_points(points: NDArray[np.float32] | NDArray[np.float64]) -> FaceRegion:
    """Region in which to look for a face that was here one frame ago.

    Parameters
    ----------
    points
        (P, 2) or (P, 3) px, the mesh; P = 468 or 478.

    Returns
    -------
    FaceRegion
        Around the upright box of all points, turned with the line between the outer eye corners.
    """
    low, high = points[:, :2].min(axis=0).astype(np.float64), points[:, :2].max(axis=0).astype(np.float64)
    cx, cy = (low + high) / 2
    rotation = _angle(points[RIGHT_EYE_OUTER], points[LEFT_EYE_OUTER])
    return FaceRegion(float(cx), float(cy), MARGIN * float((high - low).max()), rotation)


def _angle(
    first: NDArray[np.float32] | NDArray[np.float64], second: NDArray[np.float32] | NDArray[np.float64]
) -> float:
    return math.atan2(float(second[1]) - float(first[1]), float(second[0]) - float(first[0]))

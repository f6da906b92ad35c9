"""Where the middle of a face is: a plane in its head, found from landmarks that expressions hardly move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.geometry.kernels import euler_to_matrix
from mien.models.records import PdmRecord
from mien.shape.mirror import MIDLINE, STABLE
from mien.shape.model import PointDistributionModel
from mien.sides.symmetric_shape import symmetric_model

STABLE_WEIGHT = 6
"""How much more a stable landmark counts than another."""
MOVED_BY_DISEASE = (*range(5, 12), *range(48, 68))
"""Landmarks of mouth and chin: a palsy draws them to one side as a whole, so they have no say."""


@dataclass(frozen=True, slots=True)
class Midplane:
    """Place of a face's plane of symmetry in a frame, by a scaled orthographic camera.

    Attributes
    ----------
    scale
        Px per mm of the shape model.
    rotation
        (3, 3) float64: from the face's own frame (x = 0 is the plane, y down, z away from the camera) to the
        camera's.
    translation
        (2,) float64, px: where the face's origin is seen.
    face
        (68, 3) float64, mm of the shape model, in the face's own frame: every landmark where it is seen, at
        the depth of a symmetric face. Its x is the distance from the plane, positive to the subject's left.
    """

    scale: float
    rotation: NDArray[np.float64]
    translation: NDArray[np.float64]
    face: NDArray[np.float64]

    @property
    def yaw_rad(self) -> float:
        """How far the face is turned; positive towards the image's left."""
        return float(np.arctan2(self.rotation[0, 2], self.rotation[2, 2]))

    @property
    def nod_rad(self) -> float:
        """How far the face is nodded, as seen by a camera in its own plane of symmetry."""
        return float(np.arctan2(self.rotation[2, 1], self.rotation[2, 2]))

    @property
    def tilt_rad(self) -> float:
        """Angle of the plane to the image's vertical, positive clockwise as seen."""
        return float(np.arctan2(-self.rotation[0, 1], self.rotation[1, 1]))

    def project(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where points (n, 3) of the face's own frame are seen, (n, 2) px."""
        return np.asarray(self.scale * (points @ self.rotation[:2].T) + self.translation)


def lay_flat(
    points: NDArray[np.floating],
    depth: NDArray[np.float64] | float,
    scale: float,
    rotation: NDArray[np.float64],
    translation: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Where points that are seen in a frame lie in a face's own frame, if their depth there is known.

    Parameters
    ----------
    points
        (n, 2) px.
    depth
        (n,), or one for all, mm.
    scale, rotation, translation
        As of a `Midplane`.
    out
        (n, 2) or more columns: x and y go into the first two.
    """
    x = (points[:, 0] - translation[0]) / scale - depth * rotation[0, 2]
    y = (points[:, 1] - translation[1]) / scale - depth * rotation[1, 2]
    (a, b), (c, d) = rotation[:2, :2].tolist()
    determinant = a * d - b * c
    out[:, 0] = (d * x - b * y) / determinant
    out[:, 1] = (a * y - c * x) / determinant


class MidplaneFinder:
    """Fits a symmetric shape model to landmarks.

    Stable landmarks count `STABLE_WEIGHT` times as much as others; those in `MOVED_BY_DISEASE` do not count,
    so that nothing that they do moves the plane, and have the depth that goes with the rest of the face.

    Parameters
    ----------
    pdm
        Shape model of 68 landmarks, symmetric or not.
    stable_weight
        How often a stable landmark counts.
    """

    def __init__(self, pdm: PdmRecord, *, stable_weight: int = STABLE_WEIGHT) -> None:
        self._model = PointDistributionModel(symmetric_model(pdm))
        # A landmark that is named several times counts as often.
        counted = [landmark for landmark in range(68) if landmark not in MOVED_BY_DISEASE]
        self._index = np.array([*counted, *STABLE * (stable_weight - 1)], np.intp)
        self._subset = self._model.subset(self._index)
        self._mean_depth = self._model.mean[2].astype(np.float64)
        self._depths = np.ascontiguousarray(self._model.basis[:, 2])

    def find(self, points: NDArray[np.float32]) -> Midplane:
        """Find the plane.

        Parameters
        ----------
        points
            (68, 2) float32, px.

        Returns
        -------
        Midplane
        """
        target = np.ascontiguousarray(points.T[:, self._index], np.float32)
        glob, local = self._model.fit_subset(self._subset, target)
        rotation = np.empty((3, 3))
        euler_to_matrix(glob[1:4].astype(np.float64), rotation)
        translation = glob[4:6].astype(np.float64)
        scale = float(glob[0])
        face = np.empty((68, 3))
        face[:, 2] = self._mean_depth + local @ self._depths
        lay_flat(points, face[:, 2], scale, rotation, translation, face)
        return Midplane(scale, rotation, translation, face)


def midline_offset(face: NDArray[np.float64]) -> float:
    """How far the landmarks of the nose lie from the plane, mean, mm of the shape model."""
    return float(face[[i for i in MIDLINE if 27 <= i <= 33], 0].mean())

"""Where the middle of a face is: a plane in its head, found from landmarks that expressions hardly move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.geometry.rotation import rotation_from_euler
from mien.models.records import PdmRecord
from mien.shape.mirror import MIDLINE, STABLE
from mien.shape.model import PointDistributionModel
from mien.sides.symmetric_shape import symmetric_model

STABLE_WEIGHT = 6
"""How much more a stable landmark counts than another."""


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


class MidplaneFinder:
    """Fits a symmetric shape model to landmarks.

    Stable landmarks count `STABLE_WEIGHT` times as much as others, which must be fitted too, for their depth.

    Parameters
    ----------
    pdm
        Shape model of 68 landmarks, symmetric or not.
    """

    def __init__(self, pdm: PdmRecord, *, stable_weight: int = STABLE_WEIGHT) -> None:
        self._model = PointDistributionModel(symmetric_model(pdm))
        # A landmark that is named several times counts as often.
        self._index = np.array([*range(68), *STABLE * (stable_weight - 1)], np.intp)
        self._subset = self._model.subset(self._index)

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
        shape = self._model.mean.T.astype(np.float64) + np.einsum("man,m->na", self._model.basis, local)
        rotation = rotation_from_euler(glob[1:4].astype(np.float64))
        translation = glob[4:6].astype(np.float64)
        scale = float(glob[0])
        flat = (points - translation) / scale - shape[:, 2:] * rotation[:2, 2]
        face = np.empty((68, 3))
        face[:, :2] = flat @ np.linalg.inv(rotation[:2, :2]).T
        face[:, 2] = shape[:, 2]
        return Midplane(scale, rotation, translation, face)


def midline_offset(face: NDArray[np.float64]) -> float:
    """How far the landmarks of the nose lie from the plane, mean, mm of the shape model."""
    return float(face[[i for i in MIDLINE if 27 <= i <= 33], 0].mean())

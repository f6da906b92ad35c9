"""Composites: a face made of one of its sides and that side's mirror image, aligned and described."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.appearance.alignment import (
    DEFAULT_SCALE,
    DEFAULT_SIZE,
    LIFT_PX,
    RIGID_LANDMARKS,
    reference_size,
)
from mien.appearance.fhog import FhogExtractor
from mien.datatypes import AlignedFace, Appearance, Frame
from mien.models.records import ActionUnitRecord
from mien.shape.mirror import MIDLINE
from mien.shape.model import PointDistributionModel
from mien.sides import kernels
from mien.sides.half_mesh import LANDMARKS, ON_MIDLINE, HalfMesh
from mien.sides.midplane import Midplane

_OUTWARDS = np.array([[[1.0, 1.0, 1.0]], [[-1.0, 1.0, 1.0]]])
"""What makes x of the left and of the right half the distance from the plane, and back."""
_RIGID = np.flatnonzero(np.isin(LANDMARKS[0], RIGID_LANDMARKS))
_COUNTED = np.where(np.isin(LANDMARKS[0, _RIGID], MIDLINE), 1.0, 2.0)
"""How often such a landmark is in a whole face."""


@dataclass(frozen=True, slots=True)
class Composite:
    """A face of which both halves are the same.

    Attributes
    ----------
    points
        (68, 2) float32, px: its landmarks, seen by a camera in its plane of symmetry.
    appearance
        Its aligned picture and its descriptor.
    """

    points: NDArray[np.float32]
    appearance: Appearance


_Parts = tuple[
    NDArray[np.uint8],
    NDArray[np.float32],
    list[tuple[NDArray[np.float32], NDArray[np.float32]]],
    NDArray[np.float32],
]
"""Of both composites: pictures, landmarks, parameters of the shape model; and where they are placed."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where both composites of a frame lie in the aligned picture: upright, their middle in its middle.

    Attributes
    ----------
    scale
        Px of the aligned picture per px of the frame.
    shift
        Row of the frame's row 0.
    """

    scale: float
    shift: float


class CompositeMaker:
    """Mirrors each side of a face across its midplane, straight into an aligned picture.

    The composite is the symmetric three-dimensional face that one side and its mirror image make, seen from
    straight ahead at the nod that the face has: so yaw and roll make no difference between the sides, the
    composite is its own mirror image, and both sides are judged alike by predictors that are not symmetric.
    Both composites of a frame have one place and size in their pictures, that of the mean of both, so that
    nothing but a side itself decides what is seen of it.

    Parameters
    ----------
    record
        Shape model and triangles of the predictors of action units.
    enlarged
        How many times as large as for the predictors pictures are drawn.
    """

    def __init__(self, record: ActionUnitRecord, *, enlarged: int = 1) -> None:
        self._pdm = PointDistributionModel(record.pdm)
        self._size, self._lift = DEFAULT_SIZE * enlarged, LIFT_PX * enlarged
        self._reference_size = reference_size(record.pdm.mean, DEFAULT_SCALE * enlarged)
        self._mesh = HalfMesh(np.asarray(record.triangles, np.int32))
        self._fhog = FhogExtractor()
        half = self._size, self._size // 2 + 1
        self._work = np.empty(half, np.uint8), np.empty((*half, 3), np.uint8)

    def make(self, frame: Frame, midplane: Midplane) -> tuple[Composite, Composite]:
        """Make the composites of the left and of the right side.

        Parameters
        ----------
        frame
            The frame.
        midplane
            Where the face's middle is.
        """
        pictures, points, params, matrix = self._make(frame, midplane)
        left, right = (
            Composite(
                marks,
                Appearance(AlignedFace(picture, matrix), self._fhog.describe(picture), *fitted, good=True),
            )
            for picture, marks, fitted in zip(pictures, points, params, strict=True)
        )
        return left, right

    def pictures(self, frame: Frame, midplane: Midplane) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """The aligned pictures of both composites alone, (size, size, 3) uint8."""
        left, right = self._make(frame, midplane)[0]
        return left, right

    def _make(self, frame: Frame, midplane: Midplane) -> _Parts:
        halves = _halves(midplane.face)
        seen = _from_ahead(halves, midplane)
        points = _wholes(seen, midplane.translation[0])
        params = [self._pdm.fit_to_points(marks) for marks in points]
        place = self._place(seen, float(params[0][0][5] + params[1][0][5]) / 2)
        if place is None:
            black = np.zeros((2, self._size, self._size, 3), np.uint8)
            return black, points, params, np.zeros((2, 3), np.float32)
        aside = self._size // 2 - place.scale * midplane.translation[0]
        matrix = np.array(((place.scale, 0.0, aside), (0.0, place.scale, place.shift)), np.float32)
        return self._draw(frame, midplane, halves, place), points, params, matrix

    def _place(self, seen: NDArray[np.float64], origin: float) -> _Place | None:
        """Place of the mean of both composites, whose landmarks are ``seen`` (2, K, 2), by OpenFace's rules.

        That is the similarity which brings rigid landmarks to the size of the mean shape's, and the origin of
        the shape model, in this row of the frame, to the middle. A symmetric face stands upright in it. None
        where landmarks coincide.
        """
        size = kernels.size_of_mean(seen, _RIGID, _COUNTED)
        if not size > 0:
            return None
        scale = self._reference_size / size
        return _Place(scale, self._size // 2 - scale * origin)

    def _draw(
        self, frame: Frame, midplane: Midplane, halves: NDArray[np.float64], place: _Place
    ) -> NDArray[np.uint8]:
        """Both pictures, (2, size, size, 3)."""
        cos, sin = math.cos(midplane.nod_rad), math.sin(midplane.nod_rad)
        scale = place.scale * midplane.scale
        out = np.empty((2, self._size, self._size, 3), np.uint8)
        width, height = frame.size
        kernels.compose(
            self._mesh.vertices(halves, self._lift / (scale * cos)),
            scale,
            cos,
            sin,
            place.scale * midplane.translation[1] + place.shift,
            midplane.scale * midplane.rotation,
            midplane.translation,
            self._mesh.mask,
            self._mesh.fine,
            np.ascontiguousarray(frame.bgr).reshape(-1),
            height,
            width,
            *self._work,
            out,
        )
        return out


def one_sided(face: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Landmarks (68, 3) of one side and their reflection across x = 0; those of the middle lie on it."""
    half = _halves(face)[side]
    whole = np.empty((68, 3))
    whole[LANDMARKS[1]] = half * (-1.0, 1.0, 1.0)
    whole[LANDMARKS[0]] = half
    return whole


def _halves(face: NDArray[np.float64]) -> NDArray[np.float64]:
    """`LANDMARKS` (2, K, 3) of both halves of a face (68, 3), x the distance from its plane."""
    halves: NDArray[np.float64] = face[LANDMARKS] * _OUTWARDS
    halves[:, ON_MIDLINE, 0] = 0.0
    return halves


def _from_ahead(points: NDArray[np.float64], midplane: Midplane) -> NDArray[np.float64]:
    """Where a camera in the plane of symmetry sees points (..., 3): (..., 2) px, x from the plane."""
    cos, sin = math.cos(midplane.nod_rad), math.sin(midplane.nod_rad)
    out = np.empty((*points.shape[:-1], 2))
    out[..., 0] = midplane.scale * points[..., 0]
    out[..., 1] = midplane.scale * (cos * points[..., 1] - sin * points[..., 2]) + midplane.translation[1]
    return out


def _wholes(seen: NDArray[np.float64], middle: float) -> NDArray[np.float32]:
    """Landmarks (2, 68, 2) of both composites, of which `_from_ahead` sees halves (2, K, 2); px."""
    points = np.empty((2, 68, 2), np.float32)
    points[:, LANDMARKS[1]] = seen * (-1.0, 1.0)
    points[:, LANDMARKS[0]] = seen
    points[..., 0] += np.float32(middle)
    return points

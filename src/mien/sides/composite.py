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
_RIGID = [k for k, landmark in enumerate(LANDMARKS[0]) if landmark in RIGID_LANDMARKS]
_COUNTED = np.array([1.0 if LANDMARKS[0, k] in MIDLINE else 2.0 for k in _RIGID])
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
        self._wanted = np.empty((self._size, self._size // 2 + 1), np.uint8)

    def make(self, frame: Frame, midplane: Midplane) -> tuple[Composite, Composite]:
        """Make the composites of the left and of the right side.

        Parameters
        ----------
        frame
            The frame.
        midplane
            Where the face's middle is.
        """
        halves = _halves(midplane.face)
        seen = _from_ahead(halves, midplane)
        points = [_whole(half, midplane.translation) for half in seen]
        params = [self._pdm.fit_to_points(each) for each in points]
        place = self._place(seen, float(params[0][0][5] + params[1][0][5]) / 2)
        pictures = self._draw(frame, midplane, halves, place)
        matrix = _matrix(place, midplane, self._size) if math.isfinite(place.scale) else np.zeros((2, 3))
        left, right = (
            Composite(
                each,
                Appearance(
                    AlignedFace(picture, matrix.astype(np.float32)),
                    self._fhog.describe(picture),
                    *fitted,
                    good=True,
                ),
            )
            for each, picture, fitted in zip(points, pictures, params, strict=True)
        )
        return left, right

    def pictures(self, frame: Frame, midplane: Midplane) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """The aligned pictures of both composites alone, (size, size, 3) uint8."""
        halves = _halves(midplane.face)
        seen = _from_ahead(halves, midplane)
        origins = [self._pdm.fit_to_points(_whole(half, midplane.translation))[0][5] for half in seen]
        return self._draw(frame, midplane, halves, self._place(seen, float(sum(origins)) / 2))

    def _place(self, seen: NDArray[np.float64], origin: float) -> _Place:
        """Place of the mean of both composites, whose landmarks are ``seen`` (2, K, 2), by OpenFace's rules.

        That is the similarity which brings rigid landmarks to the size of the mean shape's, and the origin of
        the shape model, in this row of the frame, to the middle. A symmetric face stands upright in it.
        """
        rigid = seen[:, _RIGID].mean(axis=0)
        total = _COUNTED.sum()
        heights = rigid[:, 1] - _COUNTED @ rigid[:, 1] / total
        squares = _COUNTED @ (rigid[:, 0] ** 2 + heights**2)
        if not squares > 0:
            return _Place(math.nan, math.nan)
        scale = self._reference_size / math.sqrt(squares / total)
        return _Place(scale, self._size // 2 - scale * origin)

    def _draw(
        self, frame: Frame, midplane: Midplane, halves: NDArray[np.float64], place: _Place
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        if not math.isfinite(place.scale):
            black = np.zeros((self._size, self._size, 3), np.uint8)
            return black, black.copy()
        lift = self._lift / (place.scale * midplane.scale * math.cos(midplane.nod_rad))
        vertices = self._mesh.vertices(halves, lift)
        origins = midplane.project(vertices * _OUTWARDS)
        corners = _from_ahead(vertices, midplane) * place.scale + (0.0, place.shift)
        flat = np.ascontiguousarray(frame.bgr).reshape(-1)
        left, right = (self._mirrored(flat, frame.size, *each) for each in zip(corners, origins, strict=True))
        return left, right

    def _mirrored(
        self,
        flat: NDArray[np.uint8],
        size: tuple[int, int],
        corners: NDArray[np.float64],
        origins: NDArray[np.float64],
    ) -> NDArray[np.uint8]:
        """Draw half a composite, from its middle outwards, and put its mirror image beside it."""
        half = np.zeros((*self._wanted.shape, 3), np.uint8)
        self._wanted.fill(0)
        kernels.cover(corners, self._mesh.mask, self._wanted)
        kernels.draw(corners, origins, self._mesh.fine, flat, size[1], size[0], self._wanted, half)
        out = np.empty((self._size, self._size, 3), np.uint8)
        kernels.unfold(half, out)
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


def _whole(half: NDArray[np.float64], origin: NDArray[np.float64]) -> NDArray[np.float32]:
    """Landmarks (68, 2) float32 of a composite, of which `_from_ahead` sees half at (K, 2)."""
    points = np.empty((68, 2), np.float32)
    points[LANDMARKS[1]] = half * (-1.0, 1.0)
    points[LANDMARKS[0]] = half
    points[:, 0] += np.float32(origin[0])
    return points


def _matrix(place: _Place, midplane: Midplane, size: int) -> NDArray[np.float64]:
    """(2, 3): from where composites' landmarks are seen to the aligned picture."""
    aside = size // 2 - place.scale * midplane.translation[0]
    return np.array([[place.scale, 0.0, aside], [0.0, place.scale, place.shift]])

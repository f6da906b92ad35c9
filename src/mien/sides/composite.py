"""Composites: a face made of one of its sides and that side's mirror image, aligned and described."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mien.appearance.alignment import (
    DEFAULT_SCALE,
    DEFAULT_SIZE,
    LIFT_PX,
    RAISED_LANDMARKS,
    FaceAligner,
)
from mien.appearance.fhog import FhogExtractor
from mien.datatypes import AlignedFace, Appearance, Frame
from mien.models.records import ActionUnitRecord
from mien.shape.mirror import MIDLINE, MIRRORED, OF_SIDE
from mien.shape.model import PointDistributionModel
from mien.sides import kernels
from mien.sides.midplane import Midplane

_ROW_OF_BROWS = (0, *range(17, 27), 16)
"""Raised landmarks in the order in which they follow one another."""


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


class CompositeMaker:
    """Mirrors each side of a face across its midplane, straight into an aligned picture.

    The composite is the symmetric three-dimensional face that one side and its mirror image make, seen from
    straight ahead at the nod that the face has: so yaw and roll make no difference between the sides, the
    composite is its own mirror image, and both sides are judged alike by predictors that are not symmetric.

    Parameters
    ----------
    record
        Shape model and triangles of the predictors of action units.
    enlarged
        How many times as large as for the predictors pictures are drawn.
    """

    def __init__(self, record: ActionUnitRecord, *, enlarged: int = 1) -> None:
        self._pdm = PointDistributionModel(record.pdm)
        size, scale = DEFAULT_SIZE * enlarged, DEFAULT_SCALE * enlarged
        self._aligner = FaceAligner(record.pdm, record.triangles, size, scale)
        self._lift = LIFT_PX * enlarged
        self._fhog = FhogExtractor()
        self._triangles = _fine_triangles(np.asarray(record.triangles, np.int32))
        raised = {landmark: 68 + i for i, landmark in enumerate(RAISED_LANDMARKS)}
        mirrored = [raised[int(MIRRORED[landmark])] for landmark in RAISED_LANDMARKS]
        self._mirrored = np.concatenate((MIRRORED, mirrored)).astype(np.int32)
        self._raised = np.array(RAISED_LANDMARKS, np.intp)

    def make(self, frame: Frame, midplane: Midplane, side: int) -> Composite:
        """Make the composite of one side.

        Parameters
        ----------
        frame
            The frame.
        midplane
            Where the face's middle is.
        side
            0 for the subject's left, 1 for the right.
        """
        points, aligned, params = self._align(frame, midplane, side)
        return Composite(points, Appearance(aligned, self._fhog.describe(aligned.bgr), *params, good=True))

    def picture(self, frame: Frame, midplane: Midplane, side: int) -> NDArray[np.uint8]:
        """The aligned picture of a side's composite alone, (size, size, 3) uint8."""
        return self._align(frame, midplane, side)[1].bgr

    def _align(
        self, frame: Frame, midplane: Midplane, side: int
    ) -> tuple[NDArray[np.float32], AlignedFace, tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Landmarks of the composite, its aligned picture, and the parameters of the shape model."""
        face = one_sided(midplane.face, side)
        points = np.ascontiguousarray(_from_ahead(face, midplane), np.float32)
        global_params, local_params = self._pdm.fit_to_points(points)
        matrix, spans = self._aligner.place(points, global_params[4], global_params[5])
        if not np.isfinite(matrix).all():
            aligned = self._aligner.black()
        else:
            aligned = AlignedFace(self._draw(frame, midplane, face, points, matrix, spans, side), matrix)
        return points, aligned, (global_params, local_params)

    def _draw(
        self,
        frame: Frame,
        midplane: Midplane,
        face: NDArray[np.float64],
        points: NDArray[np.float32],
        matrix: NDArray[np.float32],
        spans: NDArray[np.int16],
        side: int,
    ) -> NDArray[np.uint8]:
        size = self._aligner.size
        linear = matrix[:, :2].astype(np.float64)
        # What the lift is in the face's own frame, whose y is shortened by the nod.
        (a, b), (c, d) = linear.tolist()
        lift = self._lift * a / (a * d - b * c) / (midplane.scale * math.cos(midplane.nod_rad))
        whole = np.empty((68 + len(self._raised), 3))
        whole[:68], whole[68:] = face, face[self._raised]
        whole[68:, 1] -= lift
        vertices = np.empty_like(whole)
        vertices[:68, :2] = points @ linear.T + matrix[:, 2]
        vertices[68:, :2] = vertices[self._raised, :2]
        vertices[68:, 1] -= self._lift
        vertices[:, 2] = whole[:, 0]
        origins = midplane.project(whole)
        out = np.zeros((size, size, 3), np.uint8)
        wanted = np.empty((size, size), np.uint8)
        kernels.want(spans, wanted)
        flat = np.ascontiguousarray(frame.bgr).reshape(-1)
        height, width = frame.bgr.shape[:2]
        keep = 1.0 if side == 0 else -1.0
        kernels.draw(
            vertices, origins, self._mirrored, self._triangles, keep, flat, height, width, wanted, out
        )
        return out


def one_sided(face: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Landmarks (68, 3) of one side and their reflection across x = 0; those of the middle lie on it."""
    result = face.copy()
    other = OF_SIDE[1 - side]
    result[other] = face[MIRRORED[other]] * (-1.0, 1.0, 1.0)
    result[list(MIDLINE), 0] = 0.0
    return result


def _from_ahead(face: NDArray[np.float64], midplane: Midplane) -> NDArray[np.float64]:
    """Where a camera in the plane of symmetry sees landmarks (68, 3): (68, 2) px, about the face's origin."""
    cos, sin = math.cos(midplane.nod_rad), math.sin(midplane.nod_rad)
    out = np.empty((len(face), 2))
    out[:, 0] = midplane.scale * face[:, 0] + midplane.translation[0]
    out[:, 1] = midplane.scale * (cos * face[:, 1] - sin * face[:, 2]) + midplane.translation[1]
    return out


def _fine_triangles(triangles: NDArray[np.int32]) -> NDArray[np.int32]:
    """Triangles over the landmarks and the strip above, then those over raised landmarks, for the rest."""
    raised = {landmark: 68 + i for i, landmark in enumerate(RAISED_LANDMARKS)}
    # Triangles without raised landmarks are the same in both.
    coarse = [
        [raised.get(int(corner), int(corner)) for corner in triangle]
        for triangle in triangles
        if any(int(corner) in raised for corner in triangle)
    ]
    strip = []
    for a, b in pairwise(_ROW_OF_BROWS):
        strip += [[a, b, raised[a]], [b, raised[b], raised[a]]]
    return np.array([*triangles.tolist(), *strip, *coarse], np.int32)

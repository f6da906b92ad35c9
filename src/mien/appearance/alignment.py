"""Aligned faces: the face turned upright, scaled to one size and cut free of its surroundings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.appearance import kernels
from mien.datatypes import AlignedFace
from mien.errors import OptionError
from mien.models.records import PdmRecord

DEFAULT_SIZE = 112
"""Width and height of the aligned face that action units are read from, px."""
DEFAULT_SCALE = 0.7
"""Pixels per millimetre of the mean shape in that face."""

RIGID_LANDMARKS = (1, 2, 3, 4, 12, 13, 14, 15, 27, 28, 29, 31, 32, 33, 34, 35, 36, 39, 40, 41, 42, 45, 46, 47)
"""Landmarks that expressions hardly move (docs/algorithms/alignment-and-fhog.md#similarity)."""
RAISED_LANDMARKS = (0, 16, *range(17, 27))
"""Landmarks that are raised, so that the forehead stays (docs/algorithms/alignment-and-fhog.md#mask)."""
LIFT_PX = 30.0
"""How far they are raised in a face of the default scale."""


class FaceAligner:
    """Warps faces to a common position, size and orientation (docs/algorithms/alignment-and-fhog.md).

    The result equals the original's bit for bit for the same landmarks and position.

    Parameters
    ----------
    pdm
        Shape model with 68 landmarks whose mean shape is the reference.
    triangles
        (T, 3) landmarks of each triangle of the mask.
    size
        Width and height of the aligned face, px.
    scale
        Pixels per millimetre of the mean shape.
    mask
        Whether everything outside the triangles is black.

    Raises
    ------
    OptionError
        Size or scale are not positive.
    ValueError
        The shape model does not have 68 landmarks.
    """

    def __init__(
        self,
        pdm: PdmRecord,
        triangles: NDArray[np.int32],
        size: int = DEFAULT_SIZE,
        scale: float = DEFAULT_SCALE,
        mask: bool = True,
    ) -> None:
        if size < 1 or not scale > 0:
            raise OptionError(
                f"expected an aligned face of positive size and scale, got {size} px and {scale}"
            )
        if pdm.mean.shape != (68, 3):
            raise ValueError(f"expected a shape model of (68, 3) landmarks, got {pdm.mean.shape}")
        self.size = size
        self.scale = scale
        self.mask = mask
        self._rigid = np.array(RIGID_LANDMARKS, np.int32)
        self._raised = np.array(RAISED_LANDMARKS, np.int32)
        self._lift = np.float32(LIFT_PX * scale / DEFAULT_SCALE)
        self._reference, self._reference_size = _normalised_reference(pdm.mean, scale)
        self._mesh = _mesh(pdm.mean, np.asarray(triangles, np.int32))
        self._centre = np.full(2, size // 2, np.float32)
        self._warped = np.empty((68, 2), np.float32)
        self._spans = np.empty((size, size + 1), np.int16)
        self._steps = np.empty((2, size), np.int64)

    def align(self, bgr: NDArray[np.uint8], points: NDArray[np.float32], tx: float, ty: float) -> AlignedFace:
        """Align one face.

        Parameters
        ----------
        bgr
            (H, W, 3) uint8 frame.
        points
            (68, 2) float32 landmarks, px in the frame.
        tx, ty
            Where the shape model's fit to these landmarks puts its origin, px in the frame.

        Returns
        -------
        AlignedFace
            All black where the landmarks coincide and no face can be aligned.
        """
        points = np.ascontiguousarray(points, np.float32)
        if bgr.ndim != 3 or bgr.shape[2] != 3 or bgr.dtype != np.uint8:
            raise ValueError(f"expected an (H, W, 3) uint8 frame, got {bgr.shape} {bgr.dtype}")
        if points.shape != (68, 2):
            raise ValueError(f"expected (68, 2) landmarks, got {points.shape}")
        matrix, spans = self.place(points, tx, ty)
        return self._warp(bgr, matrix, spans)

    def align_mirrored(
        self, bgr: NDArray[np.uint8], points: NDArray[np.float32], tx: float, ty: float
    ) -> AlignedFace:
        """Align the face of a frame mirrored from left to right, without mirroring the frame.

        Parameters
        ----------
        bgr
            (H, W, 3) uint8, the frame as it is.
        points, tx, ty
            As for `align`, in the mirrored frame.

        Returns
        -------
        AlignedFace
            Its matrix starts from the frame as it is.
        """
        matrix, spans = self.place(points, tx, ty)
        matrix[:, 2] += matrix[:, 0] * np.float32(bgr.shape[1] - 1)
        matrix[:, 0] = -matrix[:, 0]
        return self._warp(bgr, matrix, spans)

    def _warp(
        self, bgr: NDArray[np.uint8], matrix: NDArray[np.float32], spans: NDArray[np.int16]
    ) -> AlignedFace:
        out = np.zeros((self.size, self.size, 3), np.uint8)
        flat = np.ascontiguousarray(bgr).reshape(-1)
        usable = kernels.warp(flat, bgr.shape[0], bgr.shape[1], matrix, spans, self._steps, out)
        return AlignedFace(out, matrix) if usable else self.black()

    def place(
        self, points: NDArray[np.float32], tx: float, ty: float
    ) -> tuple[NDArray[np.float32], NDArray[np.int16]]:
        """Say where a face goes, without drawing it.

        Parameters
        ----------
        points, tx, ty
            As for `align`.

        Returns
        -------
        matrix, spans
            (2, 3) float32, from the frame's pixels to those of the aligned face, not finite where the
            landmarks coincide; (size, size + 1) int16, how many triangles of the mask begin or end at each
            pixel of a row, valid until the next call.
        """
        matrix = np.empty((2, 3), np.float32)
        translation = np.array((tx, ty), np.float32)
        usable = kernels.similarity(
            points, self._rigid, self._reference, self._reference_size, translation, self._centre, matrix
        )
        self._spans.fill(0)
        if not usable:
            return matrix, self._spans
        if self.mask:
            kernels.warp_landmarks(points, matrix, self._raised, self._lift, self._warped)
            kernels.mark_mesh(self._warped, *self._mesh, self._spans)
        else:
            self._spans[:, 0] = 1
        return matrix, self._spans

    def black(self) -> AlignedFace:
        """What stands for the face of a failed frame; its matrix is zero."""
        return AlignedFace(np.zeros((self.size, self.size, 3), np.uint8), np.zeros((2, 3), np.float32))


def reference_size(mean: NDArray[np.float32], scale: float) -> float:
    """Root mean square distance of the rigid landmarks of an aligned face from their middle, px.

    Parameters
    ----------
    mean
        (68, 3) float32, mm: mean shape of the model.
    scale
        Pixels per millimetre of it.
    """
    return float(_normalised_reference(mean, scale)[1])


def _normalised_reference(mean: NDArray[np.float32], scale: float) -> tuple[NDArray[np.float32], np.float32]:
    """Rigid landmarks of the mean shape, centred, of unit size, and their size; types as in `similarity`."""
    reference = mean[list(RIGID_LANDMARKS), :2] * np.float32(scale)
    reference = reference - reference.mean(axis=0, dtype=np.float64).astype(np.float32)
    squares = (reference * reference).astype(np.float64)
    size = np.float32(np.sqrt(squares.sum() / len(reference)))
    return reference * np.float32(1.0 / float(size)), size


def _mesh(
    mean: NDArray[np.float32], triangles: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int8], NDArray[np.int32]]:
    """Triangles, which way each faces in the mean shape, and the outline of the mesh.

    An edge of the outline is (end, end, opposite corner, triangle). It is empty where the triangles are not a
    sheet without folds, so that it cannot stand for them.
    """
    points = mean[:, :2].astype(np.float64)
    points[list(RAISED_LANDMARKS), 1] -= LIFT_PX / DEFAULT_SCALE
    a, b, c = (points[triangles[:, k]] for k in range(3))
    ab, ac = b - a, c - a
    facing = np.sign(ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]).astype(np.int8)
    edges: dict[tuple[int, int], tuple[int, int]] = {}
    sheet = bool(facing.all())
    for index, (i, j, k) in enumerate(triangles.tolist()):
        corners = (i, j, k) if facing[index] > 0 else (k, j, i)
        for n in range(3):
            edge = corners[n - 2], corners[n - 1]
            sheet = sheet and edge not in edges
            edges[edge] = corners[n], index
    outline = [(*edge, *rest) for edge, rest in edges.items() if edge[::-1] not in edges]
    return triangles, facing, np.array(outline if sheet else [], np.int32).reshape(-1, 4)

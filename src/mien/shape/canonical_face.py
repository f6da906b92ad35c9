"""The mesh's canonical face (docs/algorithms/open-pose-and-gaze.md#canonical-face)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.errors import ModelFileError
from mien.storage.npz import read_npz

_MOST_BYTES = 1 << 26

MM_PER_UNIT = 10 / 1.105
"""Millimetres of OpenFace's face per nominal centimetre of the canonical face.

OpenFace's face model is smaller: on 29 videos the canonical face lies 1.105 times as far away as OpenFace
says (10 to 90 % of the videos 1.07 to 1.13). Fitted on OpenFace's output.
"""
ORIGIN_SHIFT_MM = (-0.9, 13.0, -6.2)
"""Where OpenFace's origin lies in the head, from the canonical face's origin; fitted on OpenFace's output."""


@dataclass(frozen=True, slots=True)
class CanonicalFace:
    """An average face in its own frame: x to the image's right, y down, z away from the camera.

    Attributes
    ----------
    vertices
        (468, 3) float64, nominal cm.
    basis
        (33,) int64: vertices that move little with expression.
    weights
        (33,) float64: how much each of them counts.
    rigid
        (38,) int64: vertices on forehead, nose, eye corners and temples, for the head pose.
    """

    vertices: NDArray[np.float64]
    basis: NDArray[np.int64]
    weights: NDArray[np.float64]
    rigid: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Similarity:
    """Rotation, scale and offset that take the canonical face to a measured one: scale R c + offset.

    Attributes
    ----------
    rotation
        (3, 3) float64.
    scale
        Px per nominal cm.
    offset
        (3,) float64, px: where the canonical face's origin lies.
    """

    rotation: NDArray[np.float64]
    scale: float
    offset: NDArray[np.float64]

    def normalise(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Take measured points to the canonical face's frame.

        Parameters
        ----------
        points
            (N, 3) px.

        Returns
        -------
        ndarray
            (N, 3) float64, nominal cm.
        """
        return (points - self.offset) @ (self.rotation / self.scale)


RIGID: tuple[int, ...] = (
    4,
    6,
    10,
    33,
    54,
    67,
    127,
    129,
    133,
    143,
    162,
    263,
    284,
    297,
    356,
    358,
    362,
    372,
    389,
)
RIGID += (168, 8, 9, 151, 197, 195, 5, 1, 2, 98, 327, 21, 251, 103, 332, 109, 338, 234, 454)


def read_canonical_face(path: Path) -> CanonicalFace:
    """Read the canonical face.

    Parameters
    ----------
    path
        The pack's ``canonical_face.npz``.

    Returns
    -------
    CanonicalFace

    Raises
    ------
    ModelFileError
        The file is missing or does not hold 468 vertices and 33 weights.
    """
    try:
        arrays = read_npz(path, _MOST_BYTES)
        with np.errstate(invalid="ignore", over="ignore"):  # odd values are no reason for words on a terminal
            vertices = arrays["vertices"].astype(np.float64) * (1, -1, -1)
            basis = arrays["basis_index"].astype(np.int64)
            weights = arrays["basis_weight"].astype(np.float64)
    except (OSError, KeyError, ValueError) as error:
        raise ModelFileError(
            f"{path}: expected the canonical face, got {type(error).__name__}: {error}; install mien again"
        ) from error
    shapes = (vertices.shape, basis.shape, weights.shape)
    if shapes != ((468, 3), (33,), (33,)):
        raise ModelFileError(
            f"{path}: expected shapes (468, 3), (33,), (33,), got {shapes}; install mien again"
        )
    if not (np.isfinite(vertices).all() and np.isfinite(weights).all() and set(basis) <= set(range(468))):
        raise ModelFileError(f"{path}: expected finite vertices and weights of them; install mien again")
    return CanonicalFace(vertices, basis, weights, np.array(RIGID, np.int64))


def align(face: CanonicalFace, mesh: NDArray[np.floating]) -> Similarity:
    """Place the canonical face on a measured mesh: weighted least squares over the 33 basis vertices.

    Parameters
    ----------
    face
        The canonical face.
    mesh
        (P, 3) px, P at least 468, finite.

    Returns
    -------
    Similarity
    """
    weights = face.weights[:, None] / face.weights.sum()
    source = face.vertices[face.basis]
    target = mesh[face.basis].astype(np.float64)
    source_mean, target_mean = (weights * source).sum(axis=0), (weights * target).sum(axis=0)
    source, target = source - source_mean, target - target_mean
    u, sizes, vt = np.linalg.svd((weights * target).T @ source)
    sign = np.linalg.det(u @ vt)
    rotation = (u * (1.0, 1.0, sign)) @ vt
    scale = float((sizes[0] + sizes[1] + sign * sizes[2]) / (weights * source * source).sum())
    return Similarity(rotation, scale, target_mean - scale * (rotation @ source_mean))

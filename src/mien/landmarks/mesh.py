"""Face mesh: 478 points of a face from a rotated square of the image (docs/algorithms/open-mesh.md)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.imaging.crop_kernels import crop_affine
from mien.landmarks.face_region import FaceRegion
from mien.landmarks.mesh_indices import IRIS_POINTS, MESH_POINTS, MeshIndices
from mien.runtime.sessions import device_of

CROP_SIDE = 192
_LEVELS = (np.arange(256, dtype=np.float32) / np.float32(255)).astype(np.float32)
_ATTENTION = (
    "output_mesh_identity",
    "conv_faceflag",
    "output_lips",
    "output_left_eye",
    "output_right_eye",
    "output_left_iris",
    "output_right_iris",
)
_PLAIN = ("conv2d_21", "conv2d_31")


@dataclass(frozen=True, slots=True)
class FaceMesh:
    """The mesh of one face.

    Attributes
    ----------
    points
        (478, 3) float32, px of the image; z on the scale of x, zero near the head's centre depth, negative
        towards the camera. The last ten are the irises (centre, then four points of the edge, of the eye on
        the image's left, then of the other), NaN where the network has none.
    presence
        Probability that the square holds a face, 0 to 1; it saturates and is no measure of quality.
    """

    points: NDArray[np.float32]
    presence: float


class MeshNetwork:
    """Reads the mesh of a face from a region of an image.

    Parameters
    ----------
    session
        ONNX Runtime session of the network with attention, or of the plain one, which is twice as fast and
        has neither refined lips and eyes nor irises.
    indices
        The mesh's index lists.
    """

    def __init__(self, session: Any, indices: MeshIndices) -> None:
        self._session = session
        self._indices = indices
        self._refined = _ATTENTION[0] in {output.name for output in session.get_outputs()}
        self._input = np.empty((1, CROP_SIDE, CROP_SIDE, 3), np.float32)

    @property
    def networks(self) -> dict[str, str]:
        """Where the network runs, by name."""
        return {"face mesh": device_of(self._session)}

    def read(self, bgr: NDArray[np.uint8], region: FaceRegion) -> FaceMesh:
        """Read the mesh.

        Parameters
        ----------
        bgr
            (H, W, 3) uint8, C-contiguous, the image.
        region
            Where the face is.

        Returns
        -------
        FaceMesh
        """
        matrix = region.crop_matrix(CROP_SIDE)
        crop_affine(bgr, matrix, True, _LEVELS, self._input[0])
        names = _ATTENTION if self._refined else _PLAIN
        outputs = self._session.run(names, {"input": self._input})
        crop = self._assemble(outputs)
        points = np.empty_like(crop)
        points[:, :2] = crop[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        points[:, 2] = crop[:, 2] * (region.side / CROP_SIDE)
        presence = 1.0 / (1.0 + math.exp(-float(np.clip(outputs[1].item(), -100.0, 100.0))))
        return FaceMesh(points.astype(np.float32), presence)

    def _assemble(self, outputs: list[NDArray[np.float32]]) -> NDArray[np.float64]:
        """Put the outputs of the network's heads together: (478, 3), px of the crop."""
        points = np.full((MESH_POINTS + 2 * IRIS_POINTS, 3), np.nan)
        points[:MESH_POINTS] = outputs[0].reshape(MESH_POINTS, 3)
        if self._refined:
            heads = [output.reshape(-1, 2) for output in outputs[2:]]
            points[self._indices.refined, :2] = np.concatenate(heads[:3])
            points[MESH_POINTS:, :2] = np.concatenate(heads[3:])
            left, right = self._indices.left_contour, self._indices.right_contour
            points[MESH_POINTS:-IRIS_POINTS, 2] = points[left, 2].mean()
            points[-IRIS_POINTS:, 2] = points[right, 2].mean()
        return points

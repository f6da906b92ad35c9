"""Meshes of any number of faces with one network: the caller keeps where each face is expected."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import FaceBoxes, FollowedFace, Frame
from mien.landmarks.face_region import FaceRegion
from mien.landmarks.mesh import FaceMesh
from mien.landmarks.mesh_tracker import (
    MeshReader,
    landmarks_from_mesh,
    next_region,
    no_face,
    read_detected,
    read_present,
)
from mien.shape.canonical_face import CanonicalFace


class MeshFollower:
    """Reads and follows the meshes of faces.

    Parameters
    ----------
    network
        Reads the meshes.
    face
        The canonical face.
    ibug68
        (68,) vertices that stand for the 68 landmarks.
    """

    def __init__(self, network: MeshReader, face: CanonicalFace, ibug68: NDArray[np.int64]) -> None:
        self._network = network
        self._face = face
        self._ibug68 = ibug68

    def start(self, frame: Frame, faces: FaceBoxes, number: int) -> FollowedFace:
        """Read a detected face.

        Parameters
        ----------
        frame
            The frame.
        faces
            What a detector found in it; faces without key points have none, or NaN.
        number
            Which face.
        """
        keypoints = faces.keypoints
        if keypoints is not None and np.isnan(keypoints[number, :2]).any():
            faces = FaceBoxes(faces.boxes, faces.scores)
        return self._result(*read_detected(self._network, frame.bgr, faces, number))

    def follow(self, frame: Frame, face: FollowedFace) -> FollowedFace:
        """Read a face of the frame before; where there is none, the next frame is read at the same place."""
        region: FaceRegion = face.memory
        return self._result(read_present(self._network, frame.bgr, region), region)

    def _result(self, mesh: FaceMesh | None, region: FaceRegion) -> FollowedFace:
        if mesh is None:
            return FollowedFace(no_face(), region)
        return FollowedFace(landmarks_from_mesh(mesh, self._face, self._ibug68), next_region(mesh))

"""All faces of a still picture, each with its mesh (docs/algorithms/open-mesh.md#tracking)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import FaceBoxes, FaceLandmarks, Frame
from mien.landmarks.face_region import FaceRegion
from mien.landmarks.mesh_tracker import (
    FaceDetector,
    MeshReader,
    landmarks_from_mesh,
    no_face,
    read_detected,
)
from mien.shape.canonical_face import CanonicalFace

_SAME_FACE = 0.5
"""Regions that overlap by more than this hold the same face."""


class MeshFinder:
    """Finds every face of a picture; pictures have nothing to do with one another.

    Parameters
    ----------
    detectors
        All of them are asked: the short-range network keeps very large faces, the full-range network finds
        small ones.
    network
        Reads the meshes.
    face
        The canonical face.
    ibug68
        (68,) vertices that stand for the 68 landmarks.
    """

    def __init__(
        self,
        detectors: Sequence[FaceDetector],
        network: MeshReader,
        face: CanonicalFace,
        ibug68: NDArray[np.int64],
    ) -> None:
        self._detectors = tuple(detectors)
        self._network = network
        self._face = face
        self._ibug68 = ibug68

    def find(self, frame: Frame) -> list[FaceLandmarks]:
        """Find the faces of a picture.

        Parameters
        ----------
        frame
            Its ``bgr`` is read; its ``boxes`` replace detection.

        Returns
        -------
        list of FaceLandmarks
            In the order of the detectors, each one's most certain face first; only faces that the mesh
            network confirms. With given boxes one per box, all NaN where the network sees no face.
        """
        if frame.boxes is not None:
            return self._read_given(frame, frame.boxes)
        taken: list[FaceRegion] = []
        found = []
        for detector in self._detectors:
            faces = detector.detect(frame.bgr)
            for number in range(len(faces)):
                mesh, region = read_detected(self._network, frame.bgr, faces, number)
                if mesh is None or any(region.overlap(other) > _SAME_FACE for other in taken):
                    continue
                taken.append(region)
                found.append(landmarks_from_mesh(mesh, self._face, self._ibug68))
        return found

    def _read_given(self, frame: Frame, boxes: NDArray[np.float32]) -> list[FaceLandmarks]:
        faces = FaceBoxes(boxes, np.ones(len(boxes), np.float32))
        meshes = (read_detected(self._network, frame.bgr, faces, k)[0] for k in range(len(boxes)))
        return [
            no_face() if mesh is None else landmarks_from_mesh(mesh, self._face, self._ibug68)
            for mesh in meshes
        ]

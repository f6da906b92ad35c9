"""From landmarks to what action units are read from: the refitted shape, the aligned face, its descriptor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.appearance.alignment import FaceAligner
from mien.appearance.fhog import FhogExtractor
from mien.datatypes import Appearance, FaceLandmarks, Frame
from mien.models.records import PdmRecord
from mien.shape.model import PointDistributionModel


class AppearanceExtractor:
    """Refits the shape model, aligns the face and describes it (docs/algorithms/alignment-and-fhog.md).

    Parameters
    ----------
    pdm
        Shape model with 68 landmarks.
    triangles
        (T, 3) landmarks of each triangle of the mask.
    always
        Describe faces whose landmarks failed too, as OpenFace does for single images. By default zeros stand
        for them, as in its tables of videos.
    """

    def __init__(self, pdm: PdmRecord, triangles: NDArray[np.int32], *, always: bool = False) -> None:
        self._always = always
        self._record, self._triangles = pdm, triangles
        self._pdm = PointDistributionModel(pdm)
        self._aligner = FaceAligner(pdm, triangles)
        self._fhog = FhogExtractor(self._aligner.size, self._aligner.size)

    @property
    def length(self) -> int:
        """Length of the appearance descriptor."""
        return self._fhog.length

    def aligner(self, size: int, scale: float, mask: bool) -> FaceAligner:
        """Aligner of the same faces to another size; parameters as in `FaceAligner`."""
        return FaceAligner(self._record, self._triangles, size, scale, mask)

    def extract(self, frame: Frame, landmarks: FaceLandmarks) -> Appearance:
        """Describe the face; one whose landmarks failed as `failed`, unless ``always``."""
        if not (landmarks.valid or self._always):
            return self.failed()
        global_params, local_params = self._pdm.fit_to_points(landmarks.points)
        aligned = self._aligner.align(frame.bgr, landmarks.points, global_params[4], global_params[5])
        return Appearance(
            aligned, self._fhog.describe(aligned.bgr), global_params, local_params, landmarks.valid
        )

    def failed(self) -> Appearance:
        """What stands for a frame without valid landmarks (docs/algorithms/alignment-and-fhog.md)."""
        return Appearance(
            aligned=self._aligner.black(),
            fhog=np.zeros(self.length, np.float32),
            global_params=np.zeros(6, np.float32),
            local_params=np.zeros(self._pdm.n_modes, np.float32),
            good=False,
        )

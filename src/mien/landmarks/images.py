"""All faces of a still picture (docs/algorithms/pictures.md)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import FaceLandmarks, Frame
from mien.landmarks.accelerator import Accelerator
from mien.landmarks.detector import Validate
from mien.landmarks.hypotheses import landmarks_from_box
from mien.landmarks.options import FitOptions
from mien.landmarks.tracker import Detect, FaceTracker
from mien.models.records import LandmarkModelRecord


class ImageLandmarker:
    """Landmarks of every face in a picture; pictures have nothing to do with one another.

    Parameters
    ----------
    record
        The landmark model.
    detect
        Face detector.
    validate
        Landmark validator, as in `FaceTracker`; None accepts all.
    options
        Fitting parameters; by default the original's: one head orientation is tried, or eleven with
        ``multi_view``.
    threads, device
        As in `FaceTracker`.
    """

    def __init__(
        self,
        record: LandmarkModelRecord,
        detect: Detect,
        validate: Validate | None,
        *,
        options: FitOptions | None = None,
        threads: int = 1,
        device: str | Accelerator = "cpu",
    ) -> None:
        self._tracker = FaceTracker(record, detect, validate, options=options, threads=threads, device=device)
        self._detect = detect

    @property
    def networks(self) -> dict[str, str]:
        """Where the networks of the patch experts run, by name."""
        return self._tracker.detector.networks

    def find(self, frame: Frame, boxes: NDArray[np.float32] | None = None) -> list[FaceLandmarks]:
        """Find the faces of a picture.

        Parameters
        ----------
        frame
            The picture.
        boxes
            (N, 4) float32: x, y, width, height of given faces, px, tight around the landmarks; None detects
            them.

        Returns
        -------
        list of FaceLandmarks
            One per box, in the order of the boxes or of the detector; faces whose fit is not valid, which is
            what ``success`` says, are among them.
        """
        detector = self._tracker.detector
        if boxes is None:
            boxes = self._detect(frame.bgr).boxes
        multi_view = detector.options.multi_view
        found = (landmarks_from_box(detector, frame.gray, box, multi_view=multi_view)[0] for box in boxes)
        return [self._tracker.describe(detection, detection.success) for detection in found]

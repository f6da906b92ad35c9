"""A complete landmark detection from a start (docs/algorithms/hypotheses.md#a-complete-detection)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import EyeShape, FaceLandmarks
from mien.landmarks.accelerator import Accelerator, place_of
from mien.landmarks.fitting import ConstrainedLocalModel
from mien.landmarks.options import FitOptions, part_options
from mien.landmarks.parts import PartFit, PartModel
from mien.landmarks.patch_experts import CcnfPatchExperts, PatchExperts
from mien.models.records import CcnfRecord, CenRecord, EarlyTermination, LandmarkModelRecord
from mien.shape.model import PointDistributionModel, ShapeParameters

Validate = Callable[[NDArray[np.float32], NDArray[np.uint8], NDArray[np.float32]], float]
"""Certainty of a fit from its orientation (3,), the grey image and the landmarks (68, 2)."""
EYE_PARTS = ("left_eye_28", "right_eye_28")


@dataclass(frozen=True, slots=True)
class Detection:
    """Landmarks of one face and how they came about.

    Attributes
    ----------
    params
        Parameters of the main shape model.
    points
        (68, 2) float32, px.
    parts
        Results of the part models, in the order of the model file.
    likelihood
        Mean log-likelihood of the main fit.
    certainty
        Of the validator, 0 to 1; 1 or 0 where validation was off.
    success
        Whether the certainty is above the boundary.
    view
        View of the main fit's last scale.
    """

    params: ShapeParameters
    points: NDArray[np.float32]
    parts: tuple[PartFit, ...]
    likelihood: float
    certainty: float
    success: bool
    view: int


class LandmarkDetector:
    """Landmark model with its parts and validator.

    Parameters
    ----------
    record
        The model as read from its main file.
    options
        Fitting parameters of the main model; parts have their own.
    validate
        The validator, or None to accept every fit.
    threads
        Threads for the patch experts where they are costly enough to share (CEN).
    device
        Where CEN patch experts run: "cpu", a device of `mien.runtime.sessions.create_session`, or one that is
        shared with other detectors.
    """

    def __init__(
        self,
        record: LandmarkModelRecord,
        options: FitOptions,
        validate: Validate | None,
        *,
        threads: int = 1,
        device: str | Accelerator = "cpu",
    ) -> None:
        self.options = options.for_model(record.name)
        self.early_termination: EarlyTermination | None = record.early_termination
        self.model = _local_model(record, self.options, threads, place_of(device, threads))
        self.parts = tuple(
            PartModel(
                p.name, p.mapping, _local_model(p.model, part_options(p.name, exact=self.options.exact))
            )
            for p in record.parts
        )
        self._eye_models = {part.name: part.model.pdm for part in self.parts if part.name in EYE_PARTS}
        self._validate = validate

    @property
    def networks(self) -> dict[str, str]:
        """Where the networks of the patch experts run, by name; none where they are no networks."""
        return {name: where for e in self.model.experts for name, where in getattr(e, "networks", {}).items()}

    @property
    def pdm(self) -> PointDistributionModel:
        """The main shape model."""
        return self.model.pdm

    def detect(
        self,
        gray: NDArray[np.uint8],
        start: ShapeParameters,
        windows: tuple[int, ...],
        *,
        complete: bool = True,
    ) -> Detection:
        """Fit the landmarks from a start.

        Parameters
        ----------
        gray
            (H, W) uint8 image.
        start
            Where the fit begins.
        windows
            One window per scale.
        complete
            False leaves out parts and validation (first stage of the early-termination search).
        """
        fit = self.model.fit(gray, start, windows)
        result = Detection(
            params=fit.params,
            points=self.pdm.points(fit.params),
            parts=(),
            likelihood=-np.inf if fit.likelihood is None else fit.likelihood,
            certainty=float(fit.ok),
            success=fit.ok,
            view=fit.view,
        )
        return self.complete(gray, result) if complete else result

    def complete(self, gray: NDArray[np.uint8], result: Detection) -> Detection:
        """Refine the parts of a main fit and validate it (docs/algorithms/hypotheses.md).

        Neither changes the likelihood, so of several main fits only the best needs completing.
        """
        params, points, parts = result.params, result.points, result.parts
        certainty, success = result.certainty, result.success
        if self.parts:
            params, points, parts = self._refine(gray, result)
        if self._validate is not None and self.options.validate and success:
            judged = np.float32(self._validate(params.orientation, gray, points))
            certainty, success = float(judged), bool(judged > np.float32(self.options.validation_boundary))
        return Detection(params, points, parts, result.likelihood, certainty, success, result.view)

    def follow(self, gray: NDArray[np.uint8], last: Detection) -> Detection:
        """Fit from the result of the frame before, with small windows if that was good."""
        options = self.options
        windows = options.windows_tracking if last.success else options.windows_initial
        return self.detect(gray, last.params, windows)

    def refit(self, gray: NDArray[np.uint8], expected: NDArray[np.float32]) -> FaceLandmarks | None:
        """Fit a face in a picture from where its landmarks are expected, with small windows.

        Parameters
        ----------
        gray
            (H, W) uint8, C-contiguous.
        expected
            (68, 2) float32, px.

        Returns
        -------
        FaceLandmarks or None
            None where the validator does not accept the fit.
        """
        start = ShapeParameters(*self.pdm.fit_to_points(expected))
        found = self.detect(gray, start, self.options.windows_tracking)
        return self.describe(found, True) if found.success else None

    def nothing(self) -> Detection:
        """What stands for a face that was never found: mean shapes, eyes of unit scale, all points at 0."""
        return Detection(
            params=self.pdm.mean_parameters(),
            points=np.zeros((self.pdm.n_points, 2), np.float32),
            parts=tuple(_unfitted(part) for part in self.parts if part.name in EYE_PARTS),
            likelihood=-10.0,
            certainty=0.0,
            success=False,
            view=0,
        )

    def describe(self, detection: Detection, success: bool) -> FaceLandmarks:
        """Convert a detection to what later stages take; ``success`` is what is reported for the frame."""
        params = detection.params
        return FaceLandmarks(
            points=detection.points,
            object_shape=self.pdm.object_shape(params),
            global_params=params.global_params,
            local_params=params.local_params,
            eyes=self._eyes(detection.parts),
            confidence=detection.certainty,
            success=success,
            valid=detection.success,
        )

    def _eyes(self, parts: tuple[PartFit, ...]) -> tuple[EyeShape, ...]:
        """Both eyes; a face that was never found has these parts only, so they are known by their names."""
        fitted = {part.name: part for part in parts}
        return tuple(
            EyeShape(fit.points, self._eye_models[name].depth(fit.params), fit.params.scale)
            for name in EYE_PARTS
            if (fit := fitted.get(name)) is not None
        )

    def _refine(
        self, gray: NDArray[np.uint8], result: Detection
    ) -> tuple[ShapeParameters, NDArray[np.float32], tuple[PartFit, ...]]:
        """Fit all parts to the main landmarks, merge them if any was refined (docs/algorithms/parts.md).

        Returns
        -------
        Parameters and landmarks of the main model, and the parts.
        """
        parts = tuple([p.fit(gray, result.points, result.params.scale) for p in self.parts])
        if not any(p.refined for p in parts):
            return result.params, result.points, parts
        points = result.points.copy()
        for model, part in zip(self.parts, parts, strict=True):
            points[model.main_index] = part.points[model.part_index]
        params = ShapeParameters(*self.pdm.fit_to_points(points))
        return params, self.pdm.points(params), parts


def _unfitted(part: PartModel) -> PartFit:
    pdm = part.model.pdm
    return PartFit(part.name, pdm.mean_parameters(), np.zeros((pdm.n_points, 2), np.float32), False, None)


def _local_model(
    record: LandmarkModelRecord, options: FitOptions, threads: int = 1, place: Accelerator | None = None
) -> ConstrainedLocalModel:
    ccnf = [r for r in record.patch_experts if isinstance(r, CcnfRecord)]
    components = ccnf[-1].sigma_components if ccnf else {}
    experts = tuple(
        _patch_experts(r, components, options.exact, threads, place) for r in record.patch_experts
    )
    return ConstrainedLocalModel(PointDistributionModel(record.pdm), experts, options)


def _patch_experts(
    record: CcnfRecord | CenRecord,
    components: dict[int, NDArray[np.float32]],
    exact: bool,
    threads: int,
    place: Accelerator | None,
) -> PatchExperts:
    if isinstance(record, CcnfRecord):
        return CcnfPatchExperts(record, components, exact=exact)
    from mien.landmarks.cen import CenPatchExperts
    from mien.landmarks.cen_onnx import CenOnnxPatchExperts

    if place is None:
        return CenPatchExperts(record, exact=exact, threads=threads)
    return CenOnnxPatchExperts(record, device=place, exact=exact)

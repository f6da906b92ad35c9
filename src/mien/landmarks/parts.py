"""Part models: the inner face and the eyes are refined by models of their own (docs/algorithms/parts.md)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.landmarks.fitting import ConstrainedLocalModel, Fit
from mien.shape.model import ShapeParameters

_REFINE_ABOVE = 0.9


@dataclass(frozen=True, slots=True)
class PartFit:
    """A part model's result.

    Attributes
    ----------
    name
        Name of the part.
    params
        Parameters of the part's shape model.
    points
        (n, 2) float32, px.
    refined
        Whether patch experts were used; else the part's shape was only fitted to the main landmarks.
    fit
        Details of the refinement.
    """

    name: str
    params: ShapeParameters
    points: NDArray[np.float32]
    refined: bool
    fit: Fit | None


class PartModel:
    """One part of the face.

    Parameters
    ----------
    name
        Name of the part, e.g. "left_eye_28".
    mapping
        (P, 2) int32: main landmark, part landmark.
    model
        The part's own landmark model.
    """

    def __init__(self, name: str, mapping: NDArray[np.int32], model: ConstrainedLocalModel) -> None:
        self.name = name
        order = np.argsort(mapping[:, 1])
        self.main_index = mapping[order, 0].astype(np.intp)
        self.part_index = mapping[order, 1].astype(np.intp)
        self.model = model
        self._subset = model.pdm.subset(self.part_index)

    def fit(self, gray: NDArray[np.uint8], main_points: NDArray[np.float32], main_scale: float) -> PartFit:
        """Fit the part to the main model's landmarks (68, 2), then refine it if the face is large enough."""
        pdm = self.model.pdm
        params = ShapeParameters(*self._fit_to_main(main_points))
        fit = None
        if main_scale > _REFINE_ABOVE * self.model.experts[0].scale:
            fit = self.model.fit(gray, params, self.model.options.windows_initial)
            params = fit.params
        return PartFit(self.name, params, pdm.points(params), fit is not None, fit)

    def _fit_to_main(
        self, main_points: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Parameters of the part's shape that meet the main landmarks best."""
        pdm = self.model.pdm
        shared = main_points[self.main_index]
        target = np.ascontiguousarray(shared.T)
        if np.count_nonzero(target[0]) == len(shared):
            return pdm.fit_subset(self._subset, target)
        mapped = np.zeros((pdm.n_points, 2), np.float32)
        mapped[self.part_index] = shared
        return pdm.fit_to_points(mapped)

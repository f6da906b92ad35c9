"""Fitting one landmark model to an image: the loop over scales (docs/algorithms/fitting-nu-rlms.md)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.errors import OptionError
from mien.landmarks import kernels
from mien.landmarks.options import FitOptions, ScaleParameters, scale_parameters
from mien.landmarks.patch_experts import PatchExperts
from mien.runtime.lanes import LANES, aligned
from mien.shape.model import PointDistributionModel, ShapeParameters

_Plan = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
_SMALLEST_SCALE = 0.25
_LAST_SCALE_BELOW = 0.30


@dataclass(frozen=True, slots=True)
class Fit:
    """Result of one fit.

    Attributes
    ----------
    params
        Parameters of the shape model.
    likelihood
        Mean log-likelihood per visible landmark; None where no scale computed it.
    view
        View of the last scale that was fitted.
    ok
        False when the face became too small.
    iterations
        Iterations of the rigid and the full call, per fitted scale.
    """

    params: ShapeParameters
    likelihood: float | None
    view: int
    ok: bool
    iterations: tuple[tuple[int, int], ...]


class ConstrainedLocalModel:
    """A shape model with patch experts at several scales.

    Parameters
    ----------
    pdm
        The shape model.
    experts
        Patch experts, coarse to fine.
    options
        Fitting parameters.
    """

    def __init__(
        self, pdm: PointDistributionModel, experts: tuple[PatchExperts, ...], options: FitOptions
    ) -> None:
        for name in ("windows_initial", "windows_tracking"):
            windows = getattr(options, name)
            if len(windows) < len(experts):
                raise OptionError(
                    f"{name}: expected a window for each of {len(experts)} scales, got {windows}"
                )
        self.pdm = pdm
        self.experts = experts
        self.options = options
        self._scales = tuple(e.scale for e in experts)
        self._parameters = tuple(scale_parameters(options, self._scales, k) for k in range(len(experts)))
        self._tables: dict[int, NDArray[np.float32]] = {}
        self._maps: dict[int, NDArray[np.float32]] = {}
        self._plans: dict[tuple[int, int, int], _Plan] = {}
        # Landmarks and similarity of the reference frame.
        self._buffers = np.empty((2, pdm.n_points), np.float32), np.empty(4, np.float32)

    def fit(self, gray: NDArray[np.uint8], start: ShapeParameters, windows: tuple[int, ...]) -> Fit:
        """Fit from a start; ``windows`` holds one window per scale, 0 skips a scale."""
        glob = start.global_params.copy()
        local = start.local_params.copy()
        likelihood: float | None = None
        view = 0
        iterations: list[tuple[int, int]] = []
        last = len(self.experts) - 1
        for k, experts in enumerate(self.experts):
            window = windows[k]
            if window == 0:
                continue
            centers = experts.view_centers
            view = kernels.nearest_view(glob, centers) if len(centers) > 1 else 0
            value, rigid_scale, rigid, full = self._fit_scale(gray, k, view, window, glob, local)
            iterations.append((rigid, full))
            if k == last or windows[k + 1] == 0 or rigid_scale < _LAST_SCALE_BELOW:
                likelihood = value
            if glob[0] < _SMALLEST_SCALE:
                return Fit(ShapeParameters(glob, local), likelihood, view, False, tuple(iterations))
        return Fit(ShapeParameters(glob, local), likelihood, view, True, tuple(iterations))

    def _fit_scale(
        self,
        gray: NDArray[np.uint8],
        k: int,
        view: int,
        window: int,
        glob: NDArray[np.float32],
        local: NDArray[np.float32],
    ) -> tuple[float, float, int, int]:
        """Fit at one scale, updating the parameters in place; returns what `kernels.optimise_scale` does."""
        pdm = self.pdm
        experts = self.experts[k]
        parameters = self._parameters[k]
        base, similarity = self._buffers
        kernels.place_reference(pdm.mean, pdm.basis, glob, local, experts.scale, base, similarity)
        plan = self._plans.get((k, view, window))
        if plan is None:
            plan = self._plans[k, view, window] = self._plan(k, view, window)
        maps, table, weights = plan
        experts.responses(gray, view, base, similarity, window, maps)
        found: tuple[float, float, int, int] = kernels.optimise_scale(
            pdm.mean,
            pdm.basis,
            pdm.gram,
            pdm.eigenvalues,
            glob,
            local,
            base,
            similarity,
            maps,
            window,
            table,
            self.options.exact,
            weights,
            parameters.regularisation,
            parameters.sigma,
            self.options.iterations,
        )
        return found

    def _plan(self, k: int, view: int, window: int) -> _Plan:
        """Buffer of the response maps, kernel table and landmark weights of a scale, view and window."""
        parameters = self._parameters[k]
        return (
            self._response_buffer(window),
            self._table(window, parameters.sigma),
            self._landmark_weights(k, view, parameters),
        )

    def _response_buffer(self, window: int) -> NDArray[np.float32]:
        if window not in self._maps:
            whole = -(-self.pdm.n_points // LANES) * LANES
            self._maps[window] = aligned((window * window, whole))
            self._maps[window][...] = 0
        return self._maps[window]

    def _table(self, window: int, sigma: float) -> NDArray[np.float32]:
        """Kernel table of a window size: the sigma of its first use stays, as in the original."""
        if window not in self._tables:
            table = np.empty((window, 10 * window), np.float32)
            kernels.kernel_table(window, sigma, table)
            self._tables[window] = table
        return self._tables[window]

    def _landmark_weights(self, k: int, view: int, parameters: ScaleParameters) -> NDArray[np.float32]:
        """(n,) float32: 0 for invisible landmarks, else 1 or weight factor times confidence."""
        experts = self.experts[k]
        visible: NDArray[np.float32] = experts.visibility[view].astype(np.float32)
        if parameters.weight_factor > 0:
            visible *= (parameters.weight_factor * experts.confidences[view]).astype(np.float32)
        return visible

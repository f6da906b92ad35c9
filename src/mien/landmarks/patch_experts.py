"""Patch experts: how well each place around a landmark looks like that landmark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mien.errors import ModelFileError
from mien.landmarks import kernels
from mien.models.records import CcnfRecord
from mien.runtime.array_cache import ArrayCache, content_key
from mien.runtime.vector_math import ROWS

_SMALLEST_ALPHA = 1e-4


class PatchExperts(Protocol):
    """The patch experts of one scale, whatever they are made of."""

    scale: float
    view_centers: NDArray[np.float64]
    visibility: NDArray[np.bool_]
    confidences: NDArray[np.float64]

    def responses(
        self,
        gray: NDArray[np.uint8],
        view: int,
        points: NDArray[np.float32],
        similarity: NDArray[np.float32],
        window: int,
        out: NDArray[np.float32],
    ) -> None:
        """Write the response maps (w², n) of all landmarks; zeros for invisible ones."""


@dataclass(frozen=True, slots=True)
class _View:
    """Weights of one view, laid out for the kernel."""

    weights: NDArray[np.float32]
    weight_sums: NDArray[np.float32]
    neurons: NDArray[np.float32]
    diagonal_sigma: NDArray[np.float32]


class CcnfPatchExperts:
    """Continuous conditional neural field experts of one scale (landmarks.md §5.4).

    Parameters
    ----------
    record
        The experts as read from their file.
    sigma_components
        Window to (K, w², w²) components; the original keeps those of the last file read (§1.6), so the
        caller may pass them; by default the record's own.
    exact
        Warp without the 1/32-px grid.
    """

    def __init__(
        self,
        record: CcnfRecord,
        sigma_components: dict[int, NDArray[np.float32]] | None = None,
        *,
        exact: bool = False,
    ) -> None:
        self.scale = float(record.scale)
        self.view_centers = np.ascontiguousarray(record.view_centers, dtype=np.float64)
        self.visibility = np.ascontiguousarray(record.visibility, dtype=np.bool_)
        self.confidences = record.confidences
        self._record = record
        self._exact = exact
        self._components = record.sigma_components if sigma_components is None else sigma_components
        self._views: dict[int, _View] = {}
        self._sigmas: dict[int, NDArray[np.float32]] = {}
        self._keys: dict[int, str] = {}
        self._cache = ArrayCache()

    def responses(
        self,
        gray: NDArray[np.uint8],
        view: int,
        points: NDArray[np.float32],
        similarity: NDArray[np.float32],
        window: int,
        out: NDArray[np.float32],
    ) -> None:
        """Write the response maps of all landmarks around their current places.

        Parameters
        ----------
        gray
            (H, W) uint8 image.
        view
            Index of the view.
        points
            (2, n) float32, px: current landmarks.
        similarity
            (4,) float32 of `kernels.place_reference`.
        window
            Side w of the maps, reference px.
        out
            (w², n) float32, row-major positions (row = y); zeros for invisible landmarks.
        """
        weights = self._view(view)
        kernels.ccnf_responses(
            gray,
            points,
            similarity,
            window,
            self.visibility[view],
            weights.weights,
            weights.weight_sums,
            weights.neurons,
            self._sigma(view, window),
            weights.diagonal_sigma,
            self._exact,
            out,
        )

    def _view(self, view: int) -> _View:
        if view not in self._views:
            self._views[view] = _pack_view(self._record, view)
        return self._views[view]

    def release(self) -> None:
        """Unmap the matrices (24 MB at the coarsest scale); they are mapped again when they are needed."""
        self._sigmas.clear()

    def _sigma(self, view: int, window: int) -> NDArray[np.float32]:
        """(n, w², w²) inverse of 2 (sum(alpha) I + sum(beta C)), or (n, 0, 0) without components; §5.4."""
        if window not in self._sigmas:
            components = self._components.get(window)
            if components is None or len(components) == 0:
                self._sigmas[window] = np.zeros((*self.visibility.shape, 0, 0), np.float32)
            else:
                alphas, betas = self._record.alphas.sum(axis=2), self._record.betas
                if window not in self._keys:
                    self._keys[window] = content_key("sigma 1", self.visibility, alphas, betas, components)
                self._sigmas[window] = self._cache.get(
                    f"sigma-{window}-{self._keys[window]}",
                    lambda: _invert_precisions(self.visibility, alphas, betas, components),
                )
        sigma: NDArray[np.float32] = self._sigmas[window][view]
        return sigma


def _invert_precisions(
    visibility: NDArray[np.bool_],
    alphas: NDArray[np.float64],
    betas: NDArray[np.float64],
    components: NDArray[np.float32],
) -> NDArray[np.float32]:
    """(V, n, w², w²) inverses, zeros for invisible landmarks; kept, since they cost seconds (§5.4)."""
    size = components.shape[1]
    out = np.zeros((*visibility.shape, size, size), np.float32)
    for view, visible in enumerate(visibility):
        index = np.flatnonzero(visible)
        precision = 2.0 * np.tensordot(betas[view, index], components, axes=1)
        precision += 2.0 * alphas[view, index, None, None] * np.eye(size)
        out[view, index] = np.linalg.inv(precision.astype(np.float32))
    return out


def _pack_view(record: CcnfRecord, view: int) -> _View:
    """Weights of one view: (n, 121, 7) column by column of the filters, padded to seven neurons."""
    stored = record.weights[view]
    n, neurons = stored.shape[:2]
    if neurons > ROWS:
        raise ModelFileError(f"expected at most {ROWS} neurons per patch expert, got {neurons}")
    weights = np.zeros((n, kernels.TAPS, ROWS), np.float32)
    weights[:, :, :neurons] = stored.transpose(0, 3, 2, 1).reshape(n, kernels.TAPS, neurons)
    alphas = record.alphas[view]
    packed = np.zeros((n, 3, ROWS), np.float32)
    packed[:, 0, :neurons] = record.norms[view]
    packed[:, 1, :neurons] = record.biases[view]
    packed[:, 2, :neurons] = np.where(alphas > _SMALLEST_ALPHA, 2.0 * alphas, 0.0)
    total = alphas.sum(axis=1)
    return _View(
        weights=weights,
        weight_sums=weights.sum(axis=1, dtype=np.float64).astype(np.float32),
        neurons=packed,
        diagonal_sigma=np.divide(0.5, total, out=np.zeros_like(total), where=total > 0).astype(np.float32),
    )

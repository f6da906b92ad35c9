"""Patch experts: how well each place around a landmark looks like that landmark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mien.landmarks import kernels
from mien.models.records import CcnfRecord

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


class CcnfPatchExperts:
    """Continuous conditional neural field experts of one scale (landmarks.md §5.4).

    Parameters
    ----------
    record
        The experts as read from their file.
    sigma_components
        Window to (K, w², w²) components; the original keeps those of the last file read (§1.6), so the
        caller may pass them; by default the record's own.
    """

    def __init__(
        self, record: CcnfRecord, sigma_components: dict[int, NDArray[np.float32]] | None = None
    ) -> None:
        self.scale = float(record.scale)
        self.view_centers = np.ascontiguousarray(record.view_centers, dtype=np.float64)
        self.visibility = np.ascontiguousarray(record.visibility, dtype=np.bool_)
        self.confidences = record.confidences
        self._record = record
        self._components = record.sigma_components if sigma_components is None else sigma_components
        self._views: dict[int, _View] = {}
        self._sigmas: dict[tuple[int, int], NDArray[np.float32]] = {}

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
            self._diagonal_sigma(view),
            out,
        )

    def _view(self, view: int) -> _View:
        if view not in self._views:
            record = self._record
            weights = record.weights[view].reshape(*record.weights.shape[1:3], kernels.TAPS)
            alphas = record.alphas[view]
            amplitudes = np.where(alphas > _SMALLEST_ALPHA, 2.0 * alphas, 0.0)
            self._views[view] = _View(
                weights=np.ascontiguousarray(weights, dtype=np.float32),
                weight_sums=weights.sum(axis=2, dtype=np.float64).astype(np.float32),
                neurons=np.ascontiguousarray(
                    np.stack([record.norms[view], record.biases[view], amplitudes], axis=1), dtype=np.float32
                ),
            )
        return self._views[view]

    def _diagonal_sigma(self, view: int) -> NDArray[np.float32]:
        total = self._record.alphas[view].sum(axis=1)
        half = np.divide(0.5, total, out=np.zeros_like(total), where=total > 0)
        return np.asarray(half, dtype=np.float32)

    def _sigma(self, view: int, window: int) -> NDArray[np.float32]:
        """(n, w², w²) inverse of 2 (sum(alpha) I + sum(beta C)), or (n, 0, 0) without components; §5.4."""
        key = (view, window)
        if key not in self._sigmas:
            self._sigmas[key] = self._invert_precision(view, window)
        return self._sigmas[key]

    def _invert_precision(self, view: int, window: int) -> NDArray[np.float32]:
        components = self._components.get(window)
        n = self.visibility.shape[1]
        if components is None or len(components) == 0:
            return np.zeros((n, 0, 0), np.float32)
        alphas = self._record.alphas[view].sum(axis=1)
        betas = self._record.betas[view]
        size = window * window
        out = np.zeros((n, size, size), np.float32)
        for i in np.flatnonzero(self.visibility[view]):
            precision = 2.0 * (alphas[i] * np.eye(size) + np.tensordot(betas[i], components, axes=1))
            out[i] = np.linalg.inv(precision.astype(np.float32))
        return out

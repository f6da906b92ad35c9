"""Patch experts: how well each place around a landmark looks like that landmark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mien.errors import ModelFileError
from mien.landmarks.area_kernels import TAPS
from mien.landmarks.ccnf_kernels import ccnf_responses
from mien.landmarks.vector_code import AMPLITUDE, BIAS, GAIN, NEURONS, WEIGHT_SUM
from mien.models.records import CcnfRecord
from mien.runtime.lanes import LANES, aligned
from mien.storage.array_cache import ArrayCache, content_key

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
        """Write the response maps (w², P >= n) of all landmarks; zeros for invisible ones."""


@dataclass(frozen=True, slots=True)
class _View:
    """The experts of one view, laid out for the kernel: one landmark per lane; see `ccnf_responses`."""

    landmarks: NDArray[np.int32]
    weights: NDArray[np.float32]
    neurons: NDArray[np.float32]


class CcnfPatchExperts:
    """Continuous conditional neural field experts of one scale (docs/algorithms/patch-experts-ccnf.md).

    Parameters
    ----------
    record
        The experts as read from their file.
    sigma_components
        Window to (K, w², w²) components; the original keeps those of the last file read, so the
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
        self._factors: dict[tuple[int, int], NDArray[np.float32]] = {}
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
            (w², P >= n) float32, row-major positions (row = y); zeros for invisible landmarks.
        """
        experts = self._view(view)
        ccnf_responses(
            gray,
            points,
            similarity,
            window,
            experts.landmarks,
            experts.weights,
            experts.neurons,
            self._factor(view, window),
            self._exact,
            out,
        )

    def _view(self, view: int) -> _View:
        if view not in self._views:
            self._views[view] = pack_view(self._record, view)
        return self._views[view]

    def _factor(self, view: int, window: int) -> NDArray[np.float32]:
        if (view, window) not in self._factors:
            self._factors[view, window] = self._make_factor(view, window)
        return self._factors[view, window]

    def _make_factor(self, view: int, window: int) -> NDArray[np.float32]:
        """Take a factor from the cache, since it costs 20 ms, or compute it."""
        record, landmarks = self._record, self._view(view).landmarks
        components = self._components.get(window, np.zeros((0, 1, 1), np.float32))
        key = content_key("factor 1", window, landmarks, record.alphas[view], record.betas[view], components)
        return self._cache.get(
            f"factor-{key}",
            lambda: factor_precisions(landmarks, record, view, window, components),
            shape=(len(landmarks), window * window, None, LANES),
        )


def by_lanes(values: NDArray[Any], landmarks: NDArray[np.int32]) -> NDArray[np.float32]:
    """(G, ..., LANES) float32 of (n, ...): what belongs to each group's landmarks, 0 where there is none."""
    groups = len(landmarks)
    out = aligned((groups, *values.shape[1:], LANES))
    lanes = np.where((landmarks >= 0).reshape(groups, LANES, *[1] * (values.ndim - 1)), values[landmarks], 0)
    out[...] = np.moveaxis(lanes, 1, -1)
    return out


def pack_view(record: CcnfRecord, view: int) -> _View:
    """Experts of the visible landmarks of a view, padded to seven neurons and whole groups."""
    stored = record.weights[view]
    n, neurons = stored.shape[:2]
    if neurons > NEURONS:
        raise ModelFileError(f"expected at most {NEURONS} neurons per patch expert, got {neurons}")
    visible = np.flatnonzero(record.visibility[view])
    groups = -(-len(visible) // LANES)
    landmarks = np.full((groups, LANES), -1, np.int32)
    landmarks.reshape(-1)[: len(visible)] = visible
    weights = np.zeros((n, TAPS, NEURONS), np.float32)
    weights[:, :, :neurons] = stored.reshape(n, neurons, TAPS).transpose(0, 2, 1)
    alphas = record.alphas[view]
    packed = np.zeros((n, 4, NEURONS))
    packed[:, GAIN, :neurons] = record.norms[view]
    packed[:, BIAS, :neurons] = record.biases[view]
    packed[:, AMPLITUDE, :neurons] = np.where(alphas > _SMALLEST_ALPHA, 2.0 * alphas, 0.0)
    packed[:, WEIGHT_SUM] = weights.sum(axis=1, dtype=np.float64)
    return _View(landmarks, by_lanes(weights, landmarks), by_lanes(packed, landmarks))


def factor_precisions(
    landmarks: NDArray[np.int32],
    record: CcnfRecord,
    view: int,
    window: int,
    components: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Factors L D Lᵀ of the precisions 2 (sum(alpha) I + sum(beta C)) of a view's experts.

    The components join neighbouring positions only, so L has few diagonals: a solution with it needs a third
    of the memory of the inverse and fewer operations.

    Returns
    -------
    (G, w², 1 + band, LANES) float32: the inverse of D, then L[p + k, p] for k = 1..band.
    """
    positions = window * window
    alphas = record.alphas[view].sum(axis=1)
    band = _bandwidth(components)
    out = np.zeros((len(record.alphas[view]), positions, 1 + band), np.float32)
    for i in landmarks[landmarks >= 0]:
        precision = np.eye(positions) * alphas[i]
        for beta, component in zip(record.betas[view, i], components, strict=False):
            precision += beta * component
        lower = np.linalg.cholesky(2.0 * precision)
        diagonal = lower.diagonal()
        out[i, :, 0] = 1.0 / diagonal**2
        for k in range(1, band + 1):
            out[i, : positions - k, k] = lower.diagonal(-k) / diagonal[: positions - k]
    return by_lanes(out, landmarks)


def _bandwidth(components: NDArray[np.float32]) -> int:
    """Largest distance of a non-zero entry from the diagonal."""
    rows, columns = np.nonzero(components.any(axis=0))
    return int(np.abs(rows - columns).max(initial=0))

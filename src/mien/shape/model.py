"""The point distribution model: a linear 3D shape seen by a scaled orthographic camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.geometry.kernels import euler_to_matrix
from mien.models.records import PdmRecord
from mien.shape import kernels

Subset = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
"""Mean, basis and products of the modes, of some of the landmarks."""


@dataclass(frozen=True, slots=True)
class ShapeParameters:
    """One instance of the model.

    Attributes
    ----------
    global_params
        (6,) float32: scale (px per mm), Euler angles rx, ry, rz (rad), tx, ty (px).
    local_params
        (m,) float32: coefficients of the modes.
    """

    global_params: NDArray[np.float32]
    local_params: NDArray[np.float32]

    @property
    def scale(self) -> float:
        """Pixels per millimetre."""
        return float(self.global_params[0])

    @property
    def orientation(self) -> NDArray[np.float32]:
        """(3,) Euler angles, rad."""
        return self.global_params[1:4]


class PointDistributionModel:
    """Shape model of n landmarks with m modes (docs/algorithms/point-distribution-model.md).

    Parameters
    ----------
    record
        Mean, basis and eigenvalues as read from a model file.

    Attributes
    ----------
    mean : (3, n) float32, mm
    basis : (m, 3, n) float32
    gram : (6, m, m) float32, products of the modes: VxᵀVx, VyᵀVy, VzᵀVz, and VxᵀVy, VyᵀVz, VzᵀVx, each plus
        its transpose
    eigenvalues : (m,) float32
    """

    def __init__(self, record: PdmRecord) -> None:
        self.mean = np.ascontiguousarray(record.mean.T, dtype=np.float32)
        self.basis = np.ascontiguousarray(record.basis.transpose(2, 1, 0), dtype=np.float32)
        self.gram = _gram(self.basis)
        self._whole: Subset = self.mean, self.basis, self.gram
        self._subsets: dict[bytes, Subset] = {}
        self.eigenvalues = np.ascontiguousarray(record.eigenvalues, dtype=np.float32).reshape(-1)

    @property
    def n_points(self) -> int:
        """Number of landmarks."""
        return int(self.mean.shape[1])

    @property
    def n_modes(self) -> int:
        """Number of modes of the shape."""
        return int(self.basis.shape[0])

    def mean_parameters(self) -> ShapeParameters:
        """Mean shape at unit scale, unrotated, at the image's origin."""
        glob = np.zeros(6, np.float32)
        glob[0] = 1.0
        return ShapeParameters(glob, np.zeros(self.n_modes, np.float32))

    def object_shape(self, params: ShapeParameters) -> NDArray[np.float32]:
        """(n, 3) float32, mm: the shape in its own frame, before rotation."""
        out = np.empty((self.n_points, 3), np.float32)
        kernels.shape_3d(self.mean, self.basis, params.local_params, out)
        return out

    def depth(self, params: ShapeParameters) -> NDArray[np.float32]:
        """(n,) float32, mm: depth of the points relative to the model's origin, after rotation."""
        out = np.empty(self.n_points, np.float32)
        kernels.shape_depth(self.mean, self.basis, params.global_params, params.local_params, out)
        return out

    def points(self, params: ShapeParameters) -> NDArray[np.float32]:
        """(n, 2) float32, px: the shape in the image; docs/algorithms/point-distribution-model.md."""
        out = np.empty((self.n_points, 2), np.float32)
        kernels.shape_2d(self.mean, self.basis, params.global_params, params.local_params, out)
        return out

    def fit_to_points(self, points: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Find the parameters of 2D landmarks (docs/algorithms/point-distribution-model.md#from-2d-points).

        Parameters
        ----------
        points
            (n, 2) px; a landmark whose x is exactly 0 counts as missing.

        Returns
        -------
        global_params, local_params
            (6,) and (m,) float32; the local parameters are not clamped.
        """
        target = np.ascontiguousarray(points.T, dtype=np.float32)
        if target.shape != (2, self.n_points):
            raise ValueError(f"expected points of shape ({self.n_points}, 2), got {points.shape}")
        if np.count_nonzero(target[0]) == self.n_points:
            return self.fit_subset(self._whole, target)
        present = np.flatnonzero(target[0])
        if not len(present):
            missing = self.mean_parameters()
            return missing.global_params, missing.local_params
        return self.fit_subset(self.subset(present), np.ascontiguousarray(target[:, present]))

    def fit_subset(
        self, subset: Subset, target: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """As `fit_to_points`, from all landmarks of a `subset`: (2, k) float32, C-contiguous, px."""
        glob = np.empty(6, np.float32)
        local = np.empty(len(self.eigenvalues), np.float32)
        kernels.fit_points(*subset, self.eigenvalues, target, glob, local)
        return glob, local

    def subset(self, index: NDArray[np.intp]) -> Subset:
        """The model of some landmarks, for `fit_subset`; kept, since a part always lacks the same ones."""
        key = index.tobytes()
        if key not in self._subsets:
            basis = np.ascontiguousarray(self.basis[:, :, index])
            self._subsets[key] = np.ascontiguousarray(self.mean[:, index]), basis, _gram(basis)
        return self._subsets[key]

    def from_box(
        self, box: NDArray[np.float32], rotation_rad: tuple[float, float, float] = (0.0, 0.0, 0.0)
    ) -> ShapeParameters:
        """Mean shape, rotated, placed in a face box x, y, w, h (px)."""
        rotation = np.empty((3, 3))
        euler_to_matrix(np.array(rotation_rad, np.float64), rotation)
        turned = rotation[:2].astype(np.float32) @ self.mean
        low, high = turned.min(axis=1), turned.max(axis=1)
        x, y, w, h = (np.float32(v) for v in box)
        scale = np.float32(0.5) * (w / (high[0] - low[0]) + h / (high[1] - low[1]))
        tx = x + w / np.float32(2) - scale * (low[0] + high[0]) / np.float32(2)
        ty = y + h / np.float32(2) - scale * (low[1] + high[1]) / np.float32(2)
        glob = np.array([scale, *rotation_rad, tx, ty], np.float32)
        return ShapeParameters(glob, np.zeros(self.n_modes, np.float32))


def _gram(basis: NDArray[np.float32]) -> NDArray[np.float32]:
    """Products of the modes by pairs of axes; see `PointDistributionModel`."""
    axes = basis.astype(np.float64).transpose(1, 0, 2)
    products = [axes[b] @ axes[b].T for b in range(3)]
    for b, c in ((0, 1), (1, 2), (2, 0)):
        products.append(axes[b] @ axes[c].T + axes[c] @ axes[b].T)
    return np.stack(products).astype(np.float32)

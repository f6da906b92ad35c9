"""The kernels of shape and landmarks, called with the layout of docs/algorithms.

The kernels pack their arrays for speed; here, in one place, that packing is undone.
"""

from __future__ import annotations

import numpy as np

from mien.geometry.kernels import euler_to_matrix
from mien.landmarks import area_kernels
from mien.landmarks import kernels as landmark_kernels
from mien.runtime.lanes import LANES
from mien.shape import kernels as shape_kernels
from mien.shape.model import PointDistributionModel, ShapeParameters


def jacobian(pdm: PointDistributionModel, glob: np.ndarray, local: np.ndarray, rigid: bool) -> np.ndarray:
    """(2n, 6 + m) or (2n, 6) float32."""
    rotation = np.empty((3, 3))
    euler_to_matrix(glob[1:4].astype(float), rotation)
    shape = np.ascontiguousarray(pdm.object_shape(ShapeParameters(glob, local)).T)
    modes = 0 if rigid else pdm.n_modes
    out = np.zeros((6 + modes, 2 * pdm.n_points), np.float32)
    shape_kernels.jacobian(shape, pdm.basis, glob[0], rotation, modes, out)
    return out.T


def system_of(size: int) -> np.ndarray:
    """An array for the equations of so many unknowns, in which what is read before it is written is NaN."""
    return np.full_like(shape_kernels.equations(size), np.nan)


def equations_in(system: np.ndarray, size: int) -> np.ndarray:
    """(size, size + 1): the matrix and the right-hand side of such an array."""
    return np.column_stack([system[:size, :size], system[:size, len(system)]])


def normal_equations(weighted: np.ndarray, jac: np.ndarray, rhs: np.ndarray) -> np.ndarray:
    """(size, size + 1): upper triangle of weightedᵀ jac, then weightedᵀ rhs; inputs (2n, size) and (2n,)."""
    size = jac.shape[1]
    rows = np.ascontiguousarray(np.c_[jac, rhs].T, np.float32)
    out = system_of(size)
    shape_kernels.normal_equations(np.ascontiguousarray(weighted.T, np.float32), rows, size, out)
    return equations_in(out, size)


def unweighted_normal_equations(
    pdm: PointDistributionModel, glob: np.ndarray, local: np.ndarray, rhs: np.ndarray
) -> np.ndarray:
    """(size, size + 1): upper triangle of JᵀJ of the model's Jacobian J (2n, size), then Jᵀ rhs."""
    rotation = np.empty((3, 3))
    shape_kernels.rotation_of(glob, rotation)
    size = 6 + pdm.n_modes
    rows = np.ascontiguousarray(np.c_[jacobian(pdm, glob, local, rigid=False), rhs].T, np.float32)
    out = system_of(size)
    shape_kernels.unweighted_normal_equations(rows, pdm.gram, glob[0], rotation, size, out)
    return equations_in(out, size)


def solve(matrix: np.ndarray, rhs: np.ndarray) -> np.ndarray:
    """Solution (size,) of a symmetric system by the Cholesky kernel."""
    size = len(rhs)
    system = system_of(size)
    upper = np.triu_indices(size)
    system[upper] = matrix[upper]
    system[:size, len(system)] = rhs
    solution = np.full(size, np.nan, np.float32)
    shape_kernels.cholesky_solve(system, size, solution)
    return solution


def fit_points(pdm: PointDistributionModel, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Global and local parameters of (n, 2) landmarks, and the iterations."""
    target = np.ascontiguousarray(points.T, np.float32)
    glob, local = np.empty(6, np.float32), np.empty(pdm.n_modes, np.float32)
    count = shape_kernels.fit_points(pdm.mean, pdm.basis, pdm.gram, pdm.eigenvalues, target, glob, local)
    return glob, local, count


def area_of_interest(gray: np.ndarray, x: float, y: float, a: float, b: float, side: int) -> np.ndarray:
    """(side, side) float32."""
    out = np.full(side * side, np.nan, np.float32)
    area_kernels.area_of_interest(gray, np.float32(x), np.float32(y), np.float32(a), np.float32(b), side, out)
    return out.reshape(side, side)


def similarity_matrices(packed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(2, 2) A from image to reference and B back, of the kernels' (4,)."""
    (ac, as_), (bc, bs) = packed[:2], packed[2:]
    return np.array([[ac, -as_], [as_, ac]]), np.array([[bc, -bs], [bs, bc]])


def pack_similarity(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(4,) float32 of A and B. Where they are no exact similarities, the warp reads B01."""
    return np.array([a[0, 0], a[1, 0], b[0, 0], -b[0, 1]], np.float32)


def place_reference(
    pdm: PointDistributionModel, glob: np.ndarray, local: np.ndarray, scale: float
) -> tuple[np.ndarray, np.ndarray]:
    """Current landmarks (2, n) float32 and the packed similarity (4,)."""
    base, packed = np.empty((2, pdm.n_points), np.float32), np.empty(4, np.float32)
    landmark_kernels.place_reference(pdm.mean, pdm.basis, glob, local, scale, base, packed)
    return base, packed


def pack_responses(responses: np.ndarray) -> np.ndarray:
    """(w², P) float32 of (n, w, w), P padded to whole vectors."""
    flat = responses.reshape(len(responses), -1).T
    return np.pad(flat, ((0, 0), (0, -flat.shape[1] % LANES))).astype(np.float32, order="C")


def unpack_responses(maps: np.ndarray) -> np.ndarray:
    """(n, w, w) of (w², n)."""
    side = round(len(maps) ** 0.5)
    return maps.T.reshape(-1, side, side)


def kernel_table(window: int, sigma: float) -> np.ndarray:
    """(w, 10 w) float32."""
    table = np.empty((window, 10 * window), np.float32)
    landmark_kernels.kernel_table(window, sigma, table)
    return table


def mean_shifts(
    responses: np.ndarray,
    positions: np.ndarray,
    weights: np.ndarray,
    table: np.ndarray,
    exact_sigma: float = 0.0,
) -> np.ndarray:
    """(2, n) shifts in the reference frame; ``responses`` (n, w, w)."""
    out = np.full(positions.shape, np.nan, np.float32)
    landmark_kernels.mean_shifts(
        pack_responses(responses),
        responses.shape[1],
        table,
        exact_sigma,
        np.ascontiguousarray(positions, np.float32),
        weights.astype(np.float32),
        out,
    )
    return out


def optimise(
    pdm: PointDistributionModel,
    start: ShapeParameters,
    base: np.ndarray,
    similarity: np.ndarray,
    responses: np.ndarray,
    table: np.ndarray,
    weights: np.ndarray,
    regularisation: float,
    *,
    rigid: bool,
    iterations: int = 1,
) -> tuple[ShapeParameters, int, np.ndarray]:
    """One NU-RLMS call: parameters, iterations, positions in the maps before the last update.

    ``base`` (2, n), ``similarity`` (4,), ``responses`` (n, w, w), ``weights`` (n,), 0 where invisible.
    """
    glob, local = start.global_params.copy(), start.local_params.copy()
    position = np.full(base.shape, np.nan, np.float32)
    count = landmark_kernels.regularised_mean_shift(
        pdm.mean,
        pdm.basis,
        pdm.gram,
        pdm.eigenvalues,
        glob,
        local,
        np.ascontiguousarray(base, np.float32),
        similarity,
        pack_responses(responses),
        responses.shape[1],
        table,
        0.0,
        weights.astype(np.float32),
        0 if rigid else pdm.n_modes,
        regularisation,
        iterations,
        position,
    )
    return ShapeParameters(glob, local), count, position


def log_likelihood(responses: np.ndarray, positions: np.ndarray, weights: np.ndarray, sigma: float) -> float:
    """``responses`` (n, w, w), ``positions`` (2, n), ``weights`` (n,), 0 where invisible."""
    return landmark_kernels.log_likelihood(
        pack_responses(responses),
        responses.shape[1],
        np.ascontiguousarray(positions, np.float32),
        weights.astype(np.float32),
        sigma,
    )

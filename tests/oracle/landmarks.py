"""Slow, obvious twins of landmark fitting, written from docs/algorithms.

Float64 except where float32 decides about integers: the matrix of the warp and the grid of the kernel.
"""

from __future__ import annotations

import math

import numpy as np

from mien.models.records import CcnfRecord
from oracle import shape
from oracle.shape import Model

SUPPORT = 11


# --- views, similarity ------------------------------------------------------------------------------------


def nearest_view(euler, centers) -> int:
    """Index of the nearest view; the first of equals (docs/algorithms/response-maps.md#scales-and-views)."""
    distances = [sum((float(e) - c) ** 2 for e, c in zip(euler, center, strict=True)) for center in centers]
    return distances.index(min(distances))


def similarity(image: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """(2, 2) rotation times scale that takes the centred ``image`` (2, n) to the centred ``reference``.

    The rotation is Kabsch's, by singular values; the scale is the ratio of spreads.
    """
    image = image - image.mean(axis=1, keepdims=True)
    reference = reference - reference.mean(axis=1, keepdims=True)
    u, _, vt = np.linalg.svd(reference @ image.T)
    rotation = u @ np.diag([1, np.linalg.det(u @ vt)]) @ vt
    return np.sqrt((reference**2).sum() / (image**2).sum()) * rotation


def place_reference(model: Model, glob, local, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Current landmarks (2, n) and the similarity A from image to reference."""
    image = shape.project(model, glob, local)
    return image, similarity(image, shape.project(model, [scale, 0, 0, 0, 0, 0], local))


# --- area of interest -------------------------------------------------------------------------------------


def warp_matrix(x, y, a, b, side: int) -> np.ndarray:
    """(2, 3) matrix of an area of interest: evaluated in float32, left to right, then widened."""
    x, y, a, b = (np.float32(v) for v in (x, y, a, b))
    last, two = np.float32(side - 1), np.float32(2)
    return np.array(
        [
            [a, -b, x - a * last / two + b * last / two],
            [b, a, y - a * last / two - b * last / two],
        ],
        dtype=np.float64,
    )


def warp(gray: np.ndarray, matrix: np.ndarray, side: int) -> np.ndarray:
    """Quantised bilinear warp with border 0, one pixel at a time; docs/algorithms/image-arithmetic.md."""
    out = np.zeros((side, side), np.float32)
    for v in range(side):
        for u in range(side):
            column, row = (
                (round(1024 * (m[1] * v + m[2])) + 16 + round(1024 * m[0] * u)) >> 5 for m in matrix.tolist()
            )
            fx, fy = (column & 31) / 32, (row & 31) / 32
            ix, iy = column >> 5, row >> 5
            top = (1 - fx) * _pixel(gray, ix, iy) + fx * _pixel(gray, ix + 1, iy)
            bottom = (1 - fx) * _pixel(gray, ix, iy + 1) + fx * _pixel(gray, ix + 1, iy + 1)
            out[v, u] = (1 - fy) * top + fy * bottom
    return out


def _pixel(gray: np.ndarray, x: int, y: int) -> float:
    inside = 0 <= x < gray.shape[1] and 0 <= y < gray.shape[0]
    return float(gray[y, x]) if inside else 0.0


def area_of_interest(gray: np.ndarray, x, y, a, b, side: int) -> np.ndarray:
    """(side, side) float32 around a landmark; docs/algorithms/response-maps.md#area-of-interest."""
    return warp(gray, warp_matrix(x, y, a, b, side), side)


# --- CCNF responses ---------------------------------------------------------------------------------------


def normalised_window(area: np.ndarray, row: int, column: int) -> np.ndarray:
    """The (11, 11) support of one position less its mean, divided by its norm (1 where that is 0)."""
    window = area[row : row + SUPPORT, column : column + SUPPORT].astype(float)
    if np.ptp(window) == 0:
        return np.zeros_like(window)
    window = window - window.mean()
    return window / np.linalg.norm(window)


def ccnf_potential(area: np.ndarray, record: CcnfRecord, view: int, landmark: int) -> np.ndarray:
    """b of docs/algorithms/patch-experts-ccnf.md, (w, w)."""
    w = area.shape[0] - SUPPORT + 1
    out = np.zeros((w, w))
    for r in range(w):
        for c in range(w):
            window = normalised_window(area, r, c)
            for j in range(record.alphas.shape[2]):
                alpha = record.alphas[view, landmark, j]
                if alpha > 1e-4:
                    match = (record.weights[view, landmark, j].astype(float) * window).sum()
                    z = record.norms[view, landmark, j] * match + record.biases[view, landmark, j]
                    out[r, c] += 2 * alpha / (1 + math.exp(-z))
    return out


def ccnf_sigma(
    record: CcnfRecord, view: int, landmark: int, window: int, components: dict[int, np.ndarray]
) -> np.ndarray:
    """Σ (w², w²), inverted explicitly; diagonal where the window has no components."""
    precision = record.alphas[view, landmark].sum() * np.eye(window**2)
    for beta, component in zip(record.betas[view, landmark], components.get(window, ()), strict=False):
        precision = precision + beta * component.astype(float)
    return np.linalg.inv(2 * precision)


def ccnf_response(
    area: np.ndarray, record: CcnfRecord, view: int, landmark: int, components: dict[int, np.ndarray]
) -> np.ndarray:
    """(w, w) map of one landmark; rows are y."""
    potential = ccnf_potential(area, record, view, landmark)
    w = potential.shape[0]
    sigma = ccnf_sigma(record, view, landmark, w, components)
    response = (sigma @ potential.reshape(-1)).reshape(w, w)
    return response - min(response.min(), 0)


def ccnf_responses(
    gray: np.ndarray,
    points: np.ndarray,
    b: np.ndarray,
    record: CcnfRecord,
    view: int,
    window: int,
    components,
) -> np.ndarray:
    """(n, w, w) maps of all landmarks (2, n), 0 where invisible; ``b`` (2,): B00 and B10."""
    n = points.shape[1]
    out = np.zeros((n, window, window))
    for i in np.flatnonzero(record.visibility[view]):
        area = area_of_interest(gray, points[0, i], points[1, i], b[0], b[1], window + SUPPORT - 1)
        out[i] = ccnf_response(area, record, view, i, components)
    return out


# --- mean shift, NU-RLMS ----------------------------------------------------------------------------------


def mean_shift(response: np.ndarray, x, y, sigma: float) -> tuple[float, float]:
    """Shift (x, y) of one landmark at (x, y) of its response map (w, w), with the quantised kernel."""
    w = response.shape[0]
    step = np.float32(0.1)
    limit = np.float32(w) - step
    dx, dy = (np.float32(min(max(np.float32(v), np.float32(0)), limit)) for v in (x, y))
    kx, ky = (int(float(d / step) + 0.5) for d in (dx, dy))
    total = sum_x = sum_y = 0.0
    for r in range(w):
        for c in range(w):
            away = (float(np.float32(ky) * step) - r) ** 2 + (float(np.float32(kx) * step) - c) ** 2
            q = float(response[r, c]) * math.exp(-0.5 / sigma**2 * away)
            total += q
            sum_x += c * q
            sum_y += r * q
    return sum_x / total - float(dx), sum_y / total - float(dy)


def mean_shifts(responses: np.ndarray, positions: np.ndarray, visible, sigma: float) -> np.ndarray:
    """(2, n) shifts in the reference frame; 0 where invisible. ``responses`` (n, w, w)."""
    out = np.zeros(positions.shape)
    for i in np.flatnonzero(visible):
        out[:, i] = mean_shift(responses[i], positions[0, i], positions[1, i], sigma)
    return out


def positions_in_maps(model: Model, glob, local, base: np.ndarray, a: np.ndarray, window: int) -> np.ndarray:
    """D = A (S - base) + (w - 1) / 2, (2, n), float32; docs/algorithms/fitting-nu-rlms.md."""
    moved = shape.project(model, glob, local) - base
    return (a @ moved + (window - 1) // 2).astype(np.float32)


def iterate(
    model: Model, glob, local, base, a, responses, sigma, weights, visible, regularisation, rigid
) -> tuple[np.ndarray, np.ndarray]:
    """Parameters after one NU-RLMS iteration; docs/algorithms/fitting-nu-rlms.md#one-optimisation.

    ``base`` (2, n); ``a`` (2, 2) from image to reference; ``responses`` (n, w, w); ``weights`` (n,).
    """
    local = np.asarray(local, float)
    positions = positions_in_maps(model, glob, local, base, a, responses.shape[1])
    shift = np.linalg.inv(a) @ mean_shifts(responses, positions, visible, sigma)
    jac = shape.jacobian(model, glob, local, rigid)
    jac[~np.tile(visible, 2)] = 0
    weighted = np.diag(np.tile(weights, 2).astype(float)) @ jac
    rhs = weighted.T @ shift.reshape(-1)
    hessian = weighted.T @ jac
    if not rigid:
        prior = np.append(np.zeros(6), regularisation / model.eigenvalues)
        rhs -= prior * np.append(np.zeros(6), local)
        hessian = hessian + np.diag(prior)
    new_glob, new_local = shape.update(glob, local, shape.solve(hessian, rhs))
    return new_glob, shape.clamp(model, new_local)


def optimise(
    model: Model, glob, local, base, a, responses, sigma, weights, visible, regularisation, rigid, limit
) -> tuple[np.ndarray, np.ndarray, int, np.ndarray]:
    """A whole call: parameters, iterations, and the positions in the maps before the last update."""
    previous = None
    done = 0
    positions = np.zeros(base.shape)
    for _ in range(limit):
        points = shape.project(model, glob, local)
        if previous is not None and np.linalg.norm(points - previous) < 0.01:
            break
        previous = points
        positions = positions_in_maps(model, glob, local, base, a, responses.shape[1])
        glob, local = iterate(
            model, glob, local, base, a, responses, sigma, weights, visible, regularisation, rigid
        )
        done += 1
    return glob, local, done, positions


def log_likelihood(responses: np.ndarray, positions: np.ndarray, visible, sigma: float) -> float:
    """Mean log of the smoothed responses at the exact positions (2, n)."""
    logs = []
    for i in np.flatnonzero(visible):
        value = 0.0
        for r, c in np.ndindex(responses.shape[1:]):
            away = (positions[1, i] - r) ** 2 + (positions[0, i] - c) ** 2
            value += float(responses[i, r, c]) * math.exp(-float(away) / (2 * sigma**2))
        logs.append(math.log(value + 1e-8))
    return sum(logs) / len(logs)

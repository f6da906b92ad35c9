"""Slow, obvious twin of docs/algorithms/point-distribution-model.md, written from it in float64.

Layout: a 3D shape is (3, n), a 2D shape (2, n), a basis (3n, m) with all x, then all y,
then all z. `mien` stores the same numbers in another order, so the twins start from a `PdmRecord`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mien.models.records import PdmRecord


@dataclass(frozen=True)
class Model:
    """Mean (3, n), basis (3n, m) and eigenvalues (m,) in float64."""

    mean: np.ndarray
    basis: np.ndarray
    eigenvalues: np.ndarray

    @property
    def n(self) -> int:
        return self.mean.shape[1]

    @property
    def m(self) -> int:
        return self.basis.shape[1]

    def restricted(self, points: np.ndarray) -> Model:
        """The model of some points only."""
        rows = np.concatenate([axis * self.n + points for axis in range(3)])
        return Model(self.mean[:, points], self.basis[rows], self.eigenvalues)


def model(record: PdmRecord) -> Model:
    n = record.mean.shape[0]
    basis = np.vstack([record.basis[:, axis, :] for axis in range(3)]).astype(float)
    assert basis.shape[0] == 3 * n
    return Model(record.mean.T.astype(float), basis, record.eigenvalues.astype(float).reshape(-1))


def rotation_matrix(euler) -> np.ndarray:
    """Rx(ex) Ry(ey) Rz(ez), multiplied out of the three elementary rotations."""
    ex, ey, ez = (float(v) for v in euler)
    rx = np.array([[1, 0, 0], [0, np.cos(ex), -np.sin(ex)], [0, np.sin(ex), np.cos(ex)]])
    ry = np.array([[np.cos(ey), 0, np.sin(ey)], [0, 1, 0], [-np.sin(ey), 0, np.cos(ey)]])
    rz = np.array([[np.cos(ez), -np.sin(ez), 0], [np.sin(ez), np.cos(ez), 0], [0, 0, 1]])
    return rx @ ry @ rz


def euler_angles(rotation: np.ndarray) -> np.ndarray:
    """Through the quaternion; NaN angles become zeros."""
    r = rotation
    q0 = 0.5 * np.sqrt(1 + r[0, 0] + r[1, 1] + r[2, 2])
    q1 = (r[2, 1] - r[1, 2]) / (4 * q0)
    q2 = (r[0, 2] - r[2, 0]) / (4 * q0)
    q3 = (r[1, 0] - r[0, 1]) / (4 * q0)
    t = np.clip(2 * (q0 * q2 + q1 * q3), -1, 1)
    angles = np.array(
        [
            np.arctan2(2 * (q0 * q1 - q2 * q3), q0**2 - q1**2 - q2**2 + q3**2),
            np.arcsin(t),
            np.arctan2(2 * (q0 * q3 - q1 * q2), q0**2 + q1**2 - q2**2 - q3**2),
        ]
    )
    return np.zeros(3) if np.isnan(angles).any() else angles


def object_shape(model: Model, local: np.ndarray) -> np.ndarray:
    """X(p) = M + V p, (3, n); docs/algorithms/point-distribution-model.md#from-parameters-to-points."""
    return model.mean + (model.basis @ np.asarray(local, float)).reshape(3, model.n)


def project_shape(shape: np.ndarray, glob: np.ndarray) -> np.ndarray:
    """s R X + t, (2, n); docs/algorithms/point-distribution-model.md#from-parameters-to-points."""
    glob = np.asarray(glob, float)
    return glob[0] * rotation_matrix(glob[1:4])[:2] @ shape + glob[4:6, None]


def project(model: Model, glob: np.ndarray, local: np.ndarray) -> np.ndarray:
    """S(p, g), (2, n)."""
    return project_shape(object_shape(model, local), glob)


def from_box(model: Model, box, euler=(0.0, 0.0, 0.0)) -> np.ndarray:
    """Global parameters of the mean shape in a box; docs/algorithms/point-distribution-model.md."""
    x, y, w, h = (float(v) for v in box)
    turned = rotation_matrix(euler) @ model.mean
    x0, x1, y0, y1 = turned[0].min(), turned[0].max(), turned[1].min(), turned[1].max()
    s = 0.5 * (w / (x1 - x0) + h / (y1 - y0))
    return np.array([s, *euler, x + w / 2 - s * (x0 + x1) / 2, y + h / 2 - s * (y0 + y1) / 2])


def jacobian(model: Model, glob: np.ndarray, local: np.ndarray, rigid: bool = False) -> np.ndarray:
    """(2n, 6 + m) or (2n, 6): the formulas of docs/algorithms/point-distribution-model.md, row by row."""
    s = float(glob[0])
    r = rotation_matrix(glob[1:4])
    shape = object_shape(model, local)
    out = np.zeros((2 * model.n, 6 if rigid else 6 + model.m))
    for a in range(2):
        for i in range(model.n):
            x, y, z = shape[:, i]
            row = out[a * model.n + i]
            row[0] = x * r[a, 0] + y * r[a, 1] + z * r[a, 2]
            row[1] = s * (y * r[a, 2] - z * r[a, 1])
            row[2] = -s * (x * r[a, 2] - z * r[a, 0])
            row[3] = s * (x * r[a, 1] - y * r[a, 0])
            row[4 + a] = 1
            if not rigid:
                vx, vy, vz = (model.basis[axis * model.n + i] for axis in range(3))
                row[6:] = s * (r[a, 0] * vx + r[a, 1] * vy + r[a, 2] * vz)
    return out


def nearest_rotation(matrix: np.ndarray) -> np.ndarray:
    u, _, vt = np.linalg.svd(matrix)
    return u @ np.diag([1, 1, np.linalg.det(u @ vt)]) @ vt


def update(glob: np.ndarray, local: np.ndarray, delta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Parameters after the step ``delta`` (6,) or (6 + m,); docs/algorithms/point-distribution-model.md."""
    glob, local = np.array(glob, float), np.array(local, float)
    wx, wy, wz = delta[1:4]
    small = nearest_rotation(np.array([[1, -wz, wy], [wz, 1, -wx], [-wy, wx, 1]]))
    angles = euler_angles(rotation_matrix(glob[1:4]) @ small)
    new = np.array([glob[0] + delta[0], *angles, glob[4] + delta[4], glob[5] + delta[5]])
    return new, local + delta[6:] if len(delta) > 6 else local


def clamp(model: Model, local: np.ndarray) -> np.ndarray:
    """Every mode within three standard deviations; docs/algorithms/point-distribution-model.md#limits."""
    bound = 3 * np.sqrt(model.eigenvalues)
    return np.clip(local, -bound, bound)


def solve(matrix: np.ndarray, rhs: np.ndarray) -> np.ndarray:
    """Solution, or zeros where the matrix is not positive definite."""
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return np.zeros_like(rhs)
    return np.linalg.solve(matrix, rhs)


def fit_to_points(full: Model, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Global and local parameters of 2D landmarks (2, n), and the number of iterations."""
    present = np.flatnonzero(points[0] != 0)
    part, target = full.restricted(present), points[:, present].astype(float)
    low, high = target.min(axis=1), target.max(axis=1)
    size = part.mean[:2].max(axis=1) - part.mean[:2].min(axis=1)
    glob = np.array([0.5 * ((high - low) / size).sum(), 0, 0, 0, *((low + high) / 2)])
    local = np.zeros(part.m)
    prior = np.append(np.zeros(6), 1 / part.eigenvalues)
    error = np.linalg.norm(project(part, glob, local) - target)
    worse = 0
    for iteration in range(1, 1001):
        before = object_shape(part, local)
        residual = (target - project(part, glob, local)).reshape(-1)
        jac = jacobian(part, glob, local)
        rhs = jac.T @ residual - prior * np.append(np.zeros(6), local)
        glob, local = update(glob, local, 0.75 * solve(jac.T @ jac + np.diag(prior), rhs))
        # The original tests the new pose with the old 3D shape.
        new_error = np.linalg.norm(project_shape(before, glob) - target)
        worse += 0.999 * error < new_error
        if worse == 3:
            return glob, local, iteration
        error = new_error
    return glob, local, 1000

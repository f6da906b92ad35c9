"""Rotations as matrices, Euler angles and rotation vectors, for any number of them at once.

Everywhere R = Rx(rx) Ry(ry) Rz(rz), applied to column vectors, in axes x right, y down, z away from the
camera. The functions keep float32 and compute everything else in float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def _as_floats(values: ArrayLike, tail: tuple[int, ...], what: str) -> NDArray[Any]:
    array = np.asarray(values)
    if array.dtype != np.float32:
        array = array.astype(np.float64)
    if array.shape[-len(tail) :] != tail:
        expected = ", ".join(str(size) for size in tail)
        raise ValueError(f"expected {what} of shape (..., {expected}), got {array.shape}")
    return array


def rotation_from_euler(angles_rad: ArrayLike) -> NDArray[Any]:
    """Rotation matrices of Euler angles (docs/algorithms/point-distribution-model.md#rotations).

    Parameters
    ----------
    angles_rad
        (..., 3) rx, ry, rz in rad.

    Returns
    -------
    ndarray
        (..., 3, 3), float32 for float32 input, else float64.

    Raises
    ------
    ValueError
        The last axis has not three entries.
    """
    angles = _as_floats(angles_rad, (3,), "Euler angles")
    (s1, s2, s3), (c1, c2, c3) = (np.moveaxis(f(angles), -1, 0) for f in (np.sin, np.cos))
    rows = [
        [c2 * c3, -c2 * s3, s2],
        [c1 * s3 + c3 * s1 * s2, c1 * c3 - s1 * s2 * s3, -c2 * s1],
        [s1 * s3 - c1 * c3 * s2, c3 * s1 + c1 * s2 * s3, c1 * c2],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def euler_from_rotation(rotation: ArrayLike) -> NDArray[Any]:
    """Euler angles of rotation matrices (docs/algorithms/point-distribution-model.md#rotations).

    Parameters
    ----------
    rotation
        (..., 3, 3).

    Returns
    -------
    ndarray
        (..., 3) rad, float32 for float32 input, else float64: rx and rz in [-pi, pi], ry in [-pi/2, pi/2].
        NaN for a rotation by exactly half a turn, which the quaternion formula does not cover.

    Raises
    ------
    ValueError
        The last two axes have not three entries each.
    """
    r = _as_floats(rotation, (3, 3), "rotation matrices")
    with np.errstate(invalid="ignore", divide="ignore"):
        q0 = np.sqrt(1 + r[..., 0, 0] + r[..., 1, 1] + r[..., 2, 2]) / 2
        q1 = (r[..., 2, 1] - r[..., 1, 2]) / (4 * q0)
        q2 = (r[..., 0, 2] - r[..., 2, 0]) / (4 * q0)
        q3 = (r[..., 1, 0] - r[..., 0, 1]) / (4 * q0)
        ry = np.arcsin(np.clip(2 * (q0 * q2 + q1 * q3), -1, 1))
        rx = np.arctan2(2 * (q0 * q1 - q2 * q3), q0 * q0 - q1 * q1 - q2 * q2 + q3 * q3)
        rz = np.arctan2(2 * (q0 * q3 - q1 * q2), q0 * q0 + q1 * q1 - q2 * q2 - q3 * q3)
    return np.stack([rx, ry, rz], axis=-1)


def vector_from_rotation(rotation: ArrayLike) -> NDArray[Any]:
    """Rotation vectors (axis times angle, angle in [0, pi]) of rotation matrices.

    Parameters
    ----------
    rotation
        (..., 3, 3).

    Returns
    -------
    ndarray
        (..., 3) rad, float32 for float32 input, else float64.

    Raises
    ------
    ValueError
        The last two axes have not three entries each.
    """
    r = _as_floats(rotation, (3, 3), "rotation matrices")
    quaternion = _quaternion(r.astype(np.float64).reshape(-1, 3, 3))
    w, axis = quaternion[:, :1], quaternion[:, 1:]
    sine = np.linalg.norm(axis, axis=-1, keepdims=True)
    angle = 2 * np.arctan2(sine, np.abs(w))
    # angle / sine tends to 2 for small rotations
    factor = np.divide(angle, sine, out=np.full_like(sine, 2.0), where=sine > 1e-12)
    sign = np.where(w < 0, -1.0, 1.0)
    return np.asarray((axis * factor * sign).reshape(r.shape[:-1]), dtype=r.dtype)


def _quaternion(r: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit quaternions (k, 4), scalar first, of rotation matrices (k, 3, 3); stable for every angle.

    Each candidate row is the quaternion times one of its own entries; the longest is the most accurate.
    """
    d0, d1, d2 = r[:, 0, 0], r[:, 1, 1], r[:, 2, 2]
    wx, wy, wz = r[:, 2, 1] - r[:, 1, 2], r[:, 0, 2] - r[:, 2, 0], r[:, 1, 0] - r[:, 0, 1]
    xy, xz, yz = r[:, 0, 1] + r[:, 1, 0], r[:, 0, 2] + r[:, 2, 0], r[:, 1, 2] + r[:, 2, 1]
    candidates = np.stack(
        [
            np.stack([1 + d0 + d1 + d2, wx, wy, wz], axis=-1),
            np.stack([wx, 1 + d0 - d1 - d2, xy, xz], axis=-1),
            np.stack([wy, xy, 1 - d0 + d1 - d2, yz], axis=-1),
            np.stack([wz, xz, yz, 1 - d0 - d1 + d2], axis=-1),
        ],
        axis=1,
    )
    longest = np.argmax(np.linalg.norm(candidates, axis=-1), axis=-1)
    chosen = candidates[np.arange(len(r)), longest]
    unit: NDArray[np.float64] = chosen / np.linalg.norm(chosen, axis=-1, keepdims=True)
    return unit

"""How much a head moves and where it and the eyes point."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.study.hysteresis import Samples

Floats = NDArray[np.float64]

LOW, HIGH = 5, 95
"""Percentiles between which a range lies: the extremes are often single frames that failed."""


def spread(values: Floats) -> dict[str, float]:
    """Mean, standard deviation (n - 1) and range (5th to 95th percentile) of what is not NaN."""
    known = values[np.isfinite(values)]
    nothing = float("nan")
    if not len(known):
        return {"mean": nothing, "sd": nothing, "range": nothing}
    low, high = np.percentile(known, (LOW, HIGH))
    sd = float(known.std(ddof=1)) if len(known) > 1 else nothing
    return {"mean": float(known.mean()), "sd": sd, "range": float(high - low)}


def speed(steps: Floats, at: Samples) -> float:
    """Mean speed from steps between neighbouring samples of one stretch, per second; NaN without any.

    Parameters
    ----------
    steps
        (N - 1,) from each sample to the next.
    at
        The N samples.
    """
    if not len(steps):
        return float("nan")
    counts = ~at.first[1:] & np.isfinite(steps)
    seconds = float(np.diff(at.begin_s)[counts].sum())
    return float(steps[counts].sum()) / seconds if seconds > 0 else float("nan")


def distances(position: Floats) -> Floats:
    """Way from every position, (N, 3), to the next: (N - 1,), in the same unit."""
    return np.asarray(np.linalg.norm(np.diff(position, axis=0), axis=1))


def turns(angles_rad: Floats) -> Floats:
    """Angle from every orientation to the next, rad.

    Parameters
    ----------
    angles_rad
        (N, 3) Euler angles with R = Rx Ry Rz.

    Returns
    -------
    ndarray
        (N - 1,) angle of the rotation R_i^T R_(i+1), 0 to pi; exact for small ones too.
    """
    matrix = rotation(angles_rad)
    step = np.einsum("nji,njk->nik", matrix[:-1], matrix[1:])
    axis = np.stack(
        [step[:, 2, 1] - step[:, 1, 2], step[:, 0, 2] - step[:, 2, 0], step[:, 1, 0] - step[:, 0, 1]], axis=-1
    )
    sine = np.linalg.norm(axis, axis=1) / 2
    cosine = (np.trace(step, axis1=1, axis2=2) - 1) / 2
    return np.asarray(np.arctan2(sine, cosine))


def rotation(angles_rad: Floats) -> Floats:
    """(N, 3) Euler angles to (N, 3, 3) matrices R = Rx Ry Rz."""
    (sx, sy, sz), (cx, cy, cz) = np.sin(angles_rad).T, np.cos(angles_rad).T
    rows = [
        [cy * cz, -cy * sz, sy],
        [cx * sz + sx * sy * cz, cx * cz - sx * sy * sz, -sx * cy],
        [sx * sz - cx * sy * cz, sx * cz + cx * sy * sz, cx * cy],
    ]
    return np.moveaxis(np.array(rows), -1, 0)

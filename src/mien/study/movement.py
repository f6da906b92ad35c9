"""How much a head moves and where it and the eyes point."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.geometry.rotation import rotation_from_euler, vector_from_rotation
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
        (N - 1,) angle of the rotation R_i^T R_(i+1), 0 to pi.
    """
    matrix = rotation_from_euler(angles_rad)
    step = np.swapaxes(matrix[:-1], -1, -2) @ matrix[1:]
    return np.asarray(np.linalg.norm(vector_from_rotation(step), axis=-1))

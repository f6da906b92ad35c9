"""Statistics of one action unit over the frames that count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class UnitStatistics:
    """Of one action unit; NaN where there is nothing."""

    frames: int
    mean: float
    sd: float
    p95: float
    present: float
    mean_present: float


def unit_statistics(intensity: Floats, presence: Floats) -> UnitStatistics:
    """Statistics over usable frames; either array may be empty, and hold NaN."""
    nothing = float("nan")
    measured, known = intensity[np.isfinite(intensity)], presence[np.isfinite(presence)]
    both = len(intensity) == len(presence)
    while_present = intensity[(presence >= 1) & np.isfinite(intensity)] if both else np.empty(0)
    return UnitStatistics(
        frames=len(measured),
        mean=float(measured.mean()) if len(measured) else nothing,
        sd=float(measured.std(ddof=1)) if len(measured) > 1 else nothing,
        p95=float(np.percentile(measured, 95)) if len(measured) else nothing,
        present=float(known.mean()) if len(known) else nothing,
        mean_present=float(while_present.mean()) if len(while_present) else nothing,
    )

"""Action units of a whole recording."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ActionUnitSeries:
    """Action units of a whole video, after post-processing; one row per frame.

    Attributes
    ----------
    intensity
        (N, 17) float64, 0 to 5, in the order of ``INTENSITY_NAMES``; NaN where no model gives it.
    presence
        (N, 18) float64, 0 or 1, in the order of ``PRESENCE_NAMES``; NaN where no model gives it.
    """

    intensity: NDArray[np.float64]
    presence: NDArray[np.float64]

"""The exponential inside other kernels: the C library's stops vectorisation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mien.runtime.jit import fast_part


@fast_part
def exp32(x: Any) -> Any:
    """e^x for float32 with about 1e-7 relative error; the argument is clamped to ±87.

    Range reduction to |f| <= ln 2 / 2 and the degree-6 polynomial of the Cephes library.
    """
    x = min(max(x, np.float32(-87.0)), np.float32(87.0))
    k = np.float32(math.floor(x * np.float32(1.44269504) + np.float32(0.5)))
    f = x - k * np.float32(0.693147181)
    p = np.float32(1.9875691500e-4)
    p = p * f + np.float32(1.3981999507e-3)
    p = p * f + np.float32(8.3334519073e-3)
    p = p * f + np.float32(4.1665795894e-2)
    p = p * f + np.float32(1.6666665459e-1)
    p = p * f + np.float32(5.0000001201e-1)
    p = p * f * f + f + np.float32(1.0)
    power = np.int32((np.int32(k) + np.int32(127)) << np.int32(23))
    return p * power.view(np.float32)

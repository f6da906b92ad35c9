"""Elementary functions that LLVM can vectorise inside kernels (the C library's calls stop it)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from mien.runtime.jit import fast_kernel


@intrinsic
def _float32_from_bits(typing_context: Any, bits: Any) -> Any:
    """Reinterpret an int32 as float32."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), generate


@fast_kernel
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
    return p * _float32_from_bits((np.int32(k) + np.int32(127)) << np.int32(23))  # type: ignore[call-arg]

"""Vector arithmetic that LLVM does not find by itself: an exponential and a register-blocked product.

The C library's calls stop vectorisation, and sums over a small block are not kept in registers, which costs
a factor of four in the innermost loops. The readable twins of both stand in the tests.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mien.runtime.jit import fast_kernel, intrinsic

LANES = 16
"""Columns of a block product; LLVM splits the vectors to what the processor has."""
ROWS = 7
"""Rows of a block product: as many sums as fit the registers; a CCNF patch expert has seven neurons."""


@intrinsic
def _float32_from_bits(typing_context: Any, bits: Any) -> Any:
    """Reinterpret an int32 as float32."""
    from llvmlite import ir
    from numba import types

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
    return p * _float32_from_bits((np.int32(k) + np.int32(127)) << np.int32(23))


@intrinsic
def block_product(
    typing_context: Any,
    right: Any,
    outer: Any,
    outer_step: Any,
    inner: Any,
    inner_step: Any,
    left: Any,
    left_step: Any,
    out: Any,
    out_step: Any,
) -> Any:
    """Multiply a (7, T) by a (T, 16) block of float32, with both read in place.

    All arguments are intp; ``right``, ``left``, ``out`` are addresses, steps count floats. The sum runs
    over t = k * inner + i with k < outer, i < inner:
    out[j * out_step + p] = sum_t left[t * left_step + j] * right[k * outer_step + i * inner_step + p]
    for j in 0..6, p in 0..15. The caller guarantees that all of it is inside its arrays.
    """
    from mien.runtime.vector_code import write_block_product

    return write_block_product(LANES, ROWS)

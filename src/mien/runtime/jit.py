"""How kernels are compiled: one place for the flags.

``kernel`` compiles with IEEE arithmetic as written; use it wherever the specification asks for exact
rounding (warps, kernel grid, alignment). ``fast_kernel`` may reassociate and contract sums so that they
vectorise; it never assumes that NaN or infinity cannot occur.
"""

from __future__ import annotations

from typing import Any

from numba import njit

FASTMATH = {"reassoc", "contract", "nsz"}
"""Sums may be reordered and fused; no "nnan", "ninf" or "arcp": NaN stays NaN, division stays division."""


def kernel(function: Any) -> Any:
    """Compile with IEEE arithmetic exactly as written."""
    return njit(cache=True, nogil=True, error_model="numpy")(function)


def fast_kernel(function: Any) -> Any:
    """Compile with sums that may be reordered and fused, so that they vectorise."""
    return njit(cache=True, nogil=True, error_model="numpy", fastmath=FASTMATH)(function)

"""How kernels are compiled: one place for the flags.

``kernel`` compiles with IEEE arithmetic as written; use it wherever the specification asks for exact
rounding (warps, kernel grid, alignment). ``fast_kernel`` may reassociate and contract sums so that they
vectorise; it never assumes that NaN or infinity cannot occur.
"""

from __future__ import annotations

import functools

from numba import njit

FASTMATH = {"reassoc", "contract", "nsz"}
"""Sums may be reordered and fused; no "nnan", "ninf" or "arcp": NaN stays NaN, division stays division."""

kernel = functools.partial(njit, cache=True, nogil=True, error_model="numpy")
fast_kernel = functools.partial(njit, cache=True, nogil=True, error_model="numpy", fastmath=FASTMATH)

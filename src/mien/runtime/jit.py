"""How kernels are compiled: plain Numba, with every flag that matters written out.

``kernel`` compiles with IEEE arithmetic as written; use it wherever the original's rounding decides (warps,
kernel grid, alignment). ``fast_kernel`` may reassociate and contract sums so that they vectorise; it never
assumes that NaN or infinity cannot occur. Both are called from Python, and kept in Numba's cache. What only
kernels call is a ``part`` or a ``fast_part``: compiled into the kernels that call it, and never alone.

No loop of a ``fast_kernel`` both adds up and writes into an array. Vectorised, such a loop begins with a
check whether what it writes could be what it reads; where arrays lie close to each other in memory the check
fails, and the loop adds one by one, in another order. Then the heap would decide the last bit of a result,
which differs from run to run and with the number of threads. A loop that only adds, or only writes, gives the
same either way.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numba

from mien.runtime.checked_kernels import check
from mien.runtime.kernel_cache import kernel_folder

FASTMATH = {"reassoc", "contract", "nsz"}
"""Sums may be reordered and fused; no "nnan", "ninf" or "arcp": NaN stays NaN, division stays division."""

_Decorator = Callable[[Callable[..., Any]], Any]
_EXACT: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": False}
"""``fastmath`` is switched off explicitly: left out, a part that is first compiled on behalf of a fast kernel
would inherit the fast one's flags."""
_FAST: dict[str, Any] = _EXACT | {"fastmath": FASTMATH}

_STEERING = threading.Lock()


def kernel(function: Callable[..., Any]) -> Any:
    """Compile with IEEE arithmetic exactly as written."""
    return _kept(function, _EXACT)


def fast_kernel(function: Callable[..., Any]) -> Any:
    """Compile with sums that may be reordered and fused, so that they vectorise."""
    return _kept(function, _FAST)


part: _Decorator = numba.njit(forceinline=True, **_EXACT)
"""As `kernel`, for what only kernels call: inlined, so that a process runs the code that is kept."""
fast_part: _Decorator = numba.njit(forceinline=True, **_FAST)
"""As `fast_kernel`, for what only kernels call."""
sum_part: _Decorator = numba.njit(forceinline=True, **_EXACT | {"fastmath": {"contract"}})
"""As `part`, but a product may be fused with the sum that it is added to; sums keep their order."""


def _kept(function: Callable[..., Any], options: dict[str, Any]) -> Any:
    """Have Numba keep what it compiles in our folder; where there is none, in this process only."""
    folder = kernel_folder()
    if folder is not None:
        with _cache_in(str(folder)):
            compiled = numba.njit(cache=True, **options)(function)
        # Numba goes elsewhere where it cannot use a folder, and there kernels could be stale.
        if str(compiled.stats.cache_path).startswith(str(folder)):
            check(compiled)
            return compiled
    return numba.njit(**options)(function)


@contextmanager
def _cache_in(folder: str) -> Iterator[None]:
    """Let Numba's cache be in a folder for the kernels that are decorated meanwhile, and for no others.

    ``numba.config.CACHE_DIR`` is the setting behind ``NUMBA_CACHE_DIR``; it is read when a function is
    decorated.
    """
    config: Any = numba.config
    with _STEERING:
        before = config.CACHE_DIR
        config.CACHE_DIR = folder
        try:
            yield
        finally:
            config.CACHE_DIR = before

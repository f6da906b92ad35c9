"""How kernels are compiled, and where the compiled code is kept: one place for both.

``kernel`` compiles with IEEE arithmetic as written; use it wherever the specification asks for exact
rounding (warps, kernel grid, alignment). ``fast_kernel`` may reassociate and contract sums so that they
vectorise; it never assumes that NaN or infinity cannot occur.

Numba keeps compiled code per file and does not notice when a kernel that was inlined from another file has
changed. So the code goes to a folder whose name is a digest of all of mien's kernels: a changed kernel, or a
new version of mien, compiles everything once more and can never meet stale code.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numba
from numba import njit

from mien.runtime.array_cache import cache_folder

FASTMATH = {"reassoc", "contract", "nsz"}
"""Sums may be reordered and fused; no "nnan", "ninf" or "arcp": NaN stays NaN, division stays division."""


def compiled_folder() -> Path:
    """Folder of the compiled kernels of exactly this source code."""
    digest = hashlib.sha256()
    package = Path(__file__).parent.parent
    for path in sorted([*package.rglob("*kernels.py"), *(package / "runtime").glob("*.py")]):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return cache_folder() / "kernels" / digest.hexdigest()[:16]


_CONFIG: Any = numba.config
if not _CONFIG.CACHE_DIR:
    _CONFIG.CACHE_DIR = str(compiled_folder())


def kernel(function: Any) -> Any:
    """Compile with IEEE arithmetic exactly as written.

    ``fastmath`` is switched off explicitly: left out, a kernel that is first compiled on behalf of a fast one
    would inherit the fast one's flags.
    """
    return njit(cache=True, nogil=True, error_model="numpy", fastmath=False)(function)


def fast_kernel(function: Any) -> Any:
    """Compile with sums that may be reordered and fused, so that they vectorise."""
    return njit(cache=True, nogil=True, error_model="numpy", fastmath=FASTMATH)(function)


def fast_inline(function: Any) -> Any:
    """Compile like `fast_kernel`, but as part of each fast kernel that calls it.

    For steps with one caller: they keep their name, docstring and test, and are not compiled twice.
    """
    return njit(cache=True, nogil=True, error_model="numpy", fastmath=FASTMATH, inline="always")(function)

"""How much memory the process has needed so far, and memory that is only borrowed."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

_PAGE_OUT = 21
"""Linux's MADV_PAGEOUT, which Python's module does not name."""


def peak_memory_mb() -> float | None:
    """Peak resident memory of this process, 1e6 bytes; None where the system does not tell (Windows)."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def page_out(arrays: Iterable[Any]) -> None:
    """Let the system take back the memory of arrays that are mapped from files.

    Nothing is lost: what is needed again is read again, and what was changed is kept. Other arrays, and
    systems that know no such thing, are left alone.
    """
    for array in arrays:
        owner = array
        while owner is not None and not hasattr(owner, "madvise"):
            owner = getattr(owner, "base", None)
        if owner is not None and sys.platform == "linux":
            with suppress(OSError, ValueError):
                owner.madvise(_PAGE_OUT)

"""How much memory the process has needed so far."""

from __future__ import annotations

import sys


def peak_memory_mb() -> float | None:
    """Peak resident memory of this process, 1e6 bytes; None where the system does not tell (Windows)."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6

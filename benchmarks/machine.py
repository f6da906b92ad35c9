"""What a benchmark says about the machine it ran on."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from mien.runtime.versions import version_of


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def machine_block() -> str:
    """Processor, cores, system and the versions that matter."""
    return "\n".join(
        (
            f"processor  {_processor()}",
            f"cores      {os.cpu_count()}",
            f"system     {platform.platform()}",
            f"Python     {platform.python_version()}, NumPy {np.__version__}, Numba {version_of('numba')}",
        )
    )


def median_ms(function: Callable[[], object], repeats: int) -> float:
    """Median time of a call in milliseconds, after one call to warm up."""
    function()
    times = []
    for _ in range(repeats):
        start = perf_counter()
        function()
        times.append(perf_counter() - start)
    return median(times) * 1e3

"""How wide this processor's vectors are, and arrays laid out for them.

`LANES` floats fill one vector register; what is laid out "by lanes" has so many of them side by side.
"""

from __future__ import annotations

import platform
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FLOAT_BYTES = 4


def _features() -> set[str]:
    """The processor's features; LLVM, which takes long to load, is asked where no file tells them."""
    with suppress(OSError), Path("/proc/cpuinfo").open() as lines:
        for line in lines:
            if line.startswith("flags"):
                return set(line.partition(":")[2].split())
    from llvmlite import binding

    return {name for name, present in binding.get_host_cpu_features().items() if present}


def _vector_registers() -> tuple[int, int]:
    """Floats in a vector register, and number of registers, of this processor."""
    if platform.machine().lower() in ("aarch64", "arm64"):
        return 4, 32
    features = _features()
    if "avx512f" in features:
        return 16, 32
    return (8, 16) if "avx" in features else (4, 16)


LANES, REGISTERS = _vector_registers()
"""Floats in one vector register, and how many registers there are."""


def aligned(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """An uninitialised array that begins on a cache line: vectors across two cost twice as much to read."""
    line = 64
    size = int(np.prod(shape))
    buffer = np.empty(size + line // FLOAT_BYTES, np.float32)
    start = -buffer.ctypes.data % line // FLOAT_BYTES
    return buffer[start : start + size].reshape(shape)

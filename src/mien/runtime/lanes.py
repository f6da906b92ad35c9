"""The processor that Numba compiles for, how wide its vectors are, and arrays laid out for them.

`LANES` floats fill one vector register; what is laid out "by lanes" has so many of them side by side.
"""

from __future__ import annotations

import numpy as np
from numba.core.registry import cpu_target
from numpy.typing import NDArray

FLOAT_BYTES = 4


def target() -> tuple[str, str, str]:
    """Triple, name of the processor, and its features, "+avx,-avx512f,…", as Numba's own cache has them.

    This machine's processor, or the one that ``NUMBA_CPU_NAME`` forces.
    """
    triple, name, features = cpu_target.target_context.codegen().magic_tuple()
    return triple, name, features


def vector_registers(triple: str, features: str) -> tuple[int, int]:
    """Floats in a vector register, and number of registers, of a processor; see `target`."""
    if triple.startswith(("aarch64", "arm64")):
        return 4, 32
    known = features.split(",")
    if "+avx512f" in known:
        return 16, 32
    return (8, 16) if "+avx" in known else (4, 16)


LANES, REGISTERS = vector_registers(target()[0], target()[2])
"""Floats in one vector register, and how many registers there are."""


def aligned(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """An uninitialised array that begins on a cache line: vectors across two cost twice as much to read."""
    line = 64
    size = int(np.prod(shape))
    buffer = np.empty(size + line // FLOAT_BYTES, np.float32)
    start = -buffer.ctypes.data % line // FLOAT_BYTES
    return buffer[start : start + size].reshape(shape)

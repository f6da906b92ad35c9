"""The processor that Numba compiles for: this machine's, or the one that NUMBA_CPU_NAME forces."""

from __future__ import annotations

from functools import cache

from numba.core.registry import cpu_target


@cache
def target() -> tuple[str, str, str]:
    """Triple, name of the processor, and its features, "+avx,-avx512f,…", as Numba's own cache has them."""
    triple, name, features = cpu_target.target_context.codegen().magic_tuple()
    return triple, name, features

"""How kernels are compiled, and where the compiled code is kept: one place for both.

``kernel`` compiles with IEEE arithmetic as written; use it wherever results depend on exact
rounding (warps, kernel grid, alignment). ``fast_kernel`` may reassociate and contract sums so that they
vectorise; it never assumes that NaN or infinity cannot occur.

Numba compiles, but does not run: what it makes for a kernel and the types of its arguments is kept as machine
code with an entry point of our own (`mien.runtime.entry_points`), and loaded from there on every later run
(`mien.runtime.machine_code`). So a run whose kernels are all there never imports Numba, whose import, set-up
and own cache cost more than a second and 80 MB.

The code is kept in a folder whose name is a digest of all of mien's kernels and of what else it depends on: a
changed kernel, another Numba or another processor compiles everything once more and can never meet stale
code.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property, update_wrapper
from typing import Any

from mien.runtime import machine_code

FASTMATH = {"reassoc", "contract", "nsz"}
"""Sums may be reordered and fused; no "nnan", "ninf" or "arcp": NaN stays NaN, division stays division."""

LISTENERS: list[Callable[[], None]] = []
"""Called whenever a kernel is about to be compiled."""

_BUILDING = threading.RLock()


class Kernel:
    """A function that is compiled for the types of its arguments when it is first called with them.

    Parameters
    ----------
    function
        Its Python source. Arguments are positional: arrays, numbers, None, and tuples of those.
    options
        As for `numba.njit`.

    Attributes
    ----------
    py_func
        The function as it was written.
    """

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        update_wrapper(self, function)
        self.py_func = function
        self._name = function.__qualname__
        self.targetoptions = options
        self._entries: list[Callable[..., Any]] = []
        self._known: dict[str, Callable[..., Any] | None] = {}

    def __call__(self, *args: Any) -> Any:
        """Run the compiled function."""
        for entry in self._entries:
            # An entry point looks at the types itself, and declines what it was not made for.
            result = entry(*args)
            if result is not NotImplemented:
                return result
        return self._call_first(args)

    def _call_first(self, args: tuple[Any, ...]) -> Any:
        """Call with arguments of types that were not met before in this process."""
        signature = machine_code.describe(args)
        result = NotImplemented
        if signature is not None:
            with _BUILDING:
                if signature not in self._known:
                    self._known[signature] = self.prepare(signature, args)
                entry = self._known[signature]
            if entry is not None:
                result = entry(*args)
        return self._by_numba(*args) if result is NotImplemented else result

    def prepare(self, signature: str, args: tuple[Any, ...]) -> Callable[..., Any] | None:
        """Load or compile the kernel for some types of arguments.

        Parameters
        ----------
        signature
            The types, as `mien.runtime.machine_code.describe` tells them.
        args
            Arguments of these types.

        Returns
        -------
        callable or None
            The entry point; None where only Numba can call it.
        """
        path = machine_code.path_of(f"{self.__module__}.{self._name}", signature)
        data = machine_code.read(path)
        if data is None:
            from mien.runtime.entry_points import compile_kernel

            for tell in LISTENERS:
                tell()
            data = machine_code.pack(compile_kernel(self.dispatcher, args))
            machine_code.write(path, data)
        entry = machine_code.load(data, self._name)
        if entry is not None:
            self._entries.append(entry)
        return entry

    @cached_property
    def dispatcher(self) -> Any:
        """Numba's view of the kernel: compiles it, on its own or as a part of others."""
        from numba import njit

        options: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
        return njit(**options, **self.targetoptions)(self.py_func)

    @cached_property
    def _by_numba(self) -> Any:
        """For arguments and results that have no entry point of ours."""
        import numba

        configuration: Any = numba.config
        configuration.CACHE_DIR = configuration.CACHE_DIR or str(machine_code.folder())
        return numba.njit(cache=True, **self.targetoptions)(self.py_func)

    @property
    def _numba_type_(self) -> Any:
        """What Numba asks for when the kernel is called by another one."""
        return self.dispatcher._numba_type_


class Intrinsic:
    """A piece of LLVM code inside kernels; Numba is only asked to know it when a kernel is compiled.

    Parameters
    ----------
    function
        As for `numba.extending.intrinsic`.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    @cached_property
    def _numba_type_(self) -> Any:
        """What Numba asks for when a kernel calls it."""
        from numba.core.registry import cpu_target
        from numba.extending import intrinsic

        self._known = intrinsic(self._function)
        cpu_target.typing_context.refresh()
        return cpu_target.typing_context.resolve_value_type(self._known)


def kernel(function: Any) -> Any:
    """Compile with IEEE arithmetic exactly as written.

    ``fastmath`` is switched off explicitly: left out, a kernel that is first compiled on behalf of a fast one
    would inherit the fast one's flags.
    """
    return Kernel(function, {"nogil": True, "error_model": "numpy", "fastmath": False})


def fast_kernel(function: Any) -> Any:
    """Compile with sums that may be reordered and fused, so that they vectorise."""
    return Kernel(function, {"nogil": True, "error_model": "numpy", "fastmath": FASTMATH})


def intrinsic(function: Any) -> Any:
    """Make a function that writes LLVM code usable in kernels; see `Intrinsic`."""
    return Intrinsic(function)

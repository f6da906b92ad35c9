"""Machine code of kernels: where it is kept, how it is loaded, which arguments it is for.

A file holds two object files as LLVM makes them: the kernel, and the entry point through which Python calls
it (`mien.runtime.entry_points`). Loading needs LLVM's dynamic linker and nothing of Numba.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from mien.runtime.array_cache import cache_folder

Code = tuple[bytes, ...]
"""Object files that belong together; none where the kernel cannot have an entry point."""

ENTRY = "mien_entry"
"""Symbol of the entry point."""
_MAGIC = b"mien1\n"
_METH_FASTCALL = 0x80

SCALARS = {np.dtype(kind).num: np.dtype(kind) for kind in "bhilBHILfd?"}
"""Types that entry points know, as elements of arrays; by NumPy's number."""
SYMBOLS = {
    "mien_ndarray": np.ndarray,
    "mien_int": int,
    "mien_float": float,
    "mien_tuple": tuple,
    "mien_None": None,
    "mien_True": True,
    "mien_False": False,
    "mien_numpy_True": np.True_,
    "mien_numpy_False": np.False_,
    "mien_NotImplemented": NotImplemented,
    "mien_ValueError": ValueError,
    **{f"mien_{dtype.str[1:]}": dtype.type for dtype in SCALARS.values() if dtype.kind != "b"},
}
"""Objects that entry points compare with."""


def _is_supported() -> bool:
    """Entry points read CPython's objects as they lie in memory."""
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    return bool(sys.implementation.name == "cpython" and gil and sys.maxsize > 2**32)


SUPPORTED = _is_supported()


def describe(args: tuple[Any, ...]) -> str | None:
    """Types of arguments as a text; None where some are not for entry points."""
    if not SUPPORTED:
        return None
    parts = [_describe(value) for value in args]
    return None if None in parts else " ".join(parts)  # type: ignore[arg-type]


def _describe(value: Any) -> str | None:
    kind = type(value)
    if kind is np.ndarray:
        flags, dtype = value.flags, value.dtype
        if dtype.num not in SCALARS or not (dtype.isnative and flags.aligned):
            return None
        layout = "C" if flags.c_contiguous else "F" if flags.f_contiguous else "A"
        return f"{dtype.str[1:]}{value.ndim}{layout}{'' if flags.writeable else 'r'}"
    if kind is tuple:
        inner = describe(value)
        return None if inner is None or not value else f"({inner})"
    if value is None:
        return "None"
    if kind is bool or kind is np.bool_:
        return "b1"
    if kind is int:
        return "i8" if -(2**63) <= value < 2**63 else None
    if kind is float:
        return "f8"
    if isinstance(value, np.generic) and value.dtype.num in SCALARS:
        return value.dtype.str[1:]
    return None


@cache
def folder() -> Path:
    """Where the machine code of exactly these kernels, for this processor, is kept."""
    from llvmlite import binding

    digest = hashlib.sha256()
    package = Path(__file__).parent.parent
    own = (package / "runtime" / f"{name}.py" for name in _DECIDING)
    for path in sorted([*package.rglob("*kernels.py"), *own]):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    about = [version("numba"), version("llvmlite"), np.__version__, sys.implementation.cache_tag]
    about += [binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()]
    digest.update("\n".join(map(str, about)).encode())
    return cache_folder() / "kernels" / digest.hexdigest()[:16]


_DECIDING = ("jit", "vector_math", "dense_block", "entry_points", "machine_code")
"""Modules of this package that decide what is compiled."""


def path_of(name: str, signature: str) -> Path:
    """File of a kernel for arguments of some types."""
    return folder() / f"{name}-{hashlib.sha256(signature.encode()).hexdigest()[:12]}.code"


def read(path: Path) -> Code | None:
    """Read a file of machine code; None where there is none."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if not data.startswith(_MAGIC):
        return None
    parts, at = [], len(_MAGIC)
    while at < len(data):
        size = int.from_bytes(data[at : at + 8], "little")
        parts.append(data[at + 8 : at + 8 + size])
        at += 8 + size
    return tuple(parts)


def write(path: Path, code: Code) -> None:
    """Write a file of machine code, whole or not at all; where that is impossible, nothing is kept."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
        with os.fdopen(handle, "wb") as file:
            file.write(_MAGIC)
            for part in code:
                file.write(len(part).to_bytes(8, "little"))
                file.write(part)
        os.replace(name, path)


class _Method(ctypes.Structure):
    """CPython's PyMethodDef."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


@cache
def _machine() -> Any:
    """LLVM's description of this machine, as Numba has it compile for."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    for name, value in SYMBOLS.items():
        binding.add_symbol(name, id(value))
    target = binding.Target.from_triple(binding.get_process_triple())
    return target.create_target_machine(opt=0, codemodel="jitdefault", jit=True)


_loaded: list[Any] = []
"""What must live as long as the kernels: memory of the code, and what Python points to."""


def load(code: Code, name: str) -> Callable[..., Any] | None:
    """Make machine code callable; None where it has no entry point."""
    if not code:
        return None
    from llvmlite import binding

    machine = _machine()
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), machine)
    for part in code:
        engine.add_object_file(binding.ObjectFileRef.from_data(part))
    engine.finalize_object()
    method = _Method(name.encode(), engine.get_function_address(ENTRY), _METH_FASTCALL, None)
    _loaded.append((engine, method))
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.argtypes, make.restype = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p), ctypes.py_object
    function: Callable[..., Any] = make(ctypes.addressof(method), None, None)
    return function

"""Machine code of kernels: where it is kept, how it is loaded, which arguments it is for.

A file holds the kernel and the entry point through which Python calls it (`mien.runtime.entry_points`),
joined to one image (`mien.runtime.linking`): loading it is reading it, entering some addresses and
declaring it code. Where the object files that LLVM made can't be joined, the file holds them as they are,
and LLVM's linker, which a process then has to load, does it every time. On other systems than Linux on
x86-64, where none of this was tried, Numba runs the kernels and keeps them in its own cache.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import logging
import mmap
import os
import platform
import struct
import sys
import tempfile
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from mien.runtime.array_cache import cache_folder
from mien.runtime.versions import version_of

logger = logging.getLogger(__name__)

ENTRY = "mien_entry"
"""Symbol of the entry point."""
_NOTHING, _IMAGE, _OBJECTS = _KINDS = (b"mien nothing\n", b"mien image\n", b"mien objects\n")
"""Begin of a file, by what it holds."""
_METH_FASTCALL = 0x80
_WORD = struct.Struct("<Q")

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
    """Entry points read CPython's objects as they lie in memory; only where that was tried are they used."""
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    tried = sys.platform == "linux" and platform.machine() == "x86_64"
    return bool(sys.implementation.name == "cpython" and gil and tried)


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
    digest = hashlib.sha256()
    package = Path(__file__).parent.parent
    for path in sorted([*package.rglob("*kernels.py"), *(package / "runtime").glob("*.py")]):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    about = [version_of("numba"), version_of("llvmlite"), np.__version__, sys.implementation.cache_tag]
    digest.update("\n".join([*map(str, about), _processor()]).encode())
    return cache_folder() / "kernels" / digest.hexdigest()[:16]


def _processor() -> str:
    """What tells processors apart that need different code: model and features."""
    with contextlib.suppress(OSError), Path("/proc/cpuinfo").open("rb") as file:
        first = file.read(8192).partition(b"\n\n")[0].decode(errors="replace")
        told = ("vendor_id", "model name", "flags", "CPU implementer", "CPU part", "Features")
        lines = [line for line in first.splitlines() if line.startswith(told)]
        if len(lines) > 1:
            return "\n".join(lines)
    from llvmlite import binding

    return f"{binding.get_host_cpu_name()} {binding.get_host_cpu_features().flatten()}"


def path_of(name: str, signature: str) -> Path:
    """File of a kernel for arguments of some types."""
    return folder() / f"{name}-{hashlib.sha256(signature.encode()).hexdigest()[:12]}.code"


def read(path: Path) -> bytes | None:
    """Read a file of machine code; None where there is none, or a damaged one."""
    try:
        file = path.read_bytes()
    except OSError:
        return None
    data, checksum = file[:-4], file[-4:]
    return data if data.startswith(_KINDS) and checksum == _checksum(data) else None


def _checksum(data: bytes) -> bytes:
    """Four bytes by which a damaged file is known: to run it would end the process."""
    return zlib.crc32(data).to_bytes(4, "little")


def write(path: Path, data: bytes) -> None:
    """Write a file of machine code, whole or not at all; where that is impossible, nothing is kept."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
        with os.fdopen(handle, "wb") as file:
            file.write(data + _checksum(data))
        os.replace(name, path)


def pack(objects: tuple[bytes, ...]) -> bytes:
    """Put object files into the form in which machine code is kept.

    Parameters
    ----------
    objects
        Object files that belong together; none where a kernel can't have an entry point.
    """
    if not objects:
        return _NOTHING
    from mien.runtime.linking import NotPlainError, link

    try:
        if not hasattr(mmap, "PROT_EXEC"):
            raise NotPlainError("no pages of code")
        image = link(objects, ENTRY)
    except NotPlainError as error:
        logger.debug("left to LLVM: %s", error)
        return _OBJECTS + b"".join(len(part).to_bytes(8, "little") + part for part in objects)
    head = json.dumps({"entry": image.entry, "own": image.own, "foreign": image.foreign}).encode()
    return _IMAGE + len(head).to_bytes(8, "little") + head + image.data


class _Method(ctypes.Structure):
    """CPython's PyMethodDef."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


_loaded: list[Any] = []
"""What must live as long as the kernels: memory of the code, and what Python points to."""


def load(data: bytes, name: str) -> Callable[..., Any] | None:
    """Make machine code callable; None where it has no entry point.

    Parameters
    ----------
    data
        As `pack` gives it.
    name
        What the function is called.
    """
    if data.startswith(_NOTHING):
        return None
    place = _place_image if data.startswith(_IMAGE) else _place_objects
    keep, address = place(data)
    method = _Method(name.encode(), address, _METH_FASTCALL, None)
    _loaded.append((keep, method))
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.argtypes, make.restype = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p), ctypes.py_object
    function: Callable[..., Any] = make(ctypes.addressof(method), None, None)
    return function


def _place_image(data: bytes) -> tuple[Any, int]:
    """Put an image into pages of its own; give the pages and the address of the entry point."""
    begin = len(_IMAGE) + 8
    size = int.from_bytes(data[begin - 8 : begin], "little")
    head, code = json.loads(data[begin : begin + size]), bytearray(data[begin + size :])
    pages = mmap.mmap(-1, len(code), prot=mmap.PROT_READ | mmap.PROT_WRITE)
    base = ctypes.addressof(ctypes.c_char.from_buffer(pages))
    for at in head["own"]:
        _add_to_word(code, at, base)
    for symbol, places in head["foreign"].items():
        for at in places:
            _add_to_word(code, at, _address_of(symbol))
    pages[:] = bytes(code)
    libc = ctypes.CDLL(None, use_errno=True)
    protection = mmap.PROT_READ | mmap.PROT_EXEC
    if libc.mprotect(ctypes.c_void_p(base), ctypes.c_size_t(len(code)), protection):
        raise OSError(ctypes.get_errno(), "the system does not let memory hold compiled kernels")
    return pages, base + head["entry"]


def _add_to_word(code: bytearray, at: int, value: int) -> None:
    (word,) = _WORD.unpack_from(code, at)
    _WORD.pack_into(code, at, (word + value) & (2**64 - 1))


@cache
def _address_of(symbol: str) -> int:
    """Address of an object of `SYMBOLS`, or of a function of Python or the C library."""
    if symbol in SYMBOLS:
        return id(SYMBOLS[symbol])
    library = ctypes.pythonapi if symbol.startswith("Py") else ctypes.CDLL(None)
    address = ctypes.cast(getattr(library, symbol), ctypes.c_void_p).value
    assert address is not None
    return address


def _place_objects(data: bytes) -> tuple[Any, int]:
    """Have LLVM link object files."""
    from llvmlite import binding

    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _machine())
    at = len(_OBJECTS)
    while at < len(data):
        size = int.from_bytes(data[at : at + 8], "little")
        engine.add_object_file(binding.ObjectFileRef.from_data(data[at + 8 : at + 8 + size]))
        at += 8 + size
    engine.finalize_object()
    return engine, engine.get_function_address(ENTRY)


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

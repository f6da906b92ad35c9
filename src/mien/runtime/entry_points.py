"""Compiles a kernel with Numba and writes the entry point through which Python calls it.

Numba's own entry points need Numba at run time. Ours read the arguments directly: they decline (by returning
NotImplemented) what the kernel was not compiled for, release the interpreter's lock, and call the kernel by
Numba's convention. Arrays belong to the caller, who keeps them during the call; memory for arrays that a
kernel makes for itself comes from the C library.
"""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import binding, ir
from numba.core import cgutils, types
from numba.np import numpy_support
from numba.np.arrayobj import populate_array

from mien.runtime.machine_code import ENTRY

_INT8, _INT32, _INT64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
_POINTER = _INT8.as_pointer()
_BOOL = ir.IntType(1)

# Where CPython and NumPy (PyArrayObject_fields, PyArray_Descr) keep what is read here, in bytes.
_TYPE, _VALUE, _TUPLE_SIZE = 8, 16, 16
_TUPLE_ITEMS = tuple.__basicsize__
_DATA, _NDIM, _SHAPE, _STRIDES, _DESCR, _FLAGS = 16, 24, 32, 40, 56, 64
_BYTEORDER, _TYPE_NUMBER = 26, 28
_C_CONTIGUOUS, _F_CONTIGUOUS, _ALIGNED, _WRITEABLE = 0x1, 0x2, 0x100, 0x400

_PROVIDED = {"NRT_MemInfo_alloc_aligned", "NRT_MemInfo_call_dtor", "numba_attempt_nocopy_reshape"}
"""What kernels call of Numba's runtime and is written here instead."""
_HEADER = 64
"""Bytes before the data of an array that a kernel makes; Numba's MemInfo takes 48 of them."""


def compile_kernel(dispatcher: Any, args: tuple[Any, ...]) -> tuple[bytes, ...]:
    """Compile a kernel for arguments of the given types.

    Parameters
    ----------
    dispatcher
        Numba's dispatcher, without wrappers.
    args
        Arguments as in a call.

    Returns
    -------
    tuple of bytes
        Object files: the kernel and its entry point; empty where it needs what only Numba's runtime gives.
    """
    argument_types = tuple(numba.typeof(value) for value in args)
    dispatcher.compile(argument_types)
    result = dispatcher.overloads[argument_types]
    try:
        entry = _EntryPoint(result).build()
    except _NotPossibleError:
        return ()
    if not _is_self_contained(result.library._final_module):
        return ()
    machine = result.target_context.codegen()._tm
    module = binding.parse_assembly(str(entry))
    module.verify()
    return (result.library._get_compiled_object(), machine.emit_object(module))


class _NotPossibleError(Exception):
    """There is no entry point for such a type."""


def _is_self_contained(module: Any) -> bool:
    """Whether all that a kernel refers to is there without Numba."""
    text = str(module)
    values = (*module.functions, *module.global_variables)
    declared = [value.name for value in values if value.is_declaration]
    used = [name for name in declared if not name.startswith("llvm.") and _uses(text, name) > 1]
    ours = ("numba", "NRT_", "nrt_", "Py", "_Py", ".numba")
    return all(
        name in _PROVIDED or (not name.startswith(ours) and binding.address_of_symbol(name)) for name in used
    )


def _uses(text: str, name: str) -> int:
    return text.count(f"@{name}(") + text.count(f'@"{name}"') + text.count(f"@{name} ")


class _EntryPoint:
    """Writes ``PyObject *entry(PyObject *self, PyObject *const *args, Py_ssize_t count)``."""

    def __init__(self, compiled: Any) -> None:
        self._context = compiled.target_context
        self._described = compiled.fndesc
        self._module = self._context.codegen()._create_empty_module("entry")
        kind = ir.FunctionType(_POINTER, [_POINTER, _POINTER.as_pointer(), _INT64])
        self._function = ir.Function(self._module, kind, ENTRY)
        self._builder = ir.IRBuilder(self._function.append_basic_block("begin"))
        self._decline = self._function.append_basic_block("decline")

    def build(self) -> Any:
        """Write everything into one module."""
        builder, context = self._builder, self._context
        argument_types, returned = self._described.argtypes, self._described.restype
        _, objects, count = self._function.args
        self._expect(builder.icmp_signed("==", count, _INT64(len(argument_types))))
        items = [builder.load(builder.gep(objects, [_INT64(index)])) for index in range(len(argument_types))]
        values = [self._unbox(kind, item) for kind, item in zip(argument_types, items, strict=True)]
        callee = context.declare_function(self._module, self._described)
        state = self._call("PyEval_SaveThread", _POINTER, [])
        status, result = context.call_conv.call_function(builder, callee, returned, argument_types, values)
        self._call("PyEval_RestoreThread", ir.VoidType(), [state])
        with builder.if_then(status.is_error, likely=False):
            text = f"{self._described.qualname}: sizes of arrays do not fit one another"
            message = self._context.insert_const_string(self._module, text)
            self._call(
                "PyErr_SetString",
                ir.VoidType(),
                [self._object("mien_ValueError"), builder.bitcast(message, _POINTER)],
            )
            builder.ret(ir.Constant(_POINTER, None))
        builder.ret(self._box(returned, result))
        builder.position_at_end(self._decline)
        builder.ret(self._new_reference("mien_NotImplemented"))
        _write_allocation(self._module)
        _write_reshape(self._module)
        return self._module

    def _expect(self, condition: Any) -> None:
        """Go on only where it is true."""
        further = self._function.append_basic_block()
        self._builder.cbranch(condition, further, self._decline)
        self._builder.position_at_end(further)

    def _field(self, item: Any, offset: int, kind: Any) -> Any:
        """Read what lies some bytes after the begin of an object."""
        address = self._builder.gep(item, [_INT64(offset)])
        return self._builder.load(self._builder.bitcast(address, kind.as_pointer()))

    def _object(self, name: str) -> Any:
        """Address of an object of `mien.runtime.machine_code.SYMBOLS`."""
        known = self._module.globals.get(name)
        return known or ir.GlobalVariable(self._module, _INT8, name)

    def _new_reference(self, name: str) -> Any:
        item = self._object(name)
        self._call("Py_IncRef", ir.VoidType(), [item])
        return item

    def _call(self, name: str, returned: Any, args: list[Any]) -> Any:
        kind = ir.FunctionType(returned, [value.type for value in args])
        function = cgutils.get_or_insert_function(self._module, kind, name)
        return self._builder.call(function, args)

    def _is(self, item: Any, name: str) -> Any:
        return self._builder.icmp_unsigned("==", item, self._object(name))

    def _has_type(self, item: Any, name: str) -> Any:
        return self._is(self._field(item, _TYPE, _POINTER), name)

    def _unbox(self, kind: Any, item: Any) -> Any:
        """Value of an argument; declines objects of other types."""
        if isinstance(kind, types.Array):
            return self._unbox_array(kind, item)
        if isinstance(kind, types.BaseTuple) and not isinstance(kind, types.BaseNamedTuple):
            return self._unbox_tuple(kind, item)
        if kind == types.none:
            self._expect(self._is(item, "mien_None"))
            return self._context.get_dummy_value()
        if kind == types.boolean:
            return self._unbox_boolean(item)
        if kind in (types.int64, types.float64):
            return self._unbox_number(kind, item)
        if isinstance(kind, types.Integer | types.Float):
            self._expect(self._has_type(item, _type_name(kind)))
            return self._field(item, _VALUE, self._context.get_value_type(kind))
        raise _NotPossibleError

    def _unbox_boolean(self, item: Any) -> Any:
        builder = self._builder
        true = builder.or_(self._is(item, "mien_True"), self._is(item, "mien_numpy_True"))
        false = builder.or_(self._is(item, "mien_False"), self._is(item, "mien_numpy_False"))
        self._expect(builder.or_(true, false))
        return true

    def _unbox_number(self, kind: Any, item: Any) -> Any:
        """Python's numbers, or NumPy's of the same type; both keep floats at the same place."""
        builder, name = self._builder, "mien_int" if kind == types.int64 else "mien_float"
        python, numpy = self._has_type(item, name), self._has_type(item, _type_name(kind))
        self._expect(builder.or_(python, numpy))
        value = self._context.get_value_type(kind)
        if kind == types.float64:
            return self._field(item, _VALUE, value)
        out = builder.alloca(value)
        builder.store(self._field(item, _VALUE, value), out)
        with builder.if_then(python):
            number = self._call("PyLong_AsLongLong", _INT64, [item])
            builder.store(number, out)
            with builder.if_then(builder.icmp_signed("==", number, _INT64(-1)), likely=False):
                raised = self._call("PyErr_Occurred", _POINTER, [])
                fine = builder.icmp_unsigned("==", raised, ir.Constant(_POINTER, None))
                with builder.if_then(builder.not_(fine), likely=False):
                    self._call("PyErr_Clear", ir.VoidType(), [])
                    builder.branch(self._decline)
                    builder.position_at_end(self._function.append_basic_block())
        return builder.load(out)

    def _unbox_tuple(self, kind: Any, item: Any) -> Any:
        self._expect(self._has_type(item, "mien_tuple"))
        size = self._field(item, _TUPLE_SIZE, _INT64)
        self._expect(self._builder.icmp_signed("==", size, _INT64(len(kind.types))))
        values = []
        for index, inner in enumerate(kind.types):
            value = self._unbox(inner, self._field(item, _TUPLE_ITEMS + 8 * index, _POINTER))
            values.append(value)
        return self._context.make_tuple(self._builder, kind, values)

    def _unbox_array(self, kind: Any, item: Any) -> Any:
        builder, context = self._builder, self._context
        dtype = numpy_support.as_dtype(kind.dtype)
        self._expect(self._has_type(item, "mien_ndarray"))
        descr = self._field(item, _DESCR, _POINTER)
        flags = self._field(item, _FLAGS, _INT32)
        wanted, looked_at = _expected_flags(kind)
        checks = [
            (self._field(item, _NDIM, _INT32), _INT32(kind.ndim)),
            (self._field(descr, _TYPE_NUMBER, _INT32), _INT32(dtype.num)),
            (builder.and_(flags, _INT32(looked_at)), _INT32(wanted)),
        ]
        for found, expected in checks:
            self._expect(builder.icmp_signed("==", found, expected))
        self._expect(builder.icmp_signed("!=", self._field(descr, _BYTEORDER, _INT8), _INT8(ord(">"))))
        array = context.make_array(kind)(context, builder)
        populate_array(
            array,
            data=builder.bitcast(self._field(item, _DATA, _POINTER), array.data.type),
            shape=self._sizes(item, _SHAPE, kind.ndim),
            strides=self._sizes(item, _STRIDES, kind.ndim),
            itemsize=dtype.itemsize,
            meminfo=None,
        )
        return array._getvalue()

    def _sizes(self, item: Any, offset: int, ndim: int) -> list[Any]:
        sizes = self._field(item, offset, _POINTER)
        return [self._field(sizes, 8 * axis, _INT64) for axis in range(ndim)]

    def _box(self, kind: Any, value: Any) -> Any:
        """Make a Python object of a result, as Numba does."""
        builder, described = self._builder, kind
        if kind == types.none:
            return self._new_reference("mien_None")
        if kind == types.boolean:
            return self._call("PyBool_FromLong", _POINTER, [builder.zext(value, _INT64)])
        if isinstance(kind, types.Integer):
            extend = builder.sext if described.signed else builder.zext
            wide = extend(value, _INT64) if described.bitwidth < 64 else value
            name = "PyLong_FromLongLong" if described.signed else "PyLong_FromUnsignedLongLong"
            return self._call(name, _POINTER, [wide])
        if isinstance(kind, types.Float):
            wide = builder.fpext(value, ir.DoubleType()) if described.bitwidth < 64 else value
            return self._call("PyFloat_FromDouble", _POINTER, [wide])
        if isinstance(kind, types.BaseTuple) and not isinstance(kind, types.BaseNamedTuple):
            made = self._call("PyTuple_New", _POINTER, [_INT64(len(described.types))])
            for index, inner in enumerate(described.types):
                item = self._box(inner, builder.extract_value(value, index))
                self._call("PyTuple_SetItem", _INT32, [made, _INT64(index), item])
            return made
        raise _NotPossibleError


def _type_name(kind: Any) -> str:
    """Symbol of NumPy's type of a scalar."""
    return f"mien_{numpy_support.as_dtype(kind).str[1:]}"


def _expected_flags(kind: Any) -> tuple[int, int]:
    """Flags of an array of a type, and which of them are looked at."""
    if not kind.aligned or not isinstance(kind.dtype, types.Number | types.Boolean):
        raise _NotPossibleError
    wanted, looked_at = _ALIGNED, _ALIGNED | _WRITEABLE | _C_CONTIGUOUS
    if kind.mutable:
        wanted |= _WRITEABLE
    if kind.layout == "C":
        return wanted | _C_CONTIGUOUS, looked_at
    if kind.layout == "F":
        wanted |= _F_CONTIGUOUS
    return wanted, looked_at | _F_CONTIGUOUS


def _write_allocation(module: Any) -> None:
    """Write what Numba's code calls to get and give back the memory of an array."""
    kind = ir.FunctionType(_POINTER, [_INT64, _INT32])
    allocate = ir.Function(module, kind, "NRT_MemInfo_alloc_aligned")
    builder = ir.IRBuilder(allocate.append_basic_block())
    size, alignment = allocate.args[0], builder.zext(allocate.args[1], _INT64)
    take = cgutils.get_or_insert_function(module, ir.FunctionType(_POINTER, [_INT64]), "malloc")
    block = builder.call(take, [builder.add(builder.add(size, alignment), _INT64(_HEADER))])
    with builder.if_then(builder.icmp_unsigned("==", block, ir.Constant(_POINTER, None)), likely=False):
        builder.ret(ir.Constant(_POINTER, None))
    first = builder.add(builder.ptrtoint(block, _INT64), _INT64(_HEADER))
    data = builder.and_(builder.add(first, builder.sub(alignment, _INT64(1))), builder.neg(alignment))
    words = builder.bitcast(block, _INT64.as_pointer())
    # Count of references, destructor and its argument, data, size, foreign allocator.
    for index, word in enumerate((_INT64(1), _INT64(0), _INT64(0), data, size, _INT64(0))):
        builder.store(word, builder.gep(words, [_INT64(index)]))
    builder.ret(block)
    release = ir.Function(module, ir.FunctionType(ir.VoidType(), [_POINTER]), "NRT_MemInfo_call_dtor")
    builder = ir.IRBuilder(release.append_basic_block())
    give = cgutils.get_or_insert_function(module, ir.FunctionType(ir.VoidType(), [_POINTER]), "free")
    builder.call(give, [release.args[0]])
    builder.ret_void()


def _write_reshape(module: Any) -> None:
    """Write what gives a contiguous array's memory another shape: the new strides, last axis first."""
    sizes = _INT64.as_pointer()
    kind = ir.FunctionType(_INT32, [_INT64, sizes, sizes, _INT64, sizes, sizes, _INT64, _INT32])
    function = ir.Function(module, kind, "numba_attempt_nocopy_reshape")
    builder = ir.IRBuilder(function.append_basic_block())
    ndim, _, old_strides, new_ndim, new_shape, new_strides, itemsize, _ = function.args
    last = builder.load(builder.gep(old_strides, [builder.sub(ndim, _INT64(1))]))
    with builder.if_then(builder.icmp_signed("!=", last, itemsize)):
        builder.ret(_INT32(0))
    step = builder.alloca(_INT64)
    builder.store(itemsize, step)
    with cgutils.for_range(builder, new_ndim) as loop:
        axis = [builder.sub(builder.sub(new_ndim, _INT64(1)), loop.index)]
        builder.store(builder.load(step), builder.gep(new_strides, axis))
        builder.store(builder.mul(builder.load(step), builder.load(builder.gep(new_shape, axis))), step)
    builder.ret(_INT32(1))

"""LLVM code of the intrinsics in `mien.runtime.dense_block`; imported only where kernels are compiled."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from mien.runtime import vector_ir as v
from mien.runtime.dense_block import PIXELS, ROWS
from mien.runtime.lanes import FLOAT_BYTES, LANES

_PIXELS = ir.VectorType(v.FLOAT, PIXELS)


def write_dense_block(vectors: int) -> tuple[Any, Any]:
    """Signature and code of `mien.runtime.dense_block.dense_block_1`, ``_2`` or ``_3``."""
    signature = types.void(*[types.intp] * 7, types.float32, types.intp, types.intp)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        inputs, input_step, count, panel, bias, out, out_step, floor, ahead, ahead_step = arguments
        # Allocated here, these become registers.
        sums = [[v.variable(builder) for _ in range(vectors)] for _ in range(ROWS)]
        for row in sums:
            for k, total in enumerate(row):
                builder.store(v.load(builder, bias, v.integer(k * LANES)), total)
        rows = [_shifted(builder, inputs, input_step, r) for r in range(ROWS)]
        with cgutils.for_range(builder, count) as step:
            _prefetch(builder, builder.add(ahead, builder.mul(step.index, ahead_step)))
            line = builder.mul(step.index, v.integer(vectors * LANES))
            _accumulate(builder, rows, step.index, panel, line, sums)
        lowest = v.splat(builder, floor)
        for r, row in enumerate(sums):
            target = _shifted(builder, out, out_step, r)
            for k, total in enumerate(row):
                value = v.at_least(builder, builder.load(total), lowest)
                v.store(builder, value, target, v.integer(k * LANES))
        return context.get_dummy_value()

    return signature, generate


def _accumulate(builder: Any, rows: Any, k: Any, panel: Any, line: Any, sums: Any) -> None:
    """Add the products of one input of every row with its line of weights."""
    weights = [v.load(builder, panel, builder.add(line, v.integer(i * LANES))) for i in range(len(sums[0]))]
    for row, totals in zip(rows, sums, strict=True):
        value = v.splat(builder, v.load(builder, row, k, v.FLOAT))
        for weight, total in zip(weights, totals, strict=True):
            builder.store(v.multiply_add(builder, value, weight, builder.load(total)), total)


def _shifted(builder: Any, base: Any, step: Any, times: int) -> Any:
    """Address of a row."""
    return builder.add(base, builder.mul(builder.mul(step, v.integer(times)), v.integer(FLOAT_BYTES)))


def _prefetch(builder: Any, address: Any) -> None:
    """Ask for a cache line that will be read soon."""
    pointer = builder.inttoptr(address, ir.IntType(8).as_pointer())
    kind = ir.FunctionType(ir.VoidType(), [pointer.type, v.INT32, v.INT32, v.INT32])
    name = f"llvm.prefetch.{pointer.type.intrinsic_name}"
    function = cgutils.get_or_insert_function(builder.module, kind, name)  # type: ignore[no-untyped-call]
    read, second_level, data = (ir.Constant(v.INT32, value) for value in (0, 2, 1))
    builder.call(function, [pointer, read, second_level, data])


def write_normalise_pixels() -> tuple[Any, Any]:
    """Signature and code of `mien.runtime.dense_block.normalise_pixels`."""
    signature = types.void(types.intp, types.float32, types.float32, types.intp)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, mean, scale, out = arguments
        pixels = v.load(builder, source, v.integer(0), _PIXELS)
        centred = builder.fsub(pixels, v.splat(builder, mean, _PIXELS))
        v.store(builder, builder.fmul(centred, v.splat(builder, scale, _PIXELS)), out, v.integer(0))
        return context.get_dummy_value()

    return signature, generate

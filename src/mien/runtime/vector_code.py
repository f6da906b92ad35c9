"""LLVM code of the intrinsics in `mien.runtime.vector_math`; imported only where kernels are compiled."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

_FLOAT, _INT32, _INT64 = ir.FloatType(), ir.IntType(32), ir.IntType(64)


def write_block_product(lanes: int, rows: int) -> tuple[Any, Any]:
    """Signature and code of `mien.runtime.vector_math.block_product`."""
    vector_type = ir.VectorType(_FLOAT, lanes)
    signature = types.void(*[types.intp] * 9)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        right, outer, outer_step, inner, inner_step, left, left_step, out, out_step = arguments
        zero = ir.Constant(vector_type, [0.0] * lanes)
        sums = [cgutils.alloca_once(builder, vector_type) for _ in range(rows)]
        for total in sums:
            builder.store(zero, total)
        with cgutils.for_range(builder, outer) as k, cgutils.for_range(builder, inner) as i:
            offset = builder.add(builder.mul(k.index, outer_step), builder.mul(i.index, inner_step))
            vector = _load(builder, right, offset, vector_type)
            row = builder.mul(builder.add(builder.mul(k.index, inner), i.index), left_step)
            for j, total in enumerate(sums):
                scalar = _load(builder, left, builder.add(row, ir.Constant(_INT64, j)), _FLOAT)
                product = builder.fmul(_splat(builder, scalar, lanes), vector, flags=("contract",))
                builder.store(builder.fadd(builder.load(total), product, flags=("contract",)), total)
        for j, total in enumerate(sums):
            offset = builder.mul(ir.Constant(_INT64, j), out_step)
            builder.store(builder.load(total), _address(builder, out, offset, vector_type), align=4)
        return context.get_dummy_value()

    return signature, generate


def _address(builder: Any, base: Any, offset: Any, kind: Any) -> Any:
    """Pointer to the float ``offset`` places after the address ``base``."""
    return builder.inttoptr(builder.add(base, builder.mul(offset, ir.Constant(_INT64, 4))), kind.as_pointer())


def _load(builder: Any, base: Any, offset: Any, kind: Any) -> Any:
    return builder.load(_address(builder, base, offset, kind), align=4)


def _splat(builder: Any, scalar: Any, lanes: int) -> Any:
    """Vector whose every lane is ``scalar``."""
    undefined = ir.Constant(ir.VectorType(_FLOAT, lanes), ir.Undefined)
    lane = builder.insert_element(undefined, scalar, ir.Constant(_INT32, 0))
    return builder.shuffle_vector(lane, undefined, ir.Constant(ir.VectorType(_INT32, lanes), [0] * lanes))

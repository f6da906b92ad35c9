"""LLVM code of the intrinsics in `mien.runtime.vector_math`; imported only where kernels are compiled."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from mien.runtime import vector_ir as v


def write_block_product(lanes: int, rows: int) -> tuple[Any, Any]:
    """Signature and code of `mien.runtime.vector_math.block_product`."""
    kind = ir.VectorType(v.FLOAT, lanes)
    signature = types.void(*[types.intp] * 9)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        right, outer, outer_step, inner, inner_step, left, left_step, out, out_step = arguments
        sums = [v.variable(builder, kind) for _ in range(rows)]
        for total in sums:
            builder.store(v.constant(0.0, kind), total)
        with cgutils.for_range(builder, outer) as k, cgutils.for_range(builder, inner) as i:
            offset = builder.add(builder.mul(k.index, outer_step), builder.mul(i.index, inner_step))
            vector = v.load(builder, right, offset, kind)
            row = builder.mul(builder.add(builder.mul(k.index, inner), i.index), left_step)
            for j, total in enumerate(sums):
                scalar = v.load(builder, left, builder.add(row, v.integer(j)), v.FLOAT)
                product = v.multiply_add(builder, v.splat(builder, scalar, kind), vector, builder.load(total))
                builder.store(product, total)
        for j, total in enumerate(sums):
            v.store(builder, builder.load(total), out, builder.mul(v.integer(j), out_step))
        return context.get_dummy_value()

    return signature, generate

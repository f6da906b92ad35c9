"""LLVM code of the intrinsics in `mien.runtime.fit_block`; imported only where kernels are compiled."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils

from mien.runtime import vector_ir as v
from mien.runtime.lanes import LANES


def write_weighted_sums() -> tuple[Any, Any]:
    """Signature and code of `mien.runtime.fit_block.weighted_sums`."""
    signature = types.void(*[types.intp] * 6)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        maps, step, window, kernel_x, kernel_y, out = arguments
        total, sum_x, sum_y, row_total, row_x = (v.variable(builder) for _ in range(5))
        for sums in (total, sum_x, sum_y):
            builder.store(v.constant(0.0), sums)
        with cgutils.for_range(builder, window) as r:
            for sums in (row_total, row_x):
                builder.store(v.constant(0.0), sums)
            with cgutils.for_range(builder, window) as c:
                line = builder.add(builder.mul(r.index, window), c.index)
                q = builder.fmul(
                    v.load(builder, maps, builder.mul(line, step)),
                    v.load(builder, kernel_x, builder.mul(c.index, step)),
                )
                builder.store(builder.fadd(builder.load(row_total), q), row_total)
                _add_product(builder, row_x, _as_vector(builder, c.index), q)
            weight = v.load(builder, kernel_y, builder.mul(r.index, step))
            q = builder.fmul(weight, builder.load(row_total))
            builder.store(builder.fadd(builder.load(total), q), total)
            _add_product(builder, sum_y, _as_vector(builder, r.index), q)
            _add_product(builder, sum_x, weight, builder.load(row_x))
        for k, sums in enumerate((total, sum_x, sum_y)):
            v.store(builder, builder.load(sums), out, builder.mul(v.integer(k), step))
        return context.get_dummy_value()

    return signature, generate


def _as_vector(builder: Any, index: Any) -> Any:
    return v.splat(builder, builder.sitofp(index, v.FLOAT))


def _add_product(builder: Any, target: Any, a: Any, b: Any) -> None:
    builder.store(v.multiply_add(builder, a, b, builder.load(target)), target)


def write_subtract_rows() -> tuple[Any, Any]:
    """Signature and code of `mien.runtime.fit_block.subtract_rows`."""
    signature = types.void(*[types.intp] * 5)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, rows, coefficients, step, count = arguments
        sums = [v.variable(builder) for _ in range(2)]
        builder.store(v.constant(0.0), sums[0])
        builder.store(v.constant(0.0), sums[1])
        half = builder.lshr(count, v.integer(1))
        with cgutils.for_range(builder, half) as pair:
            first = builder.mul(builder.shl(pair.index, v.integer(1)), step)
            _add_row(builder, sums[0], coefficients, rows, first)
            _add_row(builder, sums[1], coefficients, rows, builder.add(first, step))
        odd = builder.icmp_unsigned("==", builder.and_(count, v.integer(1)), v.integer(1))
        with builder.if_then(odd):
            _add_row(
                builder, sums[0], coefficients, rows, builder.mul(builder.sub(count, v.integer(1)), step)
            )
        total = builder.fadd(builder.load(sums[0]), builder.load(sums[1]))
        zero = v.integer(0)
        v.store(builder, builder.fsub(v.load(builder, target, zero), total), target, zero)
        return context.get_dummy_value()

    return signature, generate


def _add_row(builder: Any, target: Any, coefficients: Any, rows: Any, offset: Any) -> None:
    coefficient = v.splat(builder, v.load(builder, coefficients, offset, v.FLOAT))
    _add_product(builder, target, coefficient, v.load(builder, rows, offset))


def write_dot_product() -> tuple[Any, Any]:
    """Signature and code of `mien.runtime.fit_block.dot_product`."""
    signature = types.float32(*[types.intp] * 3)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        a, b, vectors = arguments
        total = v.variable(builder)
        builder.store(v.constant(0.0), total)
        with cgutils.for_range(builder, vectors) as k:
            offset = builder.mul(k.index, v.integer(LANES))
            _add_product(builder, total, v.load(builder, a, offset), v.load(builder, b, offset))
        return v.horizontal_sum(builder, builder.load(total))

    return signature, generate

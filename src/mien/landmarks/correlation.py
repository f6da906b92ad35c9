"""The innermost loop of the patch experts, written for the vector registers.

LLVM does not keep the sums of several neurons in registers across the taps by itself, which costs a factor
of four. So this one loop is emitted as vector instructions; its readable twin stands in the tests.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 16
"""Positions that are correlated at once; LLVM splits the vectors to what the processor has."""
GROUP = 7
"""Neurons that are correlated at once; a CCNF patch expert has seven."""

_FLOAT = ir.FloatType()
_VECTOR = ir.VectorType(_FLOAT, LANES)
_INT64 = ir.IntType(64)


@intrinsic
def correlate_block(
    typing_context: Any,
    columns: Any,
    stride: Any,
    step: Any,
    taps: Any,
    weights: Any,
    out: Any,
    out_stride: Any,
) -> Any:
    """Correlate 7 filters of taps x taps weights with 16 neighbouring positions.

    All arguments are intp; ``columns``, ``weights`` and ``out`` are addresses of float32. With
    c = columns + k * stride + i * step: out[j * out_stride + p] = sum over k, i of
    weights[(k * taps + i) * 7 + j] * c[p] for p in 0..15.
    """
    signature = types.void(*[types.intp] * 7)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        columns, stride, step, taps, weights, out, out_stride = arguments
        sums = [cgutils.alloca_once_value(builder, ir.Constant(_VECTOR, [0.0] * LANES)) for _ in range(GROUP)]
        for total in sums:
            builder.store(ir.Constant(_VECTOR, [0.0] * LANES), total)
        with cgutils.for_range(builder, taps) as outer:
            column = builder.mul(outer.index, stride)
            first = builder.mul(outer.index, taps)
            with cgutils.for_range(builder, taps) as inner:
                offset = builder.add(column, builder.mul(inner.index, step))
                pixels = _load(builder, columns, offset, _VECTOR)
                tap = builder.mul(builder.add(first, inner.index), ir.Constant(_INT64, GROUP))
                for j, total in enumerate(sums):
                    weight = _load(builder, weights, builder.add(tap, ir.Constant(_INT64, j)), _FLOAT)
                    product = builder.fmul(_splat(builder, weight), pixels, flags=("contract",))
                    builder.store(builder.fadd(builder.load(total), product, flags=("contract",)), total)
        for j, total in enumerate(sums):
            offset = builder.mul(ir.Constant(_INT64, j), out_stride)
            builder.store(builder.load(total), _address(builder, out, offset, _VECTOR), align=4)
        return context.get_dummy_value()

    return signature, generate


def _address(builder: Any, base: Any, offset: Any, kind: Any) -> Any:
    """Pointer to the float ``offset`` places after the address ``base``."""
    return builder.inttoptr(builder.add(base, builder.mul(offset, ir.Constant(_INT64, 4))), kind.as_pointer())


def _load(builder: Any, base: Any, offset: Any, kind: Any) -> Any:
    return builder.load(_address(builder, base, offset, kind), align=4)


def _splat(builder: Any, scalar: Any) -> Any:
    """Vector whose every lane is ``scalar``."""
    lane = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(
        lane,
        ir.Constant(_VECTOR, ir.Undefined),
        ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES),
    )

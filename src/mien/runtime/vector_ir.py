"""Words for writing vector code: LLVM instructions by what they do.

Imported only where kernels are compiled. Addresses are intp (bytes); LLVM is told that they are aligned to a
float only.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils

from mien.runtime.lanes import FLOAT_BYTES, LANES

FLOAT = ir.FloatType()
INT32 = ir.IntType(32)
INT64 = ir.IntType(64)


VECTOR = ir.VectorType(FLOAT, LANES)


def integer(value: int) -> Any:
    """An int64 constant."""
    return ir.Constant(INT64, value)


def constant(value: float, kind: Any = VECTOR) -> Any:
    """A vector whose every lane is ``value``."""
    return ir.Constant(kind, [value] * kind.count)


def variable(builder: Any, kind: Any = VECTOR) -> Any:
    """A variable of the function; LLVM keeps it in a register where it can."""
    return cgutils.alloca_once(builder, kind)  # type: ignore[no-untyped-call]


def address(builder: Any, base: Any, offset: Any, kind: Any = VECTOR) -> Any:
    """Pointer to what begins ``offset`` floats after ``base``."""
    byte = builder.add(base, builder.mul(offset, integer(FLOAT_BYTES)))
    return builder.inttoptr(byte, kind.as_pointer())


def load(builder: Any, base: Any, offset: Any, kind: Any = VECTOR) -> Any:
    """What stands ``offset`` floats after ``base``."""
    return builder.load(address(builder, base, offset, kind), align=FLOAT_BYTES)


def store(builder: Any, value: Any, base: Any, offset: Any) -> None:
    """Write a vector ``offset`` floats after ``base``."""
    builder.store(value, address(builder, base, offset, value.type), align=FLOAT_BYTES)


def splat(builder: Any, scalar: Any, kind: Any = VECTOR) -> Any:
    """A vector whose every lane is ``scalar``."""
    undefined = ir.Constant(kind, ir.Undefined)
    lane = builder.insert_element(undefined, scalar, ir.Constant(INT32, 0))
    mask = ir.Constant(ir.VectorType(INT32, kind.count), [0] * kind.count)
    return builder.shuffle_vector(lane, undefined, mask)


def multiply_add(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """A * b + c, rounded once where the processor can."""
    return builder.fadd(builder.fmul(a, b, flags=("contract",)), c, flags=("contract",))


def horizontal_sum(builder: Any, value: Any) -> Any:
    """Sum of all lanes: halves are added until one lane is left."""
    lanes = value.type.count
    while lanes > 1:
        lanes //= 2
        upper = ir.Constant(ir.VectorType(INT32, lanes), list(range(lanes, 2 * lanes)))
        lower = ir.Constant(ir.VectorType(INT32, lanes), list(range(lanes)))
        nothing = ir.Constant(value.type, ir.Undefined)
        value = builder.fadd(
            builder.shuffle_vector(value, nothing, lower), builder.shuffle_vector(value, nothing, upper)
        )
    return builder.extract_element(value, ir.Constant(INT32, 0))


def at_most(builder: Any, value: Any, limit: Any) -> Any:
    """min(value, limit); NaN stays NaN."""
    return builder.select(builder.fcmp_ordered(">", value, limit), limit, value)


def at_least(builder: Any, value: Any, limit: Any) -> Any:
    """max(value, limit); NaN stays NaN."""
    return builder.select(builder.fcmp_ordered("<", value, limit), limit, value)


def exponential(builder: Any, x: Any) -> Any:
    """e^x with about 1e-7 relative error, for |x| <= 87.

    Range reduction to |f| <= ln 2 / 2 and the degree-6 polynomial of the Cephes library, as `exp32`.
    """
    kind = x.type
    signature = ir.FunctionType(kind, [kind])
    floor = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
        builder.module, signature, f"llvm.floor.v{kind.count}f32"
    )
    k = builder.call(floor, [multiply_add(builder, x, constant(1.44269504, kind), constant(0.5, kind))])
    f = multiply_add(builder, k, constant(-0.693147181, kind), x)
    p = constant(1.9875691500e-4, kind)
    for coefficient in (1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1):
        p = multiply_add(builder, p, f, constant(coefficient, kind))
    p = multiply_add(builder, builder.fmul(p, f), f, builder.fadd(f, constant(1.0, kind)))
    integers = ir.VectorType(INT32, kind.count)
    power = builder.add(builder.fptosi(k, integers), constant(127, integers))
    return builder.fmul(p, builder.bitcast(builder.shl(power, constant(23, integers)), kind))

"""A register block of a dense layer: the innermost part of the CEN networks.

Outputs lie along the vector lanes and several rows of inputs are done side by side: each weight is loaded
once for all rows, and each input value is spread over a vector as it is loaded. Panels of outputs are one to
three vectors wide. The readable twins stand in the tests.
"""

from __future__ import annotations

from typing import Any

from llvmlite import binding, ir

from mien.runtime.jit import intrinsic


def _vector_registers() -> tuple[int, int]:
    """Floats in a vector register, and number of registers, of this processor."""
    features: dict[str, bool] = binding.get_host_cpu_features()
    if features.get("avx512f"):
        return 16, 32
    if features.get("avx"):
        return 8, 16
    has_32 = binding.get_process_triple().startswith(("aarch64", "arm64"))
    return 4, 32 if has_32 else 16


LANES, _REGISTERS = _vector_registers()
"""Outputs in one vector."""
ROWS = 8 if _REGISTERS >= 32 else 4
"""Rows of one block: 8 x 3 or 4 x 3 sums fit the registers, with what they are made from."""

PIXELS = 16
"""Numbers that `normalise_pixels` writes."""

_FLOAT = ir.FloatType()
_INT32 = ir.IntType(32)
_INT64 = ir.IntType(64)
_VECTOR = ir.VectorType(_FLOAT, LANES)
_PIXELS = ir.VectorType(_FLOAT, PIXELS)


def _make_block(vectors: int) -> Any:
    """Make the block for panels of so many vectors."""

    @intrinsic
    def dense_block(
        typing_context: Any,
        inputs: Any,
        input_step: Any,
        count: Any,
        panel: Any,
        bias: Any,
        out: Any,
        out_step: Any,
        floor: Any,
        ahead: Any,
        ahead_step: Any,
    ) -> Any:
        """out[r, o] = max(bias[o] + sum_k inputs[r, k] * panel[k, o], floor), r < ROWS, o < vectors * LANES.

        All arguments but ``floor`` (float32) are intp: addresses, a count, and steps between rows in floats.
        NaN stays NaN. The caller guarantees that all of it is inside its arrays. Meanwhile the cache lines
        at ``ahead`` + k * ``ahead_step`` (bytes) are fetched; these may lie anywhere.
        """
        from numba import types
        from numba.core import cgutils

        signature = types.void(*[types.intp] * 7, types.float32, types.intp, types.intp)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            inputs, input_step, count, panel, bias, out, out_step, floor, ahead, ahead_step = arguments
            # Allocated here, these become registers.
            sums = [[_variable(builder) for _ in range(vectors)] for _ in range(ROWS)]
            for row in sums:
                for v, total in enumerate(row):
                    builder.store(_load(builder, bias, _constant(v * LANES), _VECTOR), total)
            rows = [_shifted(builder, inputs, input_step, r) for r in range(ROWS)]
            with cgutils.for_range(builder, count) as k:
                _prefetch(builder, builder.add(ahead, builder.mul(k.index, ahead_step)))
                line = builder.mul(k.index, _constant(vectors * LANES))
                _accumulate(builder, rows, k.index, panel, line, sums)
            for r, row in enumerate(sums):
                target = _shifted(builder, out, out_step, r)
                for v, total in enumerate(row):
                    value = _at_least(builder, builder.load(total), floor)
                    builder.store(value, _address(builder, target, _constant(v * LANES), _VECTOR), align=4)
            return context.get_dummy_value()

        return signature, generate

    return dense_block


def _variable(builder: Any) -> Any:
    from numba.core import cgutils

    return cgutils.alloca_once(builder, _VECTOR)  # type: ignore[no-untyped-call]


def _accumulate(builder: Any, rows: Any, k: Any, panel: Any, line: Any, sums: Any) -> None:
    """Add the products of one input of every row with its line of weights."""
    weights = [
        _load(builder, panel, builder.add(line, _constant(v * LANES)), _VECTOR) for v in range(len(sums[0]))
    ]
    for row, totals in zip(rows, sums, strict=True):
        value = _splat(builder, _load(builder, row, k, _FLOAT))
        for weight, total in zip(weights, totals, strict=True):
            product = builder.fmul(value, weight, flags=("contract",))
            builder.store(builder.fadd(builder.load(total), product, flags=("contract",)), total)


def _at_least(builder: Any, value: Any, floor: Any) -> Any:
    """max(value, floor); NaN is not below anything."""
    lowest = _splat(builder, floor)
    return builder.select(builder.fcmp_ordered("<", value, lowest), lowest, value)


def _constant(value: int) -> Any:
    return ir.Constant(_INT64, value)


def _bytes(builder: Any, floats: Any) -> Any:
    return builder.mul(floats, _constant(4))


def _shifted(builder: Any, base: Any, step: Any, times: int) -> Any:
    """Address of a row."""
    return builder.add(base, _bytes(builder, builder.mul(step, _constant(times))))


def _address(builder: Any, base: Any, offset: Any, kind: Any) -> Any:
    """Pointer to what begins ``offset`` floats after ``base``."""
    return builder.inttoptr(builder.add(base, _bytes(builder, offset)), kind.as_pointer())


def _load(builder: Any, base: Any, offset: Any, kind: Any) -> Any:
    return builder.load(_address(builder, base, offset, kind), align=4)


def _splat(builder: Any, scalar: Any, kind: Any = _VECTOR) -> Any:
    """Vector whose every lane is ``scalar``."""
    undefined = ir.Constant(kind, ir.Undefined)
    lane = builder.insert_element(undefined, scalar, ir.Constant(_INT32, 0))
    mask = ir.Constant(ir.VectorType(_INT32, kind.count), [0] * kind.count)
    return builder.shuffle_vector(lane, undefined, mask)


def _prefetch(builder: Any, address: Any) -> None:
    """Ask for a cache line that will be read soon."""
    from numba.core import cgutils

    pointer = builder.inttoptr(address, ir.IntType(8).as_pointer())
    kind = ir.FunctionType(ir.VoidType(), [pointer.type, _INT32, _INT32, _INT32])
    name = f"llvm.prefetch.{pointer.type.intrinsic_name}"
    function = cgutils.get_or_insert_function(builder.module, kind, name)  # type: ignore[no-untyped-call]
    read, second_level, data = (ir.Constant(_INT32, value) for value in (0, 2, 1))
    builder.call(function, [pointer, read, second_level, data])


dense_block_1 = _make_block(1)
dense_block_2 = _make_block(2)
dense_block_3 = _make_block(3)


@intrinsic
def normalise_pixels(typing_context: Any, source: Any, mean: Any, scale: Any, out: Any) -> Any:
    """out[i] = (source[i] - mean) * scale for i < PIXELS; addresses are intp, the rest float32.

    Sixteen at once, without the check for overlap that a loop would begin with.
    """
    from numba import types

    signature = types.void(types.intp, types.float32, types.float32, types.intp)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, mean, scale, out = arguments
        centred = builder.fsub(_load(builder, source, _constant(0), _PIXELS), _splat(builder, mean, _PIXELS))
        result = builder.fmul(centred, _splat(builder, scale, _PIXELS))
        builder.store(result, _address(builder, out, _constant(0), _PIXELS), align=4)
        return context.get_dummy_value()

    return signature, generate

"""The four innermost parts of the patch experts, written for vector registers.

LLVM does not vectorise them by itself: sums that should stay in registers go through memory, or pixels are
read one by one. What that costs is told in docs/vector-code.md, what they compute in
`mien.landmarks.vector_loops`, as ordinary loops of the same names.

Arguments are intp where nothing else is said: addresses, counts, and steps in floats. The caller guarantees
that all of it is inside its arrays.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from mien.runtime.lanes import FLOAT_BYTES, LANES, REGISTERS

NEURONS = 7
"""Neurons of one CCNF patch expert, at most."""
SUPPORT = 11
"""Side of an expert's window, px."""
POSITIONS = 3 if REGISTERS >= 32 else 1
"""Positions of one block of `neuron_sums`: 7 x 3 sums fit 32 registers with what they are made from."""
ROWS = 8 if REGISTERS >= 32 else 4
"""Rows of one dense block: 8 x 3 or 4 x 3 sums fit the registers, with what they are made from."""

GAIN, BIAS, AMPLITUDE, WEIGHT_SUM = range(4)
"""Rows of a group's neurons."""
LIMIT = 40.0
"""Exponents are limited to this: two sigmoids can share one division without overflow, e^-40 is nothing."""

_FLOAT, _INT32, _INT64 = ir.FloatType(), ir.IntType(32), ir.IntType(64)
_VECTOR, _INTEGERS = ir.VectorType(_FLOAT, LANES), ir.VectorType(_INT32, LANES)


@intrinsic
def neuron_sums(
    typing_context: Any,
    area: Any,
    row_step: Any,
    offsets: Any,
    weights: Any,
    neurons: Any,
    mean: Any,
    inverse_norm: Any,
    out: Any,
) -> Any:
    """Sum of the neurons of `LANES` experts at `POSITIONS` positions of their windows."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        area, row_step, offsets, weights, neurons, mean, inverse_norm, out = arguments
        places = builder.inttoptr(offsets, _INT64.as_pointer())
        corners = [
            _place(builder, area, builder.load(builder.gep(places, [_integer(p)]))) for p in range(POSITIONS)
        ]
        sums = _correlate(builder, corners, row_step, weights)
        for p in range(POSITIONS):
            line = _integer(p * LANES)
            level, scale = _load(builder, mean, line), _load(builder, inverse_norm, line)
            z = [
                _exponent(builder, neurons, j, builder.load(sums[p][j]), level, scale) for j in range(NEURONS)
            ]
            _store(builder, _sum_of_sigmoids(builder, neurons, z), out, line)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 8), generate


@intrinsic
def subtract_product(typing_context: Any, target: Any, factor: Any, source: Any) -> Any:
    """Target -= factor * source, `LANES` floats each; the arguments are addresses."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, factor, source = (_load(builder, base, _integer(0)) for base in arguments)
        total = _multiply_add(builder, builder.fneg(factor), source, target)
        _store(builder, total, arguments[0], _integer(0))
        return context.get_dummy_value()

    return types.void(*[types.intp] * 3), generate


@intrinsic
def bilinear_lanes(
    typing_context: Any,
    pixels: Any,
    width: Any,
    row_x: Any,
    row_y: Any,
    column_x: Any,
    column_y: Any,
    levels: Any,
    out: Any,
) -> Any:
    """One pixel of the areas of interest of `LANES` landmarks; ``column_x``, ``column_y`` are int32.

    Reads four bytes from the upper left neighbour on, in its row and the next.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pixels, width, row_x, row_y, column_x, column_y, levels, out = arguments
        x, fraction_x = _grid(builder, row_x, column_x)
        y, fraction_y = _grid(builder, row_y, column_y)
        line = _splat(builder, builder.trunc(width, _INT32), _INTEGERS)
        place = builder.add(builder.mul(y, line), x)
        upper = _pair(builder, _gather(builder, pixels, place), fraction_x)
        lower = _pair(builder, _gather(builder, builder.add(pixels, width), place), fraction_x)
        rise = builder.fmul(fraction_y, builder.fsub(lower, upper))
        value = builder.fadd(builder.fmul(_constant(32.0), upper), rise)
        value = builder.fmul(value, _constant(1.0 / 1024.0))
        _store(builder, builder.fsub(value, _load(builder, levels, _integer(0))), out, _integer(0))
        return context.get_dummy_value()

    return types.void(*[types.intp] * 4, types.int32, types.int32, types.intp, types.intp), generate


def _make_dense_block(vectors: int) -> Any:
    """Make the block for panels of so many vectors of outputs."""

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
        """`ROWS` rows of a dense layer; ``floor`` is float32.

        Each weight is loaded once for all rows. Meanwhile the cache lines at ``ahead`` + k * ``ahead_step``
        (bytes) are fetched; these may lie anywhere.
        """

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            inputs, input_step, count, panel, bias, out, out_step, floor, ahead, ahead_step = arguments
            sums = [[_variable(builder) for _ in range(vectors)] for _ in range(ROWS)]
            for row in sums:
                for k, total in enumerate(row):
                    builder.store(_load(builder, bias, _integer(k * LANES)), total)
            rows = [_shifted(builder, inputs, input_step, r) for r in range(ROWS)]
            with cgutils.for_range(builder, count) as step:
                _prefetch(builder, builder.add(ahead, builder.mul(step.index, ahead_step)))
                line = builder.mul(step.index, _integer(vectors * LANES))
                _accumulate(builder, rows, step.index, panel, line, sums)
            lowest = _splat(builder, floor)
            for r, row in enumerate(sums):
                target = _shifted(builder, out, out_step, r)
                for k, total in enumerate(row):
                    value = _at_least(builder, builder.load(total), lowest)
                    _store(builder, value, target, _integer(k * LANES))
            return context.get_dummy_value()

        return types.void(*[types.intp] * 7, types.float32, types.intp, types.intp), generate

    return dense_block


dense_block_1 = _make_dense_block(1)
dense_block_2 = _make_dense_block(2)
dense_block_3 = _make_dense_block(3)


# --- parts of neuron_sums ---------------------------------------------------------------------------------


def _correlate(builder: Any, corners: list[Any], row_step: Any, weights: Any) -> list[list[Any]]:
    """Variables [position][neuron] with the correlation of every window with every filter."""
    sums = [[_variable(builder) for _ in range(NEURONS)] for _ in corners]
    for row in sums:
        for total in row:
            builder.store(_constant(0.0), total)
    with cgutils.for_range(builder, _integer(SUPPORT)) as row:
        first = builder.mul(row.index, row_step)
        with cgutils.for_range(builder, _integer(SUPPORT)) as column:
            offset = builder.add(first, builder.mul(column.index, _integer(LANES)))
            pixels = [_load(builder, corner, offset) for corner in corners]
            tap = builder.add(builder.mul(row.index, _integer(SUPPORT)), column.index)
            line = builder.mul(tap, _integer(NEURONS * LANES))
            for j in range(NEURONS):
                weight = _load(builder, weights, builder.add(line, _integer(j * LANES)))
                for pixel, totals in zip(pixels, sums, strict=True):
                    total = _multiply_add(builder, pixel, weight, builder.load(totals[j]))
                    builder.store(total, totals[j])
    return sums


def _exponent(builder: Any, neurons: Any, j: int, correlation: Any, mean: Any, inverse_norm: Any) -> Any:
    """-z of one neuron, limited."""
    gain, bias, weight_sum = (_neuron(builder, neurons, row, j) for row in (GAIN, BIAS, WEIGHT_SUM))
    match = builder.fsub(correlation, builder.fmul(mean, weight_sum))
    z = builder.fneg(_multiply_add(builder, gain, builder.fmul(match, inverse_norm), bias))
    limit = _constant(LIMIT)
    z = builder.select(builder.fcmp_ordered(">", z, limit), limit, z)
    return _at_least(builder, z, _constant(-LIMIT))


def _neuron(builder: Any, neurons: Any, row: int, j: int) -> Any:
    return _load(builder, neurons, _integer((row * NEURONS + j) * LANES))


def _sum_of_sigmoids(builder: Any, neurons: Any, exponents: list[Any]) -> Any:
    """Sum of amplitude / (1 + e^exponent), two per division: a/x + b/y = (a y + b x) / (x y)."""
    bases = [builder.fadd(_constant(1.0), _exponential(builder, exponent)) for exponent in exponents]
    amplitudes = [_neuron(builder, neurons, AMPLITUDE, j) for j in range(len(bases))]
    total = _constant(0.0)
    for j in range(0, len(bases), 2):
        numerator, denominator = amplitudes[j], bases[j]
        if j + 1 < len(bases):
            other = builder.fmul(amplitudes[j + 1], bases[j])
            numerator = _multiply_add(builder, amplitudes[j], bases[j + 1], other)
            denominator = builder.fmul(bases[j], bases[j + 1])
        total = builder.fadd(total, builder.fdiv(numerator, denominator))
    return total


def _exponential(builder: Any, x: Any) -> Any:
    """e^x as `mien.landmarks.math_kernels.exp32`, for |x| <= 87."""
    kind = ir.FunctionType(_VECTOR, [_VECTOR])
    floor = cgutils.get_or_insert_function(builder.module, kind, f"llvm.floor.v{LANES}f32")  # type: ignore[no-untyped-call]
    k = builder.call(floor, [_multiply_add(builder, x, _constant(1.44269504), _constant(0.5))])
    f = _multiply_add(builder, k, _constant(-0.693147181), x)
    p = _constant(1.9875691500e-4)
    for coefficient in (1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1):
        p = _multiply_add(builder, p, f, _constant(coefficient))
    p = _multiply_add(builder, builder.fmul(p, f), f, builder.fadd(f, _constant(1.0)))
    power = builder.add(builder.fptosi(k, _INTEGERS), _constant(127, _INTEGERS))
    return builder.fmul(p, builder.bitcast(builder.shl(power, _constant(23, _INTEGERS)), _VECTOR))


# --- parts of bilinear_lanes ------------------------------------------------------------------------------


def _grid(builder: Any, row: Any, column: Any) -> tuple[Any, Any]:
    """Whole pixels (int32) and 32nds (as float32, exact) of row + column, which are in 1/1024 px."""
    starts = builder.load(builder.inttoptr(row, _INTEGERS.as_pointer()), align=FLOAT_BYTES)
    place = builder.ashr(builder.add(starts, _splat(builder, column, _INTEGERS)), _constant(5, _INTEGERS))
    fraction = builder.and_(place, _constant(31, _INTEGERS))
    return builder.ashr(place, _constant(5, _INTEGERS)), builder.sitofp(fraction, _VECTOR)


def _pair(builder: Any, words: Any, fraction: Any) -> Any:
    """Between the lowest two bytes of every word, in 32nds; all sums are whole and small: exact."""
    byte = _constant(255, _INTEGERS)
    left = builder.sitofp(builder.and_(words, byte), _VECTOR)
    right = builder.sitofp(builder.and_(builder.lshr(words, _constant(8, _INTEGERS)), byte), _VECTOR)
    rise = builder.fmul(fraction, builder.fsub(right, left))
    return builder.fadd(builder.fmul(_constant(32.0), left), rise)


def _gather(builder: Any, base: Any, places: Any) -> Any:
    """The four bytes at ``base`` + every place, as int32."""
    wide = ir.VectorType(_INT64, LANES)
    addresses = builder.add(builder.sext(places, wide), _splat(builder, base, wide))
    pointers = builder.inttoptr(addresses, ir.VectorType(_INT32.as_pointer(), LANES))
    mask = ir.VectorType(ir.IntType(1), LANES)
    kind = ir.FunctionType(_INTEGERS, [pointers.type, _INT32, mask, _INTEGERS])
    name = f"llvm.masked.gather.v{LANES}i32.v{LANES}p0"
    gather = cgutils.get_or_insert_function(builder.module, kind, name)  # type: ignore[no-untyped-call]
    everywhere = ir.Constant(mask, [1] * LANES)
    return builder.call(
        gather, [pointers, ir.Constant(_INT32, 1), everywhere, ir.Constant(_INTEGERS, ir.Undefined)]
    )


# --- parts of dense_block ---------------------------------------------------------------------------------


def _accumulate(builder: Any, rows: Any, k: Any, panel: Any, line: Any, sums: Any) -> None:
    """Add the products of one input of every row with its line of weights."""
    weights = [_load(builder, panel, builder.add(line, _integer(i * LANES))) for i in range(len(sums[0]))]
    for row, totals in zip(rows, sums, strict=True):
        value = _splat(builder, _load(builder, row, k, _FLOAT))
        for weight, total in zip(weights, totals, strict=True):
            builder.store(_multiply_add(builder, value, weight, builder.load(total)), total)


def _shifted(builder: Any, base: Any, step: Any, times: int) -> Any:
    """Address of a row."""
    return _place(builder, base, builder.mul(step, _integer(times)))


def _prefetch(builder: Any, address: Any) -> None:
    """Ask for a cache line that will be read soon."""
    pointer = builder.inttoptr(address, ir.IntType(8).as_pointer())
    kind = ir.FunctionType(ir.VoidType(), [pointer.type, _INT32, _INT32, _INT32])
    name = f"llvm.prefetch.{pointer.type.intrinsic_name}"
    function = cgutils.get_or_insert_function(builder.module, kind, name)  # type: ignore[no-untyped-call]
    read, second_level, data = (ir.Constant(_INT32, value) for value in (0, 2, 1))
    builder.call(function, [pointer, read, second_level, data])


# --- words ------------------------------------------------------------------------------------------------


def _integer(value: int) -> Any:
    """An int64 constant."""
    return ir.Constant(_INT64, value)


def _constant(value: float, kind: Any = _VECTOR) -> Any:
    """A vector whose every lane is ``value``."""
    return ir.Constant(kind, [value] * kind.count)


def _splat(builder: Any, scalar: Any, kind: Any = _VECTOR) -> Any:
    """A vector whose every lane is ``scalar``."""
    undefined = ir.Constant(kind, ir.Undefined)
    lane = builder.insert_element(undefined, scalar, ir.Constant(_INT32, 0))
    mask = ir.Constant(ir.VectorType(_INT32, kind.count), [0] * kind.count)
    return builder.shuffle_vector(lane, undefined, mask)


def _variable(builder: Any) -> Any:
    """A variable of the function; LLVM keeps it in a register where it can."""
    return cgutils.alloca_once(builder, _VECTOR)  # type: ignore[no-untyped-call]


def _place(builder: Any, base: Any, offset: Any) -> Any:
    """Address of what stands ``offset`` floats after ``base``."""
    return builder.add(base, builder.mul(offset, _integer(FLOAT_BYTES)))


def _load(builder: Any, base: Any, offset: Any, kind: Any = _VECTOR) -> Any:
    """What stands ``offset`` floats after ``base``; aligned to a float only."""
    pointer = builder.inttoptr(_place(builder, base, offset), kind.as_pointer())
    return builder.load(pointer, align=FLOAT_BYTES)


def _store(builder: Any, value: Any, base: Any, offset: Any) -> None:
    """Write a vector ``offset`` floats after ``base``."""
    pointer = builder.inttoptr(_place(builder, base, offset), value.type.as_pointer())
    builder.store(value, pointer, align=FLOAT_BYTES)


def _multiply_add(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """A * b + c, rounded once where the processor can."""
    return builder.fadd(builder.fmul(a, b, flags=("contract",)), c, flags=("contract",))


def _at_least(builder: Any, value: Any, limit: Any) -> Any:
    """max(value, limit); NaN stays NaN."""
    return builder.select(builder.fcmp_ordered("<", value, limit), limit, value)

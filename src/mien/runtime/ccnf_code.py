"""LLVM code of the intrinsics in `mien.runtime.ccnf_block`; imported only where kernels are compiled."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from mien.runtime import vector_ir as v
from mien.runtime.ccnf_block import AMPLITUDE, BIAS, GAIN, NEURONS, POSITIONS, SUPPORT, WEIGHT_SUM
from mien.runtime.lanes import FLOAT_BYTES, LANES

_LIMIT = 40.0
"""Exponents are limited to this: two sigmoids can share one division without overflow, e^-40 is nothing."""


def write_neuron_sums() -> tuple[Any, Any]:
    """Signature and code of `mien.runtime.ccnf_block.neuron_sums`."""
    signature = types.void(*[types.intp] * 8)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        area, row_step, offsets, weights, neurons, mean, inverse_norm, out = arguments
        corners = [_corner(builder, area, offsets, p) for p in range(POSITIONS)]
        sums = _correlate(builder, corners, row_step, weights)
        for p in range(POSITIONS):
            line = v.integer(p * LANES)
            level = v.load(builder, mean, line)
            scale = v.load(builder, inverse_norm, line)
            z = [
                _exponent(builder, neurons, j, builder.load(sums[p][j]), level, scale) for j in range(NEURONS)
            ]
            v.store(builder, _sum_of_sigmoids(builder, neurons, z), out, line)
        return context.get_dummy_value()

    return signature, generate


def _corner(builder: Any, area: Any, offsets: Any, position: int) -> Any:
    """Address of the upper left corner of a window."""
    pointer = builder.inttoptr(offsets, v.INT64.as_pointer())
    offset = builder.load(builder.gep(pointer, [v.integer(position)]))
    return builder.add(area, builder.mul(offset, v.integer(FLOAT_BYTES)))


def _correlate(builder: Any, corners: list[Any], row_step: Any, weights: Any) -> list[list[Any]]:
    """Variables [position][neuron] with the correlation of every window with every filter."""
    sums = [[v.variable(builder) for _ in range(NEURONS)] for _ in corners]
    for row in sums:
        for total in row:
            builder.store(v.constant(0.0), total)
    with cgutils.for_range(builder, v.integer(SUPPORT)) as row:
        first = builder.mul(row.index, row_step)
        with cgutils.for_range(builder, v.integer(SUPPORT)) as column:
            offset = builder.add(first, builder.mul(column.index, v.integer(LANES)))
            pixels = [v.load(builder, corner, offset) for corner in corners]
            tap = builder.add(builder.mul(row.index, v.integer(SUPPORT)), column.index)
            line = builder.mul(tap, v.integer(NEURONS * LANES))
            for j in range(NEURONS):
                weight = v.load(builder, weights, builder.add(line, v.integer(j * LANES)))
                for pixel, totals in zip(pixels, sums, strict=True):
                    total = v.multiply_add(builder, pixel, weight, builder.load(totals[j]))
                    builder.store(total, totals[j])
    return sums


def _exponent(builder: Any, neurons: Any, j: int, correlation: Any, mean: Any, inverse_norm: Any) -> Any:
    """-z of one neuron, limited."""
    gain, bias, weight_sum = (_neuron(builder, neurons, row, j) for row in (GAIN, BIAS, WEIGHT_SUM))
    match = builder.fsub(correlation, builder.fmul(mean, weight_sum))
    z = v.multiply_add(builder, gain, builder.fmul(match, inverse_norm), bias)
    return v.at_least(builder, v.at_most(builder, builder.fneg(z), v.constant(_LIMIT)), v.constant(-_LIMIT))


def _neuron(builder: Any, neurons: Any, row: int, j: int) -> Any:
    return v.load(builder, neurons, v.integer((row * NEURONS + j) * LANES))


def _sum_of_sigmoids(builder: Any, neurons: Any, exponents: list[Any]) -> Any:
    """Sum of amplitude / (1 + e^exponent), two per division: a/x + b/y = (a y + b x) / (x y)."""
    one = v.constant(1.0)
    bases = [builder.fadd(one, v.exponential(builder, exponent)) for exponent in exponents]
    amplitudes = [_neuron(builder, neurons, AMPLITUDE, j) for j in range(len(bases))]
    total = v.constant(0.0)
    for j in range(0, len(bases), 2):
        numerator, denominator = amplitudes[j], bases[j]
        if j + 1 < len(bases):
            numerator = v.multiply_add(
                builder, amplitudes[j], bases[j + 1], builder.fmul(amplitudes[j + 1], bases[j])
            )
            denominator = builder.fmul(bases[j], bases[j + 1])
        total = builder.fadd(total, builder.fdiv(numerator, denominator))
    return total


def write_subtract_product() -> tuple[Any, Any]:
    """Signature and code of `mien.runtime.ccnf_block.subtract_product`."""
    signature = types.void(*[types.intp] * 3)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, factor, source = arguments
        zero = v.integer(0)
        product = builder.fneg(v.load(builder, factor, zero))
        total = v.multiply_add(builder, product, v.load(builder, source, zero), v.load(builder, target, zero))
        v.store(builder, total, target, zero)
        return context.get_dummy_value()

    return signature, generate


_INTEGERS = ir.VectorType(v.INT32, LANES)


def write_bilinear_lanes() -> tuple[Any, Any]:
    """Signature and code of `mien.runtime.ccnf_block.bilinear_lanes`."""
    signature = types.void(*[types.intp] * 4, types.int32, types.int32, types.intp, types.intp)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pixels, width, row_x, row_y, column_x, column_y, levels, out = arguments
        x, fraction_x = _grid(builder, row_x, column_x)
        y, fraction_y = _grid(builder, row_y, column_y)
        line = v.splat(builder, builder.trunc(width, v.INT32), _INTEGERS)
        place = builder.add(builder.mul(y, line), x)
        upper = _pair(builder, _gather(builder, pixels, place), fraction_x)
        lower = _pair(builder, _gather(builder, builder.add(pixels, width), place), fraction_x)
        rise = builder.fmul(fraction_y, builder.fsub(lower, upper))
        value = builder.fadd(builder.fmul(v.constant(32.0), upper), rise)
        value = builder.fmul(value, v.constant(1.0 / 1024.0))
        v.store(builder, builder.fsub(value, v.load(builder, levels, v.integer(0))), out, v.integer(0))
        return context.get_dummy_value()

    return signature, generate


def _grid(builder: Any, row: Any, column: Any) -> tuple[Any, Any]:
    """Whole pixels (int32) and 32nds (as float32, exact) of row + column, which are in 1/1024 px."""
    starts = builder.load(builder.inttoptr(row, _INTEGERS.as_pointer()), align=FLOAT_BYTES)
    place = builder.ashr(builder.add(starts, v.splat(builder, column, _INTEGERS)), v.constant(5, _INTEGERS))
    fraction = builder.and_(place, v.constant(31, _INTEGERS))
    return builder.ashr(place, v.constant(5, _INTEGERS)), builder.sitofp(fraction, v.VECTOR)


def _pair(builder: Any, words: Any, fraction: Any) -> Any:
    """Between the lowest two bytes of every word, in 32nds; all sums are whole and small: exact."""
    byte = v.constant(255, _INTEGERS)
    left = builder.sitofp(builder.and_(words, byte), v.VECTOR)
    right = builder.sitofp(builder.and_(builder.lshr(words, v.constant(8, _INTEGERS)), byte), v.VECTOR)
    rise = builder.fmul(fraction, builder.fsub(right, left))
    return builder.fadd(builder.fmul(v.constant(32.0), left), rise)


def _gather(builder: Any, base: Any, places: Any) -> Any:
    """The four bytes at ``base`` + every place, as int32."""
    wide = ir.VectorType(v.INT64, LANES)
    addresses = builder.add(builder.sext(places, wide), v.splat(builder, base, wide))
    pointers = builder.inttoptr(addresses, ir.VectorType(v.INT32.as_pointer(), LANES))
    mask = ir.VectorType(ir.IntType(1), LANES)
    kind = ir.FunctionType(_INTEGERS, [pointers.type, v.INT32, mask, _INTEGERS])
    name = f"llvm.masked.gather.v{LANES}i32.v{LANES}p0"
    gather = cgutils.get_or_insert_function(builder.module, kind, name)  # type: ignore[no-untyped-call]
    everywhere = ir.Constant(mask, [1] * LANES)
    return builder.call(
        gather, [pointers, ir.Constant(v.INT32, 1), everywhere, ir.Constant(_INTEGERS, ir.Undefined)]
    )

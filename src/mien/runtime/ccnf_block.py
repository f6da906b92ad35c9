"""The innermost parts of CCNF experts, one landmark per lane (docs/algorithms/patch-experts-ccnf.md).

All experts have the same shape but weights of their own, so side by side they fill vectors whatever the
size of the response map. The readable twins stand in the tests.
"""

from __future__ import annotations

from typing import Any

from mien.runtime.jit import intrinsic
from mien.runtime.lanes import REGISTERS

NEURONS = 7
"""Neurons of one patch expert, at most."""
SUPPORT = 11
"""Side of an expert's window, px."""
POSITIONS = 3 if REGISTERS >= 32 else 1
"""Positions of one block: 7 x 3 sums fit 32 registers with what they are made from."""

GAIN, BIAS, AMPLITUDE, WEIGHT_SUM = range(4)
"""Rows of a group's neurons."""


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
    """Sum of the neurons of `LANES` experts at `POSITIONS` positions of their windows.

    All arguments are intp; addresses but for ``row_step``, which counts floats. ``area`` (rows, row_step)
    grey levels by lanes; ``offsets`` (POSITIONS,) int64: upper left corner of each window, in floats;
    ``weights`` (121, 7, LANES), rows of the filter one after the other; ``neurons`` (4, 7, LANES);
    ``mean``, ``inverse_norm``, ``out`` (POSITIONS, LANES). With <W, x> the plain correlation,
    out = sum_j amplitude_j / (1 + exp(-(gain_j (<W_j, x> - mean sum(W_j)) inverse_norm + bias_j))).
    The caller guarantees that all of it is inside its arrays.
    """
    from mien.runtime.ccnf_code import write_neuron_sums

    return write_neuron_sums()


@intrinsic
def subtract_product(typing_context: Any, target: Any, factor: Any, source: Any) -> Any:
    """Target -= factor * source, `LANES` floats each; the arguments are addresses (intp)."""
    from mien.runtime.ccnf_code import write_subtract_product

    return write_subtract_product()


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
    """One pixel of the areas of interest of `LANES` landmarks, on the 1/32-px grid, less a level.

    ``pixels``: address of a grey picture (H, ``width``) uint8; ``row_x``, ``row_y`` (LANES,) int32 and
    ``column_x``, ``column_y`` int32: the place in 1/1024 px is their sum; ``levels``, ``out`` (LANES,)
    float32. Addresses and ``width`` are intp. Reads four bytes from the upper left neighbour on, in its row
    and the next: the caller guarantees that they are inside the picture.
    """
    from mien.runtime.ccnf_code import write_bilinear_lanes

    return write_bilinear_lanes()

"""The innermost parts of a landmark fit: sums over response maps, and rows of a triangular factor.

The readable twins stand in the tests.
"""

from __future__ import annotations

from typing import Any

from mien.runtime.jit import intrinsic


@intrinsic
def weighted_sums(
    typing_context: Any, maps: Any, step: Any, window: Any, kernel_x: Any, kernel_y: Any, out: Any
) -> Any:
    """Sums over the response maps of `LANES` landmarks under a separable kernel, with one landmark per lane.

    All arguments are intp; addresses but for ``step`` (floats from one row of any array to the next) and
    ``window``. ``maps`` (window², step), ``kernel_x`` and ``kernel_y`` (window, step). Into ``out`` (3,
    step), with q = map[r, c] kernel_x[c] kernel_y[r]: sum q, sum c q, sum r q.
    The caller guarantees that all of it is inside its arrays.
    """
    from mien.runtime.fit_code import write_weighted_sums

    return write_weighted_sums()


@intrinsic
def subtract_rows(
    typing_context: Any, target: Any, rows: Any, coefficients: Any, step: Any, count: Any
) -> Any:
    """Target -= sum_k coefficients[k * step] * rows[k * step ...], k < count, for `LANES` floats.

    All arguments are intp; addresses but for ``step`` (floats from one row to the next) and ``count``.
    """
    from mien.runtime.fit_code import write_subtract_rows

    return write_subtract_rows()


@intrinsic
def dot_product(typing_context: Any, a: Any, b: Any, vectors: Any) -> Any:
    """Sum of a[i] * b[i] over ``vectors`` times `LANES` floats; ``a`` and ``b`` are addresses (intp)."""
    from mien.runtime.fit_code import write_dot_product

    return write_dot_product()

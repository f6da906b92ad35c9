"""A register block of a dense layer: the innermost part of the CEN networks.

Outputs lie along the vector lanes and several rows of inputs are done side by side: each weight is loaded
once for all rows, and each input value is spread over a vector as it is loaded. Panels of outputs are one to
three vectors wide. The readable twins stand in the tests.
"""

from __future__ import annotations

from typing import Any

from mien.runtime.jit import intrinsic
from mien.runtime.lanes import REGISTERS

ROWS = 8 if REGISTERS >= 32 else 4
"""Rows of one block: 8 x 3 or 4 x 3 sums fit the registers, with what they are made from."""

PIXELS = 16
"""Numbers that `normalise_pixels` writes."""


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
        from mien.runtime.dense_code import write_dense_block

        return write_dense_block(vectors)

    return dense_block


dense_block_1 = _make_block(1)
dense_block_2 = _make_block(2)
dense_block_3 = _make_block(3)


@intrinsic
def normalise_pixels(typing_context: Any, source: Any, mean: Any, scale: Any, out: Any) -> Any:
    """out[i] = (source[i] - mean) * scale for i < PIXELS; addresses are intp, the rest float32.

    Sixteen at once, without the check for overlap that a loop would begin with.
    """
    from mien.runtime.dense_code import write_normalise_pixels

    return write_normalise_pixels()

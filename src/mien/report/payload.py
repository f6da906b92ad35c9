"""Time courses as one compact text for a page: quantised, differences, compressed.

A column becomes unsigned integers of 8, 16 or 32 bits: ``(value - low) / step``, the largest integer standing
for "not measured". Their differences from row to row are cut into planes of bytes, low bytes first; all
columns together are compressed (gzip) and written in base64. docs/report.md has the figures.
"""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_COMPRESSION = 6
_MOST = 1e12
"""What is larger is no measurement, and would leave nothing of the resolution."""
_TYPES: dict[int, type[np.unsignedinteger[Any]]] = {8: np.uint8, 16: np.uint16, 32: np.uint32}
_SEPARATORS = {0x2028: "\\u2028", 0x2029: "\\u2029", ord("<"): "\\u003c", ord(">"): "\\u003e"}
_ESCAPES = {**_SEPARATORS, ord("&"): "\\u0026"}


@dataclass(frozen=True, slots=True)
class Column:
    """Where a column lies among the bytes of all, and how its integers become numbers.

    Attributes
    ----------
    at, rows, bits
        First byte, number of rows, bits of one integer.
    low, step
        A value is ``low + step * integer``.
    """

    at: int
    rows: int
    bits: int
    low: float
    step: float


class Payload:
    """Columns that are put into one text."""

    def __init__(self) -> None:
        self.columns: list[Column] = []
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, values: NDArray[Any], step: float, *, bits: int = 16) -> int:
        """Put one column in.

        Parameters
        ----------
        values
            (N,) numbers; what is not finite is "not measured".
        step
            Resolution wanted; it becomes coarser where the range needs it.
        bits
            8, 16 or 32 for every value.

        Returns
        -------
        int
            Number of the column.
        """
        values = np.asarray(values, np.float64)
        with np.errstate(invalid="ignore"):
            finite = np.abs(values) <= _MOST
        missing = 2**bits - 1
        low = float(values[finite].min()) if finite.any() else 0.0
        high = float(values[finite].max()) if finite.any() else 0.0
        step = max(step, (high - low) / (missing - 1))
        whole = np.full(len(values), missing, np.uint64)
        whole[finite] = np.round((values[finite] - low) / step).clip(0, missing - 1).astype(np.uint64)
        planes = _planes(whole, bits)
        self.columns.append(Column(self._size, len(values), bits, low, step))
        self._parts.append(planes)
        self._size += len(planes)
        return len(self.columns) - 1

    def text(self) -> str:
        """All columns, compressed, in base64."""
        packed = gzip.compress(b"".join(self._parts), _COMPRESSION, mtime=0)
        return base64.b64encode(packed).decode("ascii")

    def described(self) -> list[dict[str, Any]]:
        """The columns as JSON has them."""
        return [asdict(column) for column in self.columns]


def unpack(text: str, column: Column) -> NDArray[np.float64]:
    """One column of `Payload.text`, NaN where it was not measured: what the page's script does."""
    size = column.bits // 8
    raw = gzip.decompress(base64.b64decode(text))[column.at : column.at + column.rows * size]
    planes = np.frombuffer(raw, np.uint8).reshape(size, column.rows).astype(np.uint64)
    shifts = 8 * np.arange(size, dtype=np.uint64)
    differences = (planes << shifts[:, None]).sum(axis=0, dtype=np.uint64)
    whole = np.cumsum(differences, dtype=np.uint64) & np.uint64(2**column.bits - 1)
    values = column.low + column.step * whole.astype(np.float64)
    values[whole == 2**column.bits - 1] = np.nan
    return np.asarray(values)


def json_for_script(value: Any) -> str:
    """JSON that may stand inside an element ``script``: no text in it can end it, or be read as markup."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8").translate(_ESCAPES)


def _planes(whole: NDArray[np.uint64], bits: int) -> bytes:
    numbers = whole.astype(_TYPES[bits])
    differences = np.diff(numbers, prepend=numbers[:0].dtype.type(0))  # wraps around
    size = bits // 8
    pieces = differences.astype(numbers.dtype.newbyteorder("<")).view(np.uint8)
    return np.ascontiguousarray(pieces.reshape(-1, size).T).tobytes()

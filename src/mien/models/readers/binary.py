"""A cursor over the bytes of a binary model file (docs/algorithms/model-files.md#matrices).

Nothing is allocated before the file has proved to be long enough, and arrays are read-only views of the
file's bytes wherever that is possible.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mien.errors import ModelFileError
from mien.models.readers.fault import fault, opened

TYPE_CODES: dict[int, np.dtype[Any]] = {
    0: np.dtype("u1"),
    4: np.dtype("<i4"),
    5: np.dtype("<f4"),
    6: np.dtype("<f8"),
}
_CODES = {dtype.str: code for code, dtype in TYPE_CODES.items()}

_FEW = 16
"""Rows up to which lists are compared faster than arrays."""


class ByteCursor:
    """Reads a file from front to back and names every deviation by its offset.

    Parameters
    ----------
    path
        The file, for messages.
    data
        Its bytes.
    unread
        The same, of which matrices are given that need not be finite: mapped into memory and not looked at,
        they take none until they are used.
    """

    def __init__(
        self, path: Path, data: bytes | memoryview, unread: bytes | memoryview | None = None
    ) -> None:
        self.path = path
        self.data = data
        self.size = len(data)
        self.offset = 0
        self._unread = data if unread is None else unread

    @classmethod
    def open(cls, path: Path | str, *, mapped: bool = False) -> ByteCursor:
        """Open a file, read whole or (for large ones) mapped into memory."""
        path = Path(path)
        with opened(path) as file:
            if not mapped or not os.fstat(file.fileno()).st_size:
                return cls(path, file.read())
            # Two maps: the pages of the first, which the cursor reads, are let go with it.
            return cls(path, *(memoryview(np.memmap(file, np.uint8, "r")) for _ in range(2)))

    def fault(self, expected: str, found: object, offset: int | None = None) -> ModelFileError:
        """Make the error that says what should stand at ``offset`` (default: the current one)."""
        where = f"byte {self.offset if offset is None else offset}"
        return fault(self.path, where, expected, str(found))

    def need(self, count: int, what: str) -> None:
        """Check that ``count`` more bytes follow, without touching them."""
        left = self.size - self.offset
        if count > left:
            raise self.fault(f"{what} ({count} bytes)", f"end of file after {left} bytes")

    def i32(self, what: str, low: int = -(2**31), high: int = 2**31 - 1) -> int:
        """Read a 32-bit integer that must lie in [low, high]."""
        self.need(4, what)
        value = int.from_bytes(self.data[self.offset : self.offset + 4], "little", signed=True)
        if not low <= value <= high:
            span = str(low) if low == high else f"{low} to {high}"
            raise self.fault(f"{what} ({span})", value)
        self.offset += 4
        return value

    def f64(self, what: str, *, positive: bool = False) -> float:
        """Read a finite (or finite and positive) 64-bit number."""
        value = float(self.array(np.dtype("<f8"), 1, what)[0])
        if not np.isfinite(value) or (positive and value <= 0):
            kind = "positive number" if positive else "finite number"
            raise self.fault(f"{what} (a {kind})", value, self.offset - 8)
        return value

    def array(self, dtype: DTypeLike, count: int, what: str) -> NDArray[Any]:
        """Read ``count`` items of a (possibly structured) type as a view of the file."""
        dtype = np.dtype(dtype)
        self.need(dtype.itemsize * count, what)
        values: NDArray[Any] = np.frombuffer(self.data, dtype, count, self.offset)
        self.offset += dtype.itemsize * count
        return values

    def peek_shape(self, what: str) -> tuple[int, int]:
        """Look at the rows and columns of the matrix that follows, without moving."""
        start = self.offset
        try:
            return self.i32(f"rows of {what}", 1), self.i32(f"columns of {what}", 1)
        finally:
            self.offset = start

    def matrix(
        self,
        what: str,
        dtypes: tuple[str, ...],
        shape: tuple[int | None, int | None] = (None, None),
        *,
        finite: bool = True,
    ) -> NDArray[Any]:
        """Read a matrix: int32 rows, columns and type code, then the elements by rows.

        Parameters
        ----------
        what
            Its name in messages.
        dtypes
            Element types allowed, as NumPy strings such as ``"<f4"``.
        shape
            The size it must have; None where any is right.
        finite
            Refuse NaN and infinity.

        Returns
        -------
        ndarray
            (rows, columns), a read-only view of the file.
        """
        start = self.offset
        rows, columns = self.i32(f"rows of {what}", 0), self.i32(f"columns of {what}", 0)
        code = self.i32(f"type of {what}")
        allowed = {_CODES[dtype]: dtype for dtype in dtypes}
        if code not in allowed:
            codes = " or ".join(map(str, allowed))
            raise self.fault(f"{what} of type code {codes}", f"type code {code}", start + 8)
        if shape[0] not in (None, rows) or shape[1] not in (None, columns):
            wanted = "×".join("any" if size is None else str(size) for size in shape)
            raise self.fault(f"{what} of {wanted} elements", f"{rows}×{columns}", start)
        place = self.offset
        values = self.array(allowed[code], rows * columns, f"{what}, {rows}×{columns}")
        if finite:
            self.check_finite(values, what, start)
        else:
            values = np.frombuffer(self._unread, values.dtype, values.size, place)
        return values.reshape(rows, columns)

    def vector(self, what: str, dtypes: tuple[str, ...], size: int | None = None) -> NDArray[Any]:
        """Read a matrix of one row or one column, as a flat array."""
        start = self.offset
        values = self.matrix(what, dtypes)
        if 1 not in values.shape or size not in (None, values.size):
            wanted = "any number of" if size is None else str(size)
            raise self.fault(
                f"{what} of {wanted} elements in one row or column", "×".join(map(str, values.shape)), start
            )
        return values.reshape(-1)

    def matrices(
        self, what: str, count: int, shape: tuple[int, int], dtype: str = "<f4", *, finite: bool = True
    ) -> NDArray[Any]:
        """Read ``count`` matrices of one shape and type that follow each other: (count, rows, columns)."""
        start = self.offset
        layout = np.dtype([("header", "<i4", 3), ("values", dtype, shape)])
        items = self.array(layout, count, f"{count} matrices: {what}")
        self.check_headers(items["header"], (*shape, _CODES[dtype]), what, start, layout.itemsize)
        if finite:
            self.check_finite(items["values"], what, start)
        values: NDArray[Any] = items["values"]
        return values

    def check_headers(
        self, headers: NDArray[Any], expected: tuple[int, ...], what: str, start: int, stride: int
    ) -> None:
        """Check that every row of ``headers``, ``stride`` bytes apart from ``start``, is as expected."""
        if len(headers) <= _FEW and headers.tolist() == [list(expected)] * len(headers):
            return
        wrong = (headers != np.array(expected, np.int32)).any(axis=1)
        if wrong.any():
            first = int(wrong.argmax())
            found = " ".join(map(str, headers[first].tolist()))
            wanted = " ".join(map(str, expected))
            raise self.fault(f"{what} with header {wanted}", found, start + first * stride)

    def check_finite(self, values: NDArray[Any], what: str, start: int) -> None:
        """Refuse NaN and infinity."""
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise self.fault(f"finite numbers in {what}", "NaN or infinity", start)

    def finish(self) -> None:
        """Check that nothing follows."""
        if self.offset != self.size:
            raise self.fault("the end of the file", f"{self.size - self.offset} more bytes")

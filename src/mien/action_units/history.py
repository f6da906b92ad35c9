"""Rows that arrive one by one and are wanted as one array at the end."""

from __future__ import annotations

from typing import Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

S = TypeVar("S", bound=np.generic)

_CHUNK = 1024


class RowHistory(Generic[S]):
    """Grows by blocks of rows, so that nothing is copied on the way.

    Parameters
    ----------
    columns
        Length of a row.
    dtype
        Type of its entries.
    """

    def __init__(self, columns: int, dtype: type[S]) -> None:
        self._columns = columns
        self._dtype = dtype
        self.clear()

    def __len__(self) -> int:
        return self._length

    def clear(self) -> None:
        """Forget all rows."""
        self._chunks: list[NDArray[S]] = []
        self._length = 0

    def append(self, row: ArrayLike) -> None:
        """Add a row; a scalar fills it."""
        at = self._length % _CHUNK
        if at == 0:
            self._chunks.append(np.empty((_CHUNK, self._columns), self._dtype))
        self._chunks[-1][at] = row
        self._length += 1

    def array(self) -> NDArray[S]:
        """All rows, (len, columns)."""
        empty = np.empty((0, self._columns), self._dtype)
        return np.concatenate([empty, *self._chunks])[: self._length]

"""Compiled kernels are loaded only as they were written: Numba's cache files end in a sum of their content.

Numba believes its files. One flipped bit would be machine code that computes something else or ends the
process, and a shortened file an error that never heals. A file whose sum is not right counts as missing
here: the kernel is compiled again, and the file replaced.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from numba.core import caching

_SUM_BYTES = 4
_NumbasFile: Any = caching.IndexDataCacheFile


class CheckedCacheFile(_NumbasFile):  # type: ignore[misc]
    """Numba's index and data files of one kernel, with a CRC-32 at their ends, which pickles do not mind."""

    @contextmanager
    def _open_for_write(self, filepath: str) -> Iterator[BinaryIO]:
        content = io.BytesIO()
        with super()._open_for_write(filepath) as file:
            yield content
            file.write(content.getvalue() + _sum(content.getvalue()))

    def _load_index(self) -> Any:
        return super()._load_index() if is_intact(Path(self._index_path)) else {}

    def _load_data(self, name: str) -> Any:
        path = Path(self._data_path(name))
        if not is_intact(path):
            raise OSError(f"{path} is damaged")  # Numba takes it for missing.
        return super()._load_data(name)


def check(compiled: Any) -> None:
    """Have the cache files of a kernel, which Numba has just made with ``cache=True``, checked."""
    compiled._cache._cache_file.__class__ = CheckedCacheFile


def is_intact(path: Path) -> bool:
    """Whether a file ends in the sum of what is before; also where there is no file."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return True
    return len(content) > _SUM_BYTES and _sum(content[:-_SUM_BYTES]) == content[-_SUM_BYTES:]


def _sum(content: bytes) -> bytes:
    return zlib.crc32(content).to_bytes(_SUM_BYTES, "little")

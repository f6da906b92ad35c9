"""Appearance descriptors as OpenFace's ``.hog`` files (docs/algorithms/output-table.md#hog-file)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import ShapesShown
from mien.errors import TableError
from mien.results.files import WholeFile

CELLS = (12, 12, 31)
"""Rows, columns and channels of a descriptor."""

_GOOD, _FAILED = np.float32(1), np.float32(-1)


class HogWriter(WholeFile):
    """Writes one record per face and frame; the file appears when it is complete.

    A record is three int32 (columns, rows, channels), the flag as float32 (1 good, -1 failed), and the
    descriptor as float32, ordered by row, column and channel; all little-endian, without a header.

    Parameters
    ----------
    path
        The file.
    cells
        Rows, columns and channels of a descriptor.

    Raises
    ------
    OutputError
        The file can't be written there.
    """

    def __init__(self, path: str | Path, cells: tuple[int, int, int] = CELLS) -> None:
        rows, columns, channels = cells
        self._record = np.zeros(
            (), [("size", "<i4", 3), ("good", "<f4"), ("cells", "<f4", rows * columns * channels)]
        )
        self._record["size"] = columns, rows, channels
        super().__init__(path)

    def append(self, descriptor: NDArray[np.float32] | None, good: bool) -> None:
        """Write the record of one face.

        Parameters
        ----------
        descriptor
            (rows * columns * channels,) float32, or None, which stands for zeros.
        good
            Whether the face was found.

        Raises
        ------
        OutputError
            The record can't be written.
        """
        if descriptor is not None and descriptor.shape != self._record["cells"].shape:
            raise ValueError(f"expected a descriptor {self._record['cells'].shape}, got {descriptor.shape}")
        self._record["good"] = _GOOD if good else _FAILED
        self._record["cells"] = 0 if descriptor is None else descriptor
        self.write(self._record.tobytes())


@dataclass(frozen=True, slots=True, repr=False)
class HogRecords(ShapesShown):
    """What a ``.hog`` file holds, one row per row of the table.

    Attributes
    ----------
    good
        (N,) bool: whether the face was found.
    descriptors
        (N, rows, columns, channels) float32; zeros where the face was not found.
    """

    good: NDArray[np.bool_]
    descriptors: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.good)


def read_hog(path: str | Path) -> HogRecords:
    """Read a ``.hog`` file of OpenFace or mien.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    HogRecords
        Views of the file, which is mapped into memory: reading a part costs that part.

    Raises
    ------
    TableError
        The file is missing or is not made of records of one size.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if size == 0:
            return HogRecords(np.zeros(0, np.bool_), np.zeros((0, *CELLS), np.float32))
        columns, rows, channels = (int(n) for n in np.fromfile(path, "<i4", 3))
        if min(columns, rows, channels) < 1:
            raise ValueError(f"expected a positive number of cells, got {columns} x {rows} x {channels}")
        record = np.dtype([("size", "<i4", 3), ("good", "<f4"), ("cells", "<f4", (rows, columns, channels))])
        if size % record.itemsize:
            raise ValueError(f"expected records of {record.itemsize} bytes, got {size} bytes")
        records = np.memmap(path, record, "r")
    except (OSError, ValueError, OverflowError) as error:
        raise TableError(f"{path}: expected a .hog file: {error}; give a file of mien or OpenFace") from error
    if (records["size"] != (columns, rows, channels)).any():
        raise TableError(f"{path}: expected records of one size; give a file of mien or OpenFace")
    return HogRecords(records["good"] > 0, records["cells"])

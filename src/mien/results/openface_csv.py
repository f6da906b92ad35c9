"""Tables in the text form of OpenFace 2.2 (docs/algorithms/output-table.md), written fast, read leniently."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from mien.errors import TableError
from mien.results.columns import Form, GroupChoice
from mien.results.files import whole_file
from mien.results.table import Table, tabulate
from mien.runtime.memory import page_out

if TYPE_CHECKING:
    from mien.results.video_result import VideoResult

_ROWS_AT_ONCE = 256


def write_openface_csv(
    result: VideoResult, path: str | Path, *, groups: GroupChoice = None, form: Form | str = Form.SEQUENCE
) -> None:
    r"""Write a result as OpenFace 2.2 writes it.

    Names, order and decimals are OpenFace's; cells are separated by a comma without a blank, lines end with
    ``\n``, numbers are rounded correctly (as by C's ``printf``, so that ``-0.04`` becomes ``-0.0``).
    What was not measured (NaN) is an empty cell. mien's own columns follow OpenFace's.

    Parameters
    ----------
    result
        What to write.
    path
        The table; it appears when it is complete, and replaces what was there.
    groups
        Names of the groups of columns wanted ("gaze", "pose", "landmarks-2d", "landmarks-3d", "shape",
        "action-units", "measures", "mesh"); None means all that the result has.
    form
        "sequence" for videos; "image" for the faces of a single image, which has other first columns.

    Raises
    ------
    OutputError
        The table can't be written there.
    OptionError
        A group is unknown.
    """
    with whole_file(path) as file:
        header = tabulate(result[:0], groups, form)
        file.write(",".join(header.names).encode() + b"\n")
        for start in range(0, len(result), _ROWS_AT_ONCE):
            _write_rows(file, tabulate(result[start : start + _ROWS_AT_ONCE], groups, form))
            page_out(array for _, array in result.arrays())


def _write_rows(file: BinaryIO, table: Table) -> None:
    # compiled code is needed for writing only; reading and comparing start faster without
    from mien.results import kernels

    buffer = np.empty((table.values.size + 1) * kernels.LONGEST_CELL, np.uint8)
    row = 0
    while row < len(table):
        size, row = kernels.write_rows(table.values, table.decimals, row, buffer)
        file.write(buffer[:size].data)
        if row < len(table):
            file.write(format_row(table.values[row], table.decimals).encode())
            row += 1


def format_row(values: NDArray[np.float64], decimals: NDArray[np.int64]) -> str:
    """One line of text: what the kernel does, slowly, for numbers of any size.

    Parameters
    ----------
    values, decimals
        (C,) each.
    """
    cells = zip(values.tolist(), decimals.tolist(), strict=True)
    return ",".join("" if math.isnan(value) else f"{value:.{places}f}" for value, places in cells) + "\n"


def read_openface_csv(path: str | Path) -> Table:
    """Read a table written by mien or by any version of OpenFace.

    Blanks around names and values (versions before 2.1 write them) are dropped; empty cells become NaN.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    Table
        All columns, in the order of the file.

    Raises
    ------
    TableError
        The file can't be read, has no header, or a line has another number of cells or something that is no
        number.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise TableError(f"{path} can't be read: {reason}; expected a CSV table") from error
    if not lines or not lines[0].strip():
        raise TableError(f"{path}: expected a header line with the names of the columns, got an empty file")
    names = tuple(name.strip() for name in lines[0].split(","))
    if len(set(names)) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise TableError(
            f"{path}, line 1: expected every name once, got {', '.join(twice[:5])} several times"
        )
    rows = [(number, line) for number, line in enumerate(lines[1:], start=2) if line.strip()]
    values = np.empty((len(rows), len(names)), np.float64)
    for index, (number, line) in enumerate(rows):
        cells = line.split(",")
        if len(cells) != len(names):
            raise TableError(
                f"{path}, line {number}: expected {len(names)} cells, got {len(cells)}; "
                "the file may be cut off"
            )
        try:
            values[index] = [float(cell) for cell in cells]
        except ValueError:
            values[index] = [
                _number(cell, path, number, name) for cell, name in zip(cells, names, strict=True)
            ]
    return Table(names, values, np.full(len(names), -1, np.int64))


def _number(cell: str, path: Path, line: int, name: str) -> float:
    text = cell.strip()
    if not text:
        return math.nan
    try:
        return float(text)
    except ValueError as error:
        raise TableError(f"{path}, line {line}, column {name}: expected a number, got {text!r}") from error

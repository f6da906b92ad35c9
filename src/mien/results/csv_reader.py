"""Tables in the text forms of OpenFace and mien, read leniently."""

from __future__ import annotations

import csv
import io
import math
import re
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from mien.errors import TableError
from mien.results.columns import FILE
from mien.results.table import Table
from mien.storage.regular_file import read_text

_NOT_A_NUMBER = re.compile(r"[+-]?(nan(\(\w*\))?|1\.#(ind|qnan|snan)0*)", re.IGNORECASE)
"""What C runtimes print, those of Windows with a reason."""


def read_openface_csv(path: str | Path, wanted: Callable[[str], bool] | None = None) -> Table:
    """Read a table written by mien or by any version of OpenFace.

    Blanks around names and values (OpenFace 2.0 and its builds for Windows write them) are dropped; empty
    cells, and what C programs print for "not a number" such as ``-nan(ind)``, become NaN.

    Parameters
    ----------
    path
        The file.
    wanted
        Which columns are read, by their names; None means all. Few of many are read faster, and in little
        memory.

    Returns
    -------
    Table
        All columns, in the order of the file; of text there is one at most, "file".

    Raises
    ------
    TableError
        The file can't be read, has no header, or a line has another number of cells or something that is no
        number.
    """
    path = Path(path)
    lines = _lines(read_table_text(path), path)
    _, header = next(lines, (1, [""]))
    names = tuple(name.strip() for name in header)
    if names == ("",):
        raise TableError(f"{path}: expected a header line with the names of the columns, got an empty file")
    if len(set(names)) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise TableError(
            f"{path}, line 1: expected every name once, got {', '.join(twice[:5])} several times"
        )
    place = names.index(FILE) if FILE in names else None
    kept = [index for index, name in enumerate(names) if index != place and (not wanted or wanted(name))]
    rest = tuple(names[index] for index in kept)
    every = len(kept) == len(names)
    files: list[str] = []
    numbers = array("d")
    for number, cells in lines:
        if len(cells) != len(names):
            raise TableError(
                f"{path}, line {number}: expected {len(names)} cells, got {len(cells)}; "
                "the file may be cut off"
            )
        if place is not None:
            files.append(cells[place])
        if not every:
            cells = [cells[index] for index in kept]
        numbers.extend(_numbers(cells, rest, path, number))
    values = np.array(numbers, np.float64).reshape(-1, len(rest)) if rest else np.empty((len(files), 0))
    texts = {} if place is None else {FILE: tuple(files)}
    return Table(rest, values, np.full(len(rest), -1, np.int64), texts)


def read_table_text(path: Path) -> str:
    """The text of a table.

    Raises
    ------
    TableError
        It can't be read.
    """
    try:
        return read_text(path)
    except OSError as error:
        raise TableError(f"{path} can't be read: {error.strerror}; expected a CSV table") from error


def _lines(text: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Cells of every line that is not blank, with its number; the header too if it is blank."""
    if '"' in text:
        yield from _quoted_lines(text, path)
        return
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        if number == 1 or line.strip():
            yield number, line.split(",")


def _quoted_lines(text: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Quotes hold commas and line ends of files' names; few tables have any, and splitting is faster."""
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise TableError(f"{path}, line {reader.line_num}: expected a CSV table, got {error}") from error


def _numbers(cells: list[str], names: tuple[str, ...], path: Path, line: int) -> list[float]:
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        return [_number(cell, path, line, name) for cell, name in zip(cells, names, strict=True)]


def _number(cell: str, path: Path, line: int, name: str) -> float:
    text = cell.strip()
    if not text or _NOT_A_NUMBER.fullmatch(text):
        return math.nan
    try:
        return float(text)
    except ValueError as error:
        raise TableError(f"{path}, line {line}, column {name}: expected a number, got {text!r}") from error

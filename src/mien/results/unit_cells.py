"""Cells of action units in tables as text (docs/algorithms/output-table.md#action-units)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mien.errors import TableError
from mien.results import columns
from mien.results.csv_reader import read_openface_csv, read_table_text
from mien.results.files import whole_file
from mien.results.openface_csv import format_row

if TYPE_CHECKING:
    from mien.results.table import Table

_INTENSITY, _PRESENCE = columns.intensity(), columns.presence()


def write_units(first: Table, units: NDArray[np.float64], path: str | Path) -> None:
    """Write a table that has action units only, behind the columns that every table begins with.

    Parameters
    ----------
    first
        The first columns, (N, K).
    units
        (N, 35) float64: 17 intensities, 18 presences.
    path
        The CSV file; it appears when it is complete.

    Raises
    ------
    OutputError
        It can't be written there.
    """
    values = np.concatenate([first.values, units], axis=1)
    decimals = np.concatenate([first.decimals, np.full(units.shape[1], _INTENSITY.decimals)])
    with whole_file(path) as file:
        file.write(",".join((*first.names, *_INTENSITY.names, *_PRESENCE.names)).encode() + b"\n")
        for row in values:
            file.write(format_row(row, decimals).encode())


def replace_units(
    table: str | Path, frames: NDArray[np.int64], units: NDArray[np.float64], path: str | Path
) -> None:
    """Copy a CSV table with other action units; all else stays as it is, character by character.

    A table with blanks after its commas keeps them.

    Parameters
    ----------
    table
        The table that is copied.
    frames
        (N,) numbers of the frames, counted from 0 (tables count from 1): rows must be about the same frames.
    units
        (N, 35) float64: 17 intensities, 18 presences.
    path
        The new table; may be the old one.

    Raises
    ------
    TableError
        The table can't be read, lacks columns of action units, or is about other frames.
    OutputError
        The new table can't be written there.
    """
    path, table = Path(path), Path(table)
    lines = read_table_text(table).splitlines()
    names = [name.strip() for name in lines[0].split(",")] if lines else []
    wanted = (columns.FRAME, *_INTENSITY.names, *_PRESENCE.names)
    missing = [name for name in wanted if name not in names]
    if missing:
        raise TableError(f"{table}: expected columns of action units, lacks {', '.join(missing[:3])}")
    rows = [line.split(",") for line in lines[1:]]
    place, *cells = (names.index(name) for name in wanted)
    if any(len(row) != len(names) for row in rows):
        raise TableError(f"{table}: expected {len(names)} cells in every line; the file may be cut off")
    if len(rows) != len(frames) or any(
        row[place].strip() != str(frame + 1) for row, frame in zip(rows, frames, strict=True)
    ):
        raise TableError(f"{table}: expected a row for each of the {len(frames)} frames that were scored")
    decimals = np.full(len(cells), _INTENSITY.decimals)
    before = " " if lines[0].partition(",")[2].startswith(" ") else ""
    with whole_file(path) as file:
        file.write(lines[0].encode() + b"\n")
        for row, values in zip(rows, units, strict=True):
            for cell, text in zip(cells, format_row(values, decimals).rstrip("\n").split(","), strict=True):
                row[cell] = text and before + text
            file.write(",".join(row).encode() + b"\n")


def read_intensities(path: str | Path) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Intensities (N, 17) of a CSV table of mien or OpenFace, and which rows are successful (N,).

    Raises
    ------
    TableError
        It can't be read, or has no intensities.
    """
    table = read_openface_csv(path)
    if not table.has((columns.SUCCESS, *_INTENSITY.names)):
        raise TableError(f"{path}: expected the columns success and {_INTENSITY.names[0]} and so on")
    return table.select(_INTENSITY.names), table[columns.SUCCESS] == 1

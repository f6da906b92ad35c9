"""Tables of both sides as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mien.results.files import whole_file
from mien.results.openface_csv import format_row, write_numbers
from mien.results.table import Table


def write_table(table: Table, path: Path) -> None:
    """Write a table of numbers; NaN is an empty cell. The file appears when it is complete.

    Raises
    ------
    OutputError
        It can't be written there.
    """
    with whole_file(path) as file:
        file.write((",".join(table.names) + "\n").encode())
        write_numbers(file, table.values, table.decimals)


def write_cells(table: Table, path: Path, extra: Mapping[str, Sequence[str]] | None = None) -> None:
    """The same with columns of text behind the numbers, by their names."""
    if not extra:
        write_table(table, path)
        return
    with whole_file(path) as file:
        file.write((",".join([*table.names, *extra]) + "\n").encode())
        for index, row in enumerate(table.values):
            line = format_row(row, table.decimals)
            texts = [values[index] for values in extra.values()]
            file.write((line.rstrip("\n") + "".join(f",{_quoted(text)}" for text in texts) + "\n").encode())


def write_rows(header: Sequence[str], rows: Iterable[Sequence[str]], path: Path) -> None:
    """Write rows of text cells."""
    with whole_file(path) as file:
        file.write((",".join(header) + "\n").encode())
        for row in rows:
            file.write((",".join(_quoted(cell) for cell in row) + "\n").encode())


def _quoted(text: str) -> str:
    if not any(mark in text for mark in ',"\r\n'):
        return text
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([text])
    return out.getvalue()

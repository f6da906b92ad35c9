"""A column of file names in front of a finished table, for tables of many pictures."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

from mien.results.files import whole_file

NAME = "file"


def add_file_column(path: str | Path, names: Sequence[str]) -> None:
    """Put a column ``file`` before all others of a table; of JSON Lines a field of every object.

    Parameters
    ----------
    path
        A .csv, .parquet or .jsonl table as mien writes it.
    names
        File of every row.

    Raises
    ------
    OutputError
        It can't be written.
    """
    path = Path(path)
    add = {".csv": _add_to_csv, ".parquet": _add_to_parquet, ".jsonl": _add_to_lines}[path.suffix.lower()]
    add(path, names)


def _add_to_csv(path: Path, names: Sequence[str]) -> None:
    lines = path.read_bytes().splitlines()
    with whole_file(path) as file:
        for name, line in zip((NAME, *names), lines, strict=True):
            file.write(_cell(name) + b"," + line + b"\n")


def _cell(text: str) -> bytes:
    """Text as a cell, between quotes where it has to be."""
    cell = io.StringIO()
    csv.writer(cell, lineterminator="").writerow([_readable(text)])
    return cell.getvalue().encode()


def _readable(name: str) -> str:
    """A name as one line of text, which names of files need not be."""
    text = name.encode("utf-8", "backslashreplace").decode()
    return "".join(char if char >= " " else char.encode("unicode_escape").decode() for char in text)


def without_file_column(lines: list[str]) -> list[str]:
    """The lines of a CSV table without the column ``file``, where that is the first."""
    if not lines or lines[0].split(",", 1)[0].strip() != NAME:
        return lines
    names = (next(csv.reader([line]), [""])[0] for line in lines)
    cells = (_cell(name).decode() for name in names)
    return [line[len(cell) + 1 :] for line, cell in zip(lines, cells, strict=True)]


def _add_to_parquet(path: Path, names: Sequence[str]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    column = pa.field(NAME, pa.string(), nullable=False, metadata={"unit": ""})
    with whole_file(path) as file:
        pq.write_table(table.add_column(0, column, pa.array(map(_readable, names), pa.string())), file)


def _add_to_lines(path: Path, names: Sequence[str]) -> None:
    header, *lines = path.read_bytes().splitlines()
    with whole_file(path) as file:
        file.write(header + b"\n")
        for name, line in zip(names, lines, strict=True):
            file.write(b"{" + f'"{NAME}":{json.dumps(name)},'.encode() + line[1:] + b"\n")

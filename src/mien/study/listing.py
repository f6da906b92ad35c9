"""A list of recordings: a CSV file with what a study knows of each of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from mien.errors import TableError
from mien.study.dictionary import FIRST

FILE = "file"
PERSON = "person"
_SEPARATORS = ",;\t"
_RESERVED = frozenset(column.name for column in FIRST) - {FILE}


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a list.

    Attributes
    ----------
    file
        The recording as the list has it.
    line
        Number of the line, counted from 1.
    values
        Its further columns, as texts.
    """

    file: str
    line: int
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listing:
    """A list.

    Attributes
    ----------
    path
        The file.
    columns
        Names of the columns but ``file``, in order.
    lines
        The recordings.
    """

    path: Path
    columns: tuple[str, ...]
    lines: tuple[Listed, ...]

    def of(self, name: str) -> Mapping[str, str]:
        """What the list knows of a file: by its path, or else by its name, with or without the ending.

        Parameters
        ----------
        name
            A path, with slashes.

        Raises
        ------
        TableError
            Several lines fit.
        """
        wanted = PurePosixPath(name)
        keys: tuple[Callable[[PurePosixPath], object], ...] = (
            lambda path: path,
            lambda path: path.with_suffix(""),
            lambda path: path.name,
            lambda path: path.stem,
        )
        for key in keys:
            found = [line for line in self.lines if key(PurePosixPath(_slashes(line.file))) == key(wanted)]
            if len(found) > 1:
                lines = ", ".join(str(line.line) for line in found)
                raise TableError(f"{self.path}: lines {lines} all fit {name}; name files with their folders")
            if found:
                return found[0].values
        return {}


def read_listing(path: str | Path) -> Listing:
    """Read a list.

    Parameters
    ----------
    path
        A CSV file with commas, semicolons or tabs, UTF-8, and a first line of names: ``file``, and whatever
        else belongs to a recording, such as person, session and condition.

    Raises
    ------
    TableError
        It can't be read, there is no column ``file``, a name is empty, twice or taken, or a line has another
        number of cells, no file, or one that was there before.
    """
    path = Path(path)
    text = _text(path)
    head = text.splitlines()[0] if text.strip() else ""
    separator = max(_SEPARATORS, key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    try:
        names = _names([cell.strip() for cell in next(rows, [])], path)
        lines = tuple(_lines(rows, names, path))
    except csv.Error as error:
        raise TableError(f"{path}, line {rows.line_num}: expected a CSV table, got {error}") from error
    if not lines:
        raise TableError(f"{path}: expected a line for every recording, got none")
    return Listing(path, tuple(name for name in names if name != FILE), lines)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text in UTF-8"
        raise TableError(f"{path} can't be read: {reason}; expected a CSV list of recordings") from error


def _names(names: list[str], path: Path) -> list[str]:
    if FILE not in names:
        found = ", ".join(names[:5]) or "nothing"
        raise TableError(f"{path}, line 1: expected a column named file, got {found}")
    for name in names:
        if not name or names.count(name) > 1:
            raise TableError(f"{path}, line 1: expected every column under a name of its own, got {name!r} …")
        if name in _RESERVED:
            raise TableError(
                f"{path}, line 1: {name} is the name of a column of the summary; expected another name"
            )
    return names


def _lines(rows: Iterator[list[str]], names: list[str], path: Path) -> Iterator[Listed]:
    seen: dict[str, int] = {}
    for line, cells in enumerate(rows, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(names):
            raise TableError(f"{path}, line {line}: expected {len(names)} cells, got {len(cells)}")
        values = {name: cell.strip() for name, cell in zip(names, cells, strict=True)}
        file = values.pop(FILE)
        if not file:
            raise TableError(f"{path}, line {line}: expected a file, got an empty cell")
        if file in seen:
            raise TableError(f"{path}, line {line}: {file} is in line {seen[file]} already")
        seen[file] = line
        yield Listed(file, line, values)


def _slashes(path: str) -> str:
    return path.replace("\\", "/")

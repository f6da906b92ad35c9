"""A list of recordings: a CSV file with what a study knows of each of them."""

from __future__ import annotations

import codecs
import csv
import io
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from mien.errors import TableError
from mien.study.dictionary import taken_names

FILE = "file"
PERSON = "person"
_SEPARATORS = ",;\t"


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
    _known: Sequence[Mapping[str, Sequence[Listed]]] = field(init=False, repr=False, compare=False)

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
        for key, known in zip(_KEYS, self._known, strict=True):
            found = known.get(key(PurePosixPath(one_form(name))), ())
            if len(found) > 1:
                lines = ", ".join(str(line.line) for line in found)
                raise TableError(f"{self.path}: lines {lines} all fit {name}; name files with their folders")
            if found:
                return found[0].values
        return {}

    def __post_init__(self) -> None:
        every: list[dict[str, list[Listed]]] = [{} for _ in _KEYS]
        for key, known in zip(_KEYS, every, strict=True):
            for line in self.lines:
                known.setdefault(key(PurePosixPath(one_form(slashes(line.file)))), []).append(line)
        object.__setattr__(self, "_known", every)


_KEYS: tuple[Callable[[PurePosixPath], str], ...] = (
    str,
    lambda path: str(path.with_suffix("")),
    lambda path: path.name,
    lambda path: path.stem,
)
"""What a file is looked for by: its path, or else its name, with or without the ending."""


def read_listing(path: str | Path) -> Listing:
    """Read a list.

    Parameters
    ----------
    path
        A CSV file with commas, semicolons or tabs, in UTF-8 or UTF-16, and a first line of names: ``file``,
        and whatever else belongs to a recording, such as person, session and condition. Columns without a
        name and a content, as spreadsheets leave them, are passed over.

    Raises
    ------
    TableError
        It can't be read, there is no column ``file``, a name is empty, twice or taken, or a line has another
        number of cells, no file, or one that was there before.
    """
    path = Path(path)
    lines = list(io.StringIO(_text(path), newline=""))
    told = lines[0].strip().casefold() if lines else ""
    before = int(told.startswith("sep=") and len(told) == 5)  # a line for spreadsheets
    head = "".join(lines[before : before + 1])
    separator = told[-1] if before else max(_SEPARATORS, key=head.count)
    rows = csv.reader(lines[before:], delimiter=separator, skipinitialspace=True)
    try:
        names = _names([cell.strip() for cell in next(rows, [])], path)
        listed = tuple(_lines(rows, names, path, before))
    except csv.Error as error:
        raise TableError(f"{path}, line {rows.line_num}: expected a CSV table, got {error}") from error
    if not listed:
        raise TableError(f"{path}: expected a line for every recording, got none")
    return Listing(path, tuple(name for name in names if name != FILE), listed)


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        return content.decode("utf-16" if wide else "utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or 'it is not text in UTF-8; save it as "CSV UTF-8"'
        raise TableError(f"{path} can't be read: {reason}; expected a CSV list of recordings") from error


def _names(names: list[str], path: Path) -> list[str]:
    """Names of the columns; those that mean something may be written in capitals."""
    while names and not names[-1]:
        names.pop()
    names = [name.casefold() if name.casefold() in (FILE, PERSON) else name for name in names]
    if FILE not in names:
        found = ", ".join(names[:5]) or "nothing"
        raise TableError(f"{path}, line 1: expected a column named file, got {found}")
    taken = taken_names()
    for name in names:
        if not name or names.count(name) > 1:
            raise TableError(f"{path}, line 1: expected every column under a name of its own, got {name!r} …")
        if name.casefold() in taken:
            raise TableError(
                f"{path}, line 1: {name} is the name of a column of the summary; expected another name"
            )
    return names


def _lines(rows: Iterator[list[str]], names: list[str], path: Path, before: int) -> Iterator[Listed]:
    seen: dict[str, int] = {}
    for line, cells in enumerate(rows, start=2 + before):
        if not any(cell.strip() for cell in cells):
            continue
        while len(cells) > len(names) and not cells[-1].strip():
            cells.pop()
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


def slashes(path: str) -> str:
    """A path as Windows writes it, with the slashes of other systems."""
    return path.replace("\\", "/")


def one_form(name: str) -> str:
    """A name with its letters whole: "ü" may also be written as "u" and two dots, and is on some systems."""
    return unicodedata.normalize("NFC", name)

"""Where tables go and what may be a source, checked before any work is done."""

from __future__ import annotations

import os
import stat
import tempfile
from collections import Counter
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from mien.errors import OptionError, OutputError, SourceError
from mien.results.video_result import TABLE_WRITERS

TABLE_SUFFIXES = tuple(TABLE_WRITERS)
SCORES_ENDING = ".scores.npz"
REPORT_ENDING = ".report.html"

_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def need_source(path: str | Path, expected: str = "a video") -> Path:
    """Make sure that a file or folder can be a source: it exists, and may be read more than once.

    Parameters
    ----------
    path
        What a user named.
    expected
        What it should be, for messages.

    Raises
    ------
    SourceError
        It does not exist, its name is empty, impossible or an address, or it is a pipe or the like.
    """
    text = str(path)
    if not text:  # which a Path takes for the current folder
        raise SourceError(
            f"the name of the source is empty; expected {expected}, or . for the current folder"
        )
    # Paths have dropped one of the slashes.
    if text == "-" or text.partition(":/")[0].lower() in ("http", "https", "rtsp", "rtmp", "ftp", "file"):
        what = "standard input" if text == "-" else "an address"
        raise SourceError(f"{text} is {what}, expected the name of a file; save it as a file first")
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SourceError(f"{text}: no such file; expected {expected}") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"{shortened(text)}: {reason}; expected {expected}") from error
    for is_kind, kind in _KINDS:
        if is_kind(mode):
            raise SourceError(f"{text} is {kind}, which can't be read twice; save it as a file first")
    return Path(path)


def shortened(text: str, length: int = 80) -> str:
    """The beginning and the end of a long text."""
    return text if len(text) <= length else f"{text[: length // 2]}…{text[-length // 2 :]}"


def table_path(source: Path, output: Path | None) -> Path:
    """Path of the table: as asked, else the source's name with .csv in the current folder.

    Raises
    ------
    OutputError
        The table would replace the source, its name has no known ending, or its folder can't be made
        or written to.
    OptionError
        The format needs a package that is not installed.
    """
    table = output if output is not None else Path(f"{source.stem}.csv")
    if _is_dir(table):
        table = table / f"{source.stem}.csv"
    need_table_format(table)
    _need_writable_folder(table)
    if table.exists() and source.exists() and table.samefile(source):
        raise OutputError(f"{table} is the video itself; choose another name with -o")
    return table


def need_table_format(table: Path) -> None:
    """Make sure that the ending of a table's name is known and can be written.

    Raises
    ------
    OutputError
        The ending is unknown.
    OptionError
        The format needs a package that is not installed.
    """
    if table.suffix.lower() not in TABLE_SUFFIXES:
        raise OutputError(
            f"{shortened(str(table))}: expected a name that ends in {', '.join(TABLE_SUFFIXES)}, or a folder "
            "with a slash at its end"
        )
    if table.suffix.lower() == ".parquet" and find_spec("pyarrow") is None:
        raise OptionError(f"{table}: Parquet needs pyarrow; install it with: pip install 'mien[tables]'")


def table_paths(sources: Sequence[Path], output: Path | None) -> list[Path]:
    """Path of every source's table; several need a folder, which is made.

    Tables have the names of their sources. Where sources of one name lie in different folders, all keep their
    folders below the one that they have in common.

    Raises
    ------
    OutputError, OptionError
        As `table_path`, or tables would replace one another.
    """
    if len(sources) == 1:
        return [table_path(sources[0], output)]
    if output is not None and output.suffix.lower() in TABLE_SUFFIXES and not _is_dir(output):
        raise OptionError(f"{output}: several videos need a folder for their tables")
    tables = tables_in(Path() if output is None else output_folder(output), sources)
    return [table_path(source, table) for source, table in zip(sources, tables, strict=True)]


def csv_tables(names: Sequence[str], output: Path | None, ending: str) -> list[Path]:
    """Path of a CSV table for each name: as asked for the only one, else NAME + ending in a folder or here.

    Raises
    ------
    OptionError
        Several names and one table, or names that are the same.
    OutputError
        The name of the table has another ending.
    """
    if output is not None and output.suffix and not _is_dir(output):
        if len(names) > 1:
            raise OptionError(f"{output}: several tables need a folder")
        if output.suffix.lower() != ".csv":
            raise OutputError(f"{output}: expected a name that ends in .csv, or a folder")
        return [output]
    if len(set(names)) < len(names):
        raise OptionError("expected sources of different names, as their tables are named after them")
    return [(output or Path()) / f"{name}{ending}" for name in names]


def tables_in(folder: Path, sources: Sequence[Path]) -> list[Path]:
    """Path of every source's CSV table in a folder, or in folders below it; see `table_paths`.

    Raises
    ------
    OptionError
        Tables would replace one another.
    """
    below = _folders_below(sources)
    tables = [folder / part / f"{source.stem}.csv" for source, part in zip(sources, below, strict=True)]
    twice = sorted({table.stem for table, count in Counter(tables).items() if count > 1})
    if twice:
        raise OptionError(
            f"expected sources of different names in a folder, as their tables are named after them; several "
            f"are named {', '.join(twice[:3])}; analyse them one after the other, into different folders"
        )
    return tables


def _folders_below(sources: Sequence[Path]) -> list[Path]:
    """Folder of every source's outputs below that of all: none, unless sources have the same names.

    Then it is the source's own folder, seen from the one that all sources have in common.
    """
    if max(Counter(source.stem for source in sources).values(), default=0) < 2:
        return [Path()] * len(sources)
    folders = [Path(os.path.abspath(source.parent)) for source in sources]
    try:
        common = os.path.commonpath(folders)
    except ValueError:  # several drives of Windows
        return [Path(*(part.strip(":\\/") for part in folder.parts)) for folder in folders]
    return [folder.relative_to(common) for folder in folders]


def output_folder(path: Path) -> Path:
    """Make a folder for tables and give it back.

    Raises
    ------
    OutputError
        It can't be made, or is a file.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"folder {shortened(str(path))} can't be made: {error.strerror}; choose another with -o"
        ) from error
    return path


def _is_dir(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # an impossible name
        return False


def _need_writable_folder(table: Path) -> None:
    folder = table.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        table.with_suffix(".provenance.json").exists()
    except OSError as error:
        raise OutputError(
            f"{shortened(str(table))} can't be written: folder {shortened(str(folder))}: {error.strerror}; "
            "choose another with -o"
        ) from error

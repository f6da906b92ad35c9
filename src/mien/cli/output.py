"""Where a table goes, checked before any work is done for it."""

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from pathlib import Path

from mien.errors import OptionError, OutputError, SourceError

TABLE_SUFFIXES = (".csv", ".parquet", ".jsonl")


def table_path(video: Path, output: Path | None) -> Path:
    """Path of the table: as asked, else the video's name with .csv in the current folder.

    Raises
    ------
    OutputError
        The table would replace the video, its name has no known ending, or its folder can't be made
        or written to.
    OptionError
        The format needs a package that is not installed.
    """
    table = output if output is not None else Path(f"{video.stem}.csv")
    if table.is_dir():
        table = table / f"{video.stem}.csv"
    if table.suffix.lower() not in TABLE_SUFFIXES:
        raise OutputError(f"{table}: expected a name that ends in {', '.join(TABLE_SUFFIXES)}")
    if table.suffix.lower() == ".parquet" and find_spec("pyarrow") is None:
        raise OptionError(f"{table}: Parquet needs pyarrow; install it with: pip install 'mien[tables]'")
    if table.exists() and video.exists() and table.samefile(video):
        raise OutputError(f"{table} is the video itself; choose another name with -o")
    _need_writable_folder(table)
    return table


def table_paths(videos: list[Path], output: Path | None) -> list[Path]:
    """Path of every video's table; several need a folder, which is made.

    Raises
    ------
    SourceError
        A video does not exist.
    OutputError, OptionError
        As `table_path`, or tables would replace one another.
    """
    for video in videos:
        if not video.exists():
            raise SourceError(f"{video}: no such file; expected a video")
    if len(videos) > 1 and output is not None:
        if output.suffix.lower() in TABLE_SUFFIXES:
            raise OptionError(f"{output}: several videos need a folder for their tables")
        output_folder(output)
    tables = [table_path(video, output) for video in videos]
    twice = sorted({table.stem for table in tables if tables.count(table) > 1})
    if twice:
        raise OptionError(
            f"expected videos of different names, as their tables are named after them; several are named "
            f"{', '.join(twice[:3])}"
        )
    return tables


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
        raise OutputError(f"folder {path} can't be made: {error.strerror}; choose another with -o") from error
    return path


def partial_path(table: Path) -> Path:
    """Path under which an unfinished table is kept: NAME.partial.csv."""
    return table.with_name(f"{table.stem}.partial{table.suffix}")


def _need_writable_folder(table: Path) -> None:
    folder = table.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(
            f"{table} can't be written: folder {folder}: {error.strerror}; choose another with -o"
        ) from error

"""Reports of many sources: found, made one by one, with an overview; a source that fails is a row of it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mien.analysis.targets import REPORT_ENDING, need_source
from mien.errors import MienError, ModelsMissingError, OptionError, TableError
from mien.report.face_rows import is_of_pictures
from mien.report.making import report_path, write_report
from mien.report.options import ReportOptions
from mien.report.overview import OverviewRow, overview_row, write_overview
from mien.report.table_results import TABLE_SUFFIXES
from mien.results.columns import CONFIDENCE, FACE, FRAME
from mien.results.video_result import VideoResult
from mien.video.source import IMAGE_SUFFIXES

STUDY_TABLE, FAILURES_TABLE = "study.csv", "failures.csv"
OVERVIEW_NAME = "index.html"
"""What an overview is called in a folder of reports."""
_NOT_TABLES = (".sides.csv", ".actions.csv", ".events.csv", ".motion.csv")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a report is wanted of.

    Attributes
    ----------
    source
        A table, a video, a picture or a folder of pictures.
    name
        What it is called in an overview.
    known
        What is known of it besides.
    failure
        Why it has no table, where a study says so.
    """

    source: Path
    name: str
    known: Mapping[str, str] = field(default_factory=dict)
    failure: str = ""

    @property
    def is_table(self) -> bool:
        """Whether it need not be analysed any more."""
        return self.source.suffix.lower() in TABLE_SUFFIXES


@dataclass(frozen=True, slots=True)
class Made:
    """What became of an item: its report, or why there is none; names of what no face was found in."""

    item: Item
    report: Path | None
    row: OverviewRow
    error: MienError | None = None
    faceless: tuple[str, ...] = ()


def items_of(sources: Sequence[Path]) -> tuple[list[Item], bool]:
    """What reports are wanted of.

    Parameters
    ----------
    sources
        Tables, videos, pictures, folders of pictures, and studies: folders with tables below.

    Returns
    -------
    (list of Item, bool)
        Them, and whether an overview belongs to them: of a study, or of several sources.

    Raises
    ------
    MienError
        A source does not exist, or there is nothing in it.
    """
    items: list[Item] = []
    study = False
    for source in sources:
        need_source(source, "a table, a video, pictures or a study's folder")
        if source.is_dir() and not _is_folder_of_pictures(source):
            items += _of_study(source)
            study = True
        else:
            items.append(Item(source, source.name))
    if not items:
        raise TableError(f"{sources[0]}: expected tables in OpenFace's columns below the folder, found none")
    return items, study or len(items) > 1


def make_reports(
    items: Sequence[Item],
    output: Path | None,
    options: ReportOptions,
    analyse: Callable[[Path], VideoResult],
) -> Iterator[Made]:
    """Make the report of every item.

    Parameters
    ----------
    items
        Them.
    output
        Of one item the report, or a folder; None puts reports beside their sources.
    options
        How they are made.
    analyse
        Gives the result of a source that is no table.

    Yields
    ------
    Made
        What became of each, as soon as it is done.
    """
    for item, place in zip(items, places_of(items, output), strict=True):
        try:
            if item.failure:
                raise TableError(item.failure)
            source = item.source if item.is_table else analyse(item.source)
            result = write_report(source, place, options)
        except (OptionError, ModelsMissingError):
            raise
        except MienError as error:
            yield Made(item, None, OverviewRow(name=item.name, known=item.known, failure=str(error)), error)
        else:
            row = overview_row(item.name, result, place, options, item.known)
            yield Made(item, place, row, faceless=_faceless(item, result))


def _faceless(item: Item, result: VideoResult) -> tuple[str, ...]:
    """What no face was found in: the recording, or of pictures that were analysed now, all read, some."""
    if not is_of_pictures(result):
        return () if result.success.any() else (item.name,)
    if not len(result):
        return (item.name,)
    if item.is_table or result.provenance.get("analysed", {}).get("lost"):
        return ()
    pictures = [Path(path).name for path in result.provenance.get("pictures", ())]
    found = set(result.frame.tolist())
    return tuple(name for number, name in enumerate(pictures) if number not in found)


def places_of(items: Sequence[Item], output: Path | None) -> list[Path]:
    """Where each report goes; in a folder, those of one name keep the folders of their sources."""
    if output is None or len(items) == 1:
        return [report_path(item.source, output) for item in items]
    names = [f"{item.source.stem}{REPORT_ENDING}" for item in items]
    if len(set(names)) == len(names):
        return [output / name for name in names]
    return [output / _number(item, index) for index, item in enumerate(items)]


def overview_path(sources: Sequence[Path], output: Path | None) -> Path:
    """Where an overview goes: into the folder of reports, of a study into its folder, else here."""
    if output is not None:
        return output / OVERVIEW_NAME
    return (sources[0] if len(sources) == 1 and sources[0].is_dir() else Path()) / OVERVIEW_NAME


def overview_of(made: Sequence[Made], path: Path, options: ReportOptions, title: str) -> None:
    """Write the overview of what was made; see `write_overview`."""
    write_overview([each.row for each in made], path, title=title, turned_deg=options.turned_deg)


def _number(item: Item, index: int) -> str:
    return f"{index + 1:04d}-{item.source.stem}{REPORT_ENDING}"


def _is_folder_of_pictures(folder: Path) -> bool:
    names = [path.suffix.lower() for path in folder.iterdir() if path.is_file()]
    return any(suffix in IMAGE_SUFFIXES for suffix in names) and not (folder / STUDY_TABLE).exists()


def _of_study(folder: Path) -> list[Item]:
    known = _known(folder / STUDY_TABLE)
    items = [
        Item(path, path.relative_to(folder).as_posix(), known.get(_key(path.relative_to(folder)), {}))
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in TABLE_SUFFIXES and _is_table(path)
    ]
    done = {_key(item.source.relative_to(folder)) for item in items}
    for name, reason in _failures(folder / FAILURES_TABLE):
        if _key(Path(name)) not in done:
            items.append(Item(folder / name, name, known.get(_key(Path(name)), {}), reason or "not said why"))
    return items


def _key(path: Path) -> str:
    return path.with_suffix("").as_posix()


def _is_table(path: Path) -> bool:
    """Whether a file is a recording's table: not a summary, and not a second format of the same."""
    if path.name.endswith(_NOT_TABLES) or ".partial." in path.name or not path.is_file():
        return False
    if path.suffix.lower() != ".csv":
        return not path.with_suffix(".csv").exists()
    names = _header(path)
    return CONFIDENCE in names and (FRAME in names or FACE in names)


def _known(path: Path) -> dict[str, dict[str, str]]:
    """What a study's table says of each recording before its measurements: columns of the study's list."""
    found: dict[str, dict[str, str]] = {}
    for row in read_rows(path):
        found.setdefault(_key(Path(row.get("file") or "")), known_columns(row))
    return found


def known_columns(row: Mapping[str, str]) -> dict[str, str]:
    """Columns of a study's list in a row of its table: between the file and the face."""
    names = list(row)
    own = names[1 : names.index("face_id")] if "face_id" in names else []
    return {name: row[name] or "" for name in own}


def _failures(path: Path) -> Iterator[tuple[str, str]]:
    for row in read_rows(path):
        name, *rest = [value or "" for value in row.values()]
        yield row.get("file") or name, row.get("reason") or " ".join(rest)


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a CSV table of a study as texts; none where there is no such file."""
    if not path.is_file():
        return
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                yield {name: value for name, value in row.items() if isinstance(name, str)}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TableError(f"{path} can't be read: {error}; expected a CSV table of a study") from error


def _header(path: Path) -> tuple[str, ...]:
    """Names of the columns of a CSV table; none where the file can't be read as text."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            line = file.readline(1_000_000)
    except (OSError, UnicodeDecodeError):
        return ()
    return tuple(name.strip() for name in line.split(","))

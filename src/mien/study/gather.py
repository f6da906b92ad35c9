"""The study's tables, gathered from what is kept of every recording."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mien.results.annotation_tiers import need_annotations
from mien.results.files import whole_file
from mien.study.annotations import write_annotations
from mien.study.dictionary import EVENT_COLUMNS, NOTES, TABLE
from mien.study.event import Event
from mien.study.events import Events
from mien.study.home import DICTIONARY, EVENTS, HOME, LONG, SUMMARY
from mien.study.ledger import Item, read_json, size_of, write_json
from mien.study.record_files import csv_text, write_events, write_records
from mien.study.summaries import Summary
from mien.study.tables import listed_columns


@dataclass(frozen=True, slots=True)
class Forms:
    """Which forms of the study's tables are written.

    Attributes
    ----------
    long
        One row for every number, too.
    annotations
        Endings of files for other programs, ".eaf" and ".TextGrid", beside every table.

    Raises
    ------
    OptionError
        A package that is needed is not installed.
    """

    long: bool = False
    annotations: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.annotations:
            need_annotations()


class Gathering:
    """The tables of a study.

    Parameters
    ----------
    home
        The folder of results.
    items
        Recordings that are done, in order.
    columns
        Further columns of the study's list.
    forms
        What is written.
    """

    def __init__(self, home: Path, items: Sequence[Item], columns: Sequence[str], forms: Forms) -> None:
        self._home, self._items, self._columns, self._forms = home, items, columns, forms

    def up_to_date(self) -> bool:
        """Whether the tables are there, as they would be written."""
        kept = read_json(self._note)
        if kept is None or kept.get("digest") != self._digest():
            return False
        return all(size_of(self._home / name) == size for name, size in kept.get("files", {}).items())

    def write(self) -> list[Path]:
        """Write all tables; those that are no longer wanted are removed.

        Raises
        ------
        OutputError
            One can't be written.
        """
        summary, events = self.summary(), self.events()
        written = self._tables(summary, events)
        written += self._annotations(events)
        for name in (LONG, LONG.replace(".csv", ".json")):
            if not self._forms.long:
                (self._home / name).unlink(missing_ok=True)
        sizes = {path.relative_to(self._home).as_posix(): path.stat().st_size for path in written}
        write_json(self._note, {"digest": self._digest(), "files": sizes})
        return written

    def summary(self) -> Summary:
        """The summary of all recordings."""
        rows: list[dict[str, Any]] = []
        units: tuple[set[str], set[str]] = (set(), set())
        for item, kept in self._kept():
            rows += [{**row, **item.recording.values} for row in kept["rows"]]
            units[0].update(kept["intensities"])
            units[1].update(kept["presences"])
        added = (*listed_columns(self._columns), TABLE, NOTES)
        return Summary(rows, *units, added=added)

    def events(self) -> Events:
        """Events of all recordings."""
        return Events([Event(**event) for _, kept in self._kept() for event in kept["events"]])

    @property
    def _note(self) -> Path:
        return self._home / HOME / "written.json"

    def _kept(self) -> Iterator[tuple[Item, dict[str, Any]]]:
        for item in self._items:
            kept = read_json(item.summary)
            if kept is not None:
                yield item, kept

    def _digest(self) -> str:
        """Tells whether anything that goes into the tables has changed."""
        parts = [repr(self._forms), repr(self._columns)]
        for item in self._items:
            about = item.summary.stat()
            parts.append(f"{item.name} {about.st_mtime_ns} {about.st_size} {dict(item.recording.values)}")
        return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()

    def _tables(self, summary: Summary, events: Events) -> list[Path]:
        home = self._home
        endings = (".csv", ".parquet") if find_spec("pyarrow") is not None else (".csv",)
        written = []
        for ending in endings:
            write_records(summary, summary.columns, home / Path(SUMMARY).with_suffix(ending))
            write_events(events.rows(), home / Path(EVENTS).with_suffix(ending))
            written += [home / Path(name).with_suffix(ending) for name in (SUMMARY, EVENTS)]
        if self._forms.long:
            write_records(summary.long(), summary.long_columns, home / LONG)
            written.append(home / LONG)
        written.append(self._write_dictionary(summary))
        return written

    def _write_dictionary(self, summary: Summary) -> Path:
        """What every column of every table means, as a table."""
        tables = [(SUMMARY, summary.columns), (EVENTS, EVENT_COLUMNS)]
        tables += [(LONG, summary.long_columns)] * self._forms.long
        rows = [
            {"table": table, "column": column.name, "meaning": column.meaning, "unit": column.unit}
            for table, columns in tables
            for column in columns
        ]
        return _write_csv(self._home / DICTIONARY, rows, ("table", "column", "unit", "meaning"))

    def _annotations(self, events: Events) -> list[Path]:
        if not self._forms.annotations:
            return []
        of_file: dict[str, list[Event]] = {}
        for event in events:
            of_file.setdefault(event.file, []).append(event)
        written = []
        for item in self._items:
            if item.recording.is_picture:
                continue
            for ending in self._forms.annotations:
                path = item.outputs.folder / f"{item.outputs.base}{ending}"
                write_annotations(Events(of_file.get(item.name, [])), path, media=item.recording.source)
                written.append(path)
        return written


def write_failures(path: Path, failures: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> bool:
    """Write one row per failed recording; without any, an old file is removed.

    Parameters
    ----------
    path
        The file.
    failures
        Mappings with file, reason, and the columns of the list.
    columns
        Those columns.

    Returns
    -------
    bool
        Whether there are any.
    """
    rows = list(failures)
    if not rows:
        path.unlink(missing_ok=True)
        return False
    _write_csv(path, rows, ("file", *columns, "reason"))
    return True


def _write_csv(path: Path, rows: Iterable[Mapping[str, Any]], names: Sequence[str]) -> Path:
    with whole_file(path) as file:
        file.write(csv_text(rows, names).encode("utf-8"))
    return path

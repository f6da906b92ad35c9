"""Many tables summed up together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from mien.errors import MienError, TableError
from mien.study.dictionary import Column
from mien.study.event import Event
from mien.study.events import Events, FaceEvents
from mien.study.listing import Listing
from mien.study.read import read_series
from mien.study.rules import SummaryOptions
from mien.study.summaries import Row, Summary, summarise_face

Faces = tuple[list[Row], list[Event], set[str], set[str]]


def summarise_tables(
    tables: Iterable[Path], options: SummaryOptions | None = None, listing: Listing | None = None
) -> tuple[Summary, Events, list[MienError]]:
    """Sum up tables, and find their events.

    Parameters
    ----------
    tables
        Files that mien or OpenFace wrote.
    options
        What counts.
    listing
        What is known of the recordings.

    Returns
    -------
    (Summary, Events, list of MienError)
        Rows and events of all tables in order; why some could not be read.

    Raises
    ------
    OptionError
        A package is missing that every table would need.
    """
    options = options or SummaryOptions()
    rows: list[Row] = []
    events: list[Event] = []
    failures: list[MienError] = []
    units: tuple[set[str], set[str]] = (set(), set())
    for path in tables:
        try:
            known = {} if listing is None else listing.of(path.as_posix())
            mine, found, intensities, presences = summarise_table(path, options)
        except TableError as error:
            failures.append(error)
            continue
        rows += [{**row, **known} for row in mine]
        events += found
        units[0].update(intensities)
        units[1].update(presences)
    added = () if listing is None else listed_columns(listing.columns)
    return Summary(rows, *units, added=added), Events(events), failures


def listed_columns(names: Iterable[str]) -> tuple[Column, ...]:
    """Columns of a list, as they stand in summaries."""
    return tuple(Column(name, "As given in the list of the study.") for name in names)


def summarise_table(path: Path, options: SummaryOptions, name: str | None = None) -> Faces:
    """Rows and events of one table, and names of the action units that it has.

    Raises
    ------
    TableError, OptionError
        As `mien.study.read.read_series`.
    """
    series = read_series(path, name=name, fps=options.fps)
    rows, events, intensities, presences = summarise_faces([FaceEvents(each, options) for each in series])
    return rows or [empty_row(name or path.as_posix(), options)], events, intensities, presences


def empty_row(name: str, options: SummaryOptions) -> Row:
    """The row of a recording in which nobody was looked for: what it lacks is missing, not left out."""
    return {"file": name, "frames": 0, "rule": options.rule, "usable_frames": 0}


def summarise_faces(faces: Sequence[FaceEvents]) -> Faces:
    """Rows and events of faces, and names of their action units."""
    return (
        [summarise_face(face) for face in faces],
        [event for face in faces for event in face.found],
        {name for face in faces for name in face.series.intensity},
        {name for face in faces for name in face.series.presence},
    )

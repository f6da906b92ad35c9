"""The page of a recording with the courses of both sides and the coded actions in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from mien.report.making import write_report
from mien.report.options import ReportOptions
from mien.report.report_page import AddedTable
from mien.results.video_result import VideoResult
from mien.shape.mirror import SIDES
from mien.sides.actions import ActionRow
from mien.sides.epochs import Epoch
from mien.sides.result import SidesResult

_HEADS = ("measure", "unit", "change, left", "change, right", "ratio", "index", "correlation", "lag, s")
_NOTE = (
    "Change: the plateau against the median of all frames at rest. Ratio: the smaller change of both sides "
    "by the larger. Index: (left − right) / (left + right). A dash: not measured, or the sides moved too "
    "little to be compared. A research measure, not a diagnosis."
)


def write_sides_report(
    result: SidesResult, epochs: Sequence[Epoch], path: Path, options: ReportOptions | None = None
) -> None:
    """Write the report of a recording with both sides.

    Parameters
    ----------
    result
        Both sides.
    epochs
        Coded actions; they become a table each.
    path
        The report.
    options
        How it is made.

    Raises
    ------
    OutputError
        It can't be written there.
    """
    tables = action_tables(result.actions(epochs)) if epochs else ()
    write_report(with_courses(result), path, options, tables=tuple(tables))


def with_courses(result: SidesResult) -> VideoResult:
    """The whole face's result with the left and right columns of the table of sides as its measures."""
    table = result.to_table()
    shown = {
        name: table[name]
        for name in table.names
        if name.endswith(tuple(f"_{side}" for side in SIDES)) and not any(of in name for of in _LEFT_OUT)
    }
    return replace(
        result.video,
        measures={**result.video.measures, **shown},
        provenance=result.provenance or result.video.provenance,
    )


_LEFT_OUT = ("_static_", "_c_", "_pct_")
"""What would say the same again."""


def action_tables(rows: Iterable[ActionRow]) -> list[AddedTable]:
    """One table for every epoch, of what was measured in it."""
    made = []
    for _, group in groupby(rows, key=lambda row: row.epoch):
        found = list(group)
        one = found[0]
        span, usable = (
            f"{one.start_s:.2f} to {one.end_s:.2f} s",
            f"{one.usable} of {one.frames} frames usable",
        )
        cells = [_cells(row) for row in found if any(value == value for value in row.sides.get("change", ()))]
        made.append(AddedTable("Actions", f"{one.action}, {span}, {usable}", _HEADS, tuple(cells), _NOTE))
    return made


def _cells(row: ActionRow) -> tuple[str | float, ...]:
    paired = (row.paired.get(name, float("nan")) for name in ("ratio", "index", "correlation", "lag"))
    return row.measure.replace("_", " "), row.unit, *row.sides["change"], *paired

"""The overview of a study from its table, without reading the recordings' tables again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from mien.analysis.targets import REPORT_ENDING
from mien.report.many import FAILURES_TABLE, OVERVIEW_NAME, STUDY_TABLE, known_columns, read_rows
from mien.report.overview import OverviewRow, write_overview
from mien.report.quality import Quality

_NAN = float("nan")


def overview_of_study(folder: Path, title: str | None = None) -> Path:
    """Write the overview of a study: a row for every recording, with links to the reports that there are.

    Parameters
    ----------
    folder
        Of the study's results, with study.csv in it.
    title
        Headline; None takes the folder's name.

    Returns
    -------
    Path
        The overview.

    Raises
    ------
    TableError
        study.csv can't be read.
    OutputError
        The overview can't be written.
    """
    best: dict[str, tuple[Mapping[str, str], int]] = {}
    for row in read_rows(folder / STUDY_TABLE):
        name = row.get("file", "")
        kept, faces = best.get(name, (row, 0))
        better = row if _number(row, "usable_frames") > _number(kept, "usable_frames") else kept
        best[name] = (better, faces + 1)
    rows = [_row(folder, name, row, faces) for name, (row, faces) in best.items()]
    rows += [
        OverviewRow(name=row.get("file", ""), failure=row.get("reason", "") or "not said why")
        for row in read_rows(folder / FAILURES_TABLE)
        if row.get("file", "") not in best
    ]
    path = folder / OVERVIEW_NAME
    write_overview(rows, path, title=title or folder.absolute().name)
    return path


def _row(folder: Path, name: str, row: Mapping[str, str], faces: int) -> OverviewRow:
    frames = _number(row, "frames")
    quality = Quality(
        rows=int(frames) if frames == frames else 0,
        usable=int(max(_number(row, "usable_frames"), 0)),
        success_share=_number(row, "success_share", _NAN),
        mean_confidence=_number(row, "mean_confidence", _NAN),
        lost=(),
        turned_share=_NAN,
        length=_number(row, "duration_s", _NAN),
    )
    timed = quality.length == quality.length
    return OverviewRow(
        name=name,
        report=_existing(folder, name),
        quality=quality,
        faces=faces,
        in_seconds=timed,
        known=known_columns(row),
    )


def _existing(folder: Path, name: str) -> Path | None:
    """The report of a recording: named after its stem, or its whole name where stems are the same."""
    places: Iterable[Path] = (
        folder / f"{Path(name).with_suffix('')}{REPORT_ENDING}",
        folder / f"{name}{REPORT_ENDING}",
    )
    return next((path for path in places if path.is_file()), None)


def _number(row: Mapping[str, str], name: str, otherwise: float = -1.0) -> float:
    try:
        return float(row.get(name) or "nan") if row.get(name) else otherwise
    except ValueError:
        return otherwise

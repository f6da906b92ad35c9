"""Reports as files: of one result or table, of a video that is analysed first, of many with an overview."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mien.analysis.targets import REPORT_ENDING
from mien.errors import OutputError
from mien.report.face_rows import faces_in
from mien.report.marks import EventLike, events_of
from mien.report.moments import find_source, on_black, thumbnails
from mien.report.options import ReportOptions
from mien.report.peaks import Peak, peaks_of
from mien.report.report_page import AddedTable, Contents, page
from mien.report.table_results import read_result, sides_beside
from mien.results.files import whole_file
from mien.results.table import readable
from mien.results.video_result import VideoResult


def write_report(
    result: VideoResult | str | Path,
    path: str | Path,
    options: ReportOptions | None = None,
    *,
    events: Sequence[EventLike] | None = None,
    tables: Sequence[AddedTable] = (),
) -> VideoResult:
    """Write the report of a recording: one HTML file that needs nothing else.

    Parameters
    ----------
    result
        What `mien.analyze` gives, or a table of mien or OpenFace (.csv, .parquet, .jsonl). What was measured
        on both sides is taken from NAME.sides.csv beside a table.
    path
        The report; it appears when it is complete, and replaces what was there.
    options
        How it is made.
    events
        Events to mark; None finds those in the intensities of action units.
    tables
        Tables that the page shows besides its own.

    Returns
    -------
    VideoResult
        What the report is about, as far as reports need it.

    Raises
    ------
    TableError
        The table can't be read.
    OutputError
        The report can't be written there.
    OptionError
        A package is missing that the table's format needs.

    Examples
    --------
    >>> write_report(mien.analyze("interview.mp4"), "interview.report.html")
    >>> write_report("openface.csv", "openface.report.html", ReportOptions(pictures="none"))
    """
    options = options or ReportOptions()
    folder = Path()
    if not isinstance(result, VideoResult):
        folder = Path(result).parent
        result = read_recording(result, points=options.pictures != "none")
    text = report_text(result, options, folder=folder, events=events, tables=tables)
    _refuse_to_replace(result, Path(path))
    with whole_file(path) as file:
        file.write(text.encode("utf-8"))
    return result


def report_text(
    result: VideoResult,
    options: ReportOptions | None = None,
    *,
    folder: Path | None = None,
    events: Sequence[EventLike] | None = None,
    tables: Sequence[AddedTable] = (),
) -> str:
    """The report of a result as text; parameters as in `write_report`.

    Parameters
    ----------
    result, options, events, tables
        See there.
    folder
        Where to look for the video, if it is not where it was when it was analysed.
    """
    options = options or ReportOptions()
    peaks: list[Peak] = []
    pictures: Sequence[str | None] = ()
    why = ""
    if options.pictures != "none":
        peaks = peaks_of(faces_in(result, options.min_confidence))
        pictures, why = _pictures(result, peaks, options, folder or Path())
    named = result.source.name if result.source is not None else "recording"
    return page(
        Contents(
            title=readable(options.title or named),
            result=result,
            peaks=peaks,
            pictures=pictures,
            why_no_pictures=why,
            events=events_of(result) if events is None else events,
            options=options,
            tables=tables,
        )
    )


def read_recording(path: str | Path, *, points: bool = True) -> VideoResult:
    """Read a table, with what was measured on both sides where a table of it lies beside.

    Parameters
    ----------
    path, points
        As for `mien.report.table_results.read_result`.
    """
    from mien.report.sides_columns import with_sides

    result = read_result(path, points=points)
    for sides in sides_beside(Path(path)):
        result = with_sides(result, read_result(sides, points=False))
    return result


def report_path(source: Path, output: Path | None) -> Path:
    """Where the report of a source goes: as asked, in a folder, or NAME.report.html beside it."""
    name = f"{source.stem or source.resolve().name}{REPORT_ENDING}"
    if output is None:
        return source.with_name(name)
    return output / name if output.is_dir() else output


def _pictures(
    result: VideoResult, peaks: Sequence[Peak], options: ReportOptions, folder: Path
) -> tuple[Sequence[str | None], str]:
    if options.pictures == "landmarks":
        made = on_black(peaks)
        return made, "" if all(made) or not peaks else "the table has no landmarks"
    return thumbnails(peaks, find_source(result, options, folder)) if peaks else ((), "")


def _refuse_to_replace(result: VideoResult, path: Path) -> None:
    own = result.source.path if result.source is not None else None
    if own is not None and path.exists() and own.exists() and path.samefile(own):
        raise OutputError(f"{path} is what was analysed; choose another name for the report")

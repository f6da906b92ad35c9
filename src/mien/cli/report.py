"""``mien report``: a page to look at before numbers are read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.arguments import ModelArguments, QuietOption, analysis_options, grouped
from mien.cli.console import Console
from mien.cli.exit_codes import ExitCode
from mien.cli.patterns import files_meant
from mien.cli.words import no_face_in, note, say
from mien.errors import OptionError, StoppedError

if TYPE_CHECKING:
    from mien.options import AnalysisOptions
    from mien.report.many import Item, Made
    from mien.report.options import ReportOptions


@grouped
def report(
    sources: Annotated[
        list[Path],
        typer.Argument(
            help="Tables (.csv, also OpenFace's, .parquet, .jsonl), videos, pictures, or a study's folder.",
            show_default=False,
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            help="The report, .html, or a folder; by default NAME.report.html beside each source.",
        ),
    ] = None,
    no_pictures: Annotated[
        bool, typer.Option("--no-pictures", help="Show no face and no landmarks of one.")
    ] = False,
    anonymous: Annotated[
        bool, typer.Option("--anonymous", help="Show landmarks on black in place of faces.")
    ] = False,
    video: Annotated[
        Path | None,
        typer.Option(help="The video of a table, or the folder of its pictures, where it is elsewhere now."),
    ] = None,
    min_confidence: Annotated[float, typer.Option(help="Rows below it do not count, 0 to 1.")] = 0.8,
    turned: Annotated[
        float, typer.Option(help="From which pitch or yaw a head counts as turned too far, degrees.")
    ] = 30.0,
    title: Annotated[str | None, typer.Option(help="Headline; by default the source's name.")] = None,
    *,
    models: ModelArguments,
    quiet: QuietOption = False,
) -> None:
    """Write one HTML file that shows a recording: quality first, then time courses, moments and a summary.

    It needs no server and no network. Videos and pictures are analysed first. Of several sources, and of a
    study, an overview (index.html) lists all, the least usable first.
    """
    from mien.report.many import items_of
    from mien.report.options import ReportOptions

    if no_pictures and anonymous:
        raise OptionError("--no-pictures and --anonymous contradict each other; leave one out")
    options = ReportOptions(
        pictures="none" if no_pictures else "landmarks" if anonymous else "faces",
        video=video,
        min_confidence=min_confidence,
        turned_deg=turned,
        title=title,
    )
    meant = files_meant(sources)
    items, with_overview = items_of(meant)
    if video is not None and len(items) > 1:
        raise OptionError("--video is for one table; of several, videos are found by the tables' provenance")
    wanted = _Wanted(meant, items, _place(output, single=not with_overview), options, with_overview)
    _make(wanted, analysis_options(models), quiet=quiet)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What was asked for: a report of each item, and of several an overview."""

    meant: list[Path]
    items: list[Item]
    place: Path | None
    options: ReportOptions
    overview: bool


def _make(wanted: _Wanted, analysis: AnalysisOptions, *, quiet: bool) -> None:
    """Write all reports, then the overview; ends with the exit code of what happened."""
    console = Console(analysis, quiet=quiet)
    made = _reports(wanted, analysis, console, quiet=quiet)
    if wanted.overview:
        from mien.report.many import overview_of, overview_path

        path = overview_path(wanted.meant, wanted.place)
        overview_of(made, path, wanted.options, wanted.options.title or path.absolute().parent.name)
        if not quiet:
            say(f"Overview: {path}")
    if console.stopped.is_set():
        note("mien: interrupted")
        raise typer.Exit(ExitCode.INTERRUPTED)
    if any(each.error is not None for each in made):
        raise typer.Exit(ExitCode.ERROR)


def _reports(wanted: _Wanted, analysis: AnalysisOptions, console: Console, *, quiet: bool) -> list[Made]:
    """One report after the other; of several, one that fails is named and the others go on."""
    from mien.report.analysing import result_of_source
    from mien.report.many import make_reports

    analyse = partial(result_of_source, options=analysis, watch=console, stopped=console.stopped)
    made = []
    with console.interruptible():
        for each in make_reports(wanted.items, wanted.place, wanted.options, analyse):
            made.append(each)
            if isinstance(each.error, StoppedError):
                break
            if each.error is not None:
                if not wanted.overview:
                    raise each.error
                note(f"mien: {each.error}")
            if each.report is not None and not quiet:
                say(f"Report: {each.report}", *no_face_in(each.faceless))
    return made


def _place(output: str | None, *, single: bool) -> Path | None:
    """The report, or a folder, which is made: of several sources in any case."""
    if output is None:
        return None
    path = Path(output)
    folder = output.endswith(("/", os.sep)) or not single or path.is_dir()
    if folder and path.suffix.lower() in (".html", ".htm") and not path.is_dir():
        raise OptionError(f"{path}: several reports need a folder; choose one with -o")
    if folder:
        from mien.analysis.targets import output_folder

        return output_folder(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise OptionError(f"{path}: expected a name that ends in .html, or a folder with a slash at its end")
    return path

"""``mien analyze``: a video in, a table out."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.exit_codes import ExitCode
from mien.cli.normalised import Normalisation, analyze_normalised
from mien.cli.output import partial_path, table_paths
from mien.cli.run import Tally, consume, summary
from mien.errors import FrameError, OutputError
from mien.options import AnalysisOptions

if TYPE_CHECKING:
    from mien.analysis import Analysis


def analyze(
    videos: Annotated[list[Path], typer.Argument(help="One or more video files.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="The table, .csv or .parquet, or a folder; by default VIDEO's name with .csv, here.",
        ),
    ] = None,
    models: Annotated[
        str | None, typer.Option(help="Model pack, openface or open; by default the first that is complete.")
    ] = None,
    landmarks: Annotated[
        str | None, typer.Option(help="Landmark model: clnf, ce-clm, or the path of a model's main file.")
    ] = None,
    compat: Annotated[
        str | None, typer.Option(help="openface: time from the nominal frame rate, pictures not turned.")
    ] = None,
    start: Annotated[float, typer.Option(help="First second to analyse.")] = 0.0,
    end: Annotated[float | None, typer.Option(help="Stop before this second.")] = None,
    threads: Annotated[int | None, typer.Option(help="Threads; results do not depend on them.")] = None,
    person: Annotated[
        str | None, typer.Option(help="Name of the person in all videos, who gets one neutral face.")
    ] = None,
    neutral: Annotated[
        Path | None, typer.Option(help="Recording of the neutral face: a video, its scores or its table.")
    ] = None,
    keep_scores: Annotated[
        bool, typer.Option("--keep-scores", help="Write NAME.scores.npz too, for mien renormalise.")
    ] = False,
    every: Annotated[
        int, typer.Option(help="Analyse every Nth frame and interpolate between: an approximation.")
    ] = 1,
    skip: Annotated[
        list[str] | None, typer.Option(help="Leave out gaze, aus or parts; may be given several times.")
    ] = None,
    fast: Annotated[
        bool, typer.Option("--fast", help="Approximate the landmarks; docs/performance.md says the cost.")
    ] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")] = False,
) -> None:
    """Analyse the face in each video and write one row per frame, in OpenFace's columns.

    Beside every table, NAME.provenance.json says how it was made.
    """
    options = AnalysisOptions(
        models=models,
        landmarks=landmarks,
        compat=compat,
        start_s=start,
        end_s=end,
        threads=threads,
        every=every,
        skip=tuple(skip or ()),
        fast=fast,
    )
    how = Normalisation(person=person, neutral=neutral, keep_scores=keep_scores)
    tables = table_paths(videos, output)
    if how.wanted:
        code = analyze_normalised(videos, tables, options, how, quiet=quiet)
    else:
        code = _analyze_each(videos, tables, options, quiet=quiet)
    if code != ExitCode.OK:
        raise typer.Exit(code)


def _analyze_each(
    videos: list[Path], tables: list[Path], options: AnalysisOptions, *, quiet: bool
) -> ExitCode:
    code = ExitCode.OK
    for video, table in zip(videos, tables, strict=True):
        done = _run(video, table, options, quiet=quiet)
        if done is ExitCode.INTERRUPTED:
            return done
        code = max(code, done)
    return code


def _run(video: Path, table: Path, options: AnalysisOptions, *, quiet: bool) -> ExitCode:
    from mien.analysis import Analysis

    with Analysis(video, options) as analysis:
        tally = Tally()
        try:
            consume(analysis, tally, quiet=quiet)
        except FrameError:
            if tally.frames:
                _write(analysis, partial_path(table))
                typer.echo(f"mien: the table so far is kept in {partial_path(table)}", err=True)
            raise
        if analysis.stopped:
            return _keep_partial(analysis, table, tally)
        _write(analysis, table)
        if not quiet:
            typer.echo(summary(analysis, table, tally))
        elif analysis.lost:
            typer.echo(f"mien: {video.name}: {analysis.lost}", err=True)
        return ExitCode.INCOMPLETE_SOURCE if analysis.lost else ExitCode.OK


def _keep_partial(analysis: Analysis, table: Path, tally: Tally) -> ExitCode:
    if tally.frames:
        partial = partial_path(table)
        _write(analysis, partial)
        typer.echo(
            f"mien: interrupted; the table of the first {tally.frames} frames is in {partial}", err=True
        )
    else:
        typer.echo("mien: interrupted before the first frame was analysed", err=True)
    return ExitCode.INTERRUPTED


def _write(analysis: Analysis, table: Path) -> None:
    """Write the table, in the folder for temporary files if its own place has failed meanwhile."""
    result = analysis.result()
    try:
        result.save(table)
    except OutputError:
        rescued = Path(tempfile.gettempdir()) / table.name
        result.save(rescued)
        typer.echo(f"mien: the table is kept in {rescued}", err=True)
        raise

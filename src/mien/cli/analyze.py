"""``mien analyze``: a video in, a table out."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.arguments import (
    FaceArguments,
    FileArguments,
    FitArguments,
    ModelArguments,
    QuietOption,
    SpanArguments,
    analysis_options,
    grouped,
)
from mien.cli.exit_codes import ExitCode
from mien.cli.extras import Extras
from mien.cli.normalised import Normalisation, analyze_normalised
from mien.cli.output import partial_path, table_paths
from mien.cli.run import Tally, consume, summary
from mien.errors import FrameError, OptionError, OutputError
from mien.options import AnalysisOptions

if TYPE_CHECKING:
    from mien.analysis import Analysis
    from mien.results import VideoResult


@grouped
def analyze(
    videos: Annotated[
        list[Path],
        typer.Argument(help="Video files, pictures, or folders of pictures.", show_default=False),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="The table, .csv, .parquet or .jsonl, or a folder; by default VIDEO's name with .csv, here.",
        ),
    ] = None,
    *,
    models: ModelArguments,
    span: SpanArguments,
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
    fit: FitArguments,
    faces: FaceArguments,
    files: FileArguments,
    quiet: QuietOption = False,
) -> None:
    """Analyse the face in each video and write one row per frame, in OpenFace's columns.

    Of pictures, every face gets a row. Beside every table, NAME.provenance.json says how it was made.
    """
    extras = files.extras()
    options = analysis_options(models, span, fit, faces, threads=threads)
    how = Normalisation(person=person, neutral=neutral, keep_scores=keep_scores)
    pictures = [] if options.sequence else [path for path in videos if _are_pictures(path)]
    if pictures:
        code = _analyze_pictures(pictures, videos, output, options, extras, how, quiet=quiet)
        raise typer.Exit(code)
    tables = table_paths(videos, output)
    if how.wanted:
        code = analyze_normalised(videos, tables, options, how, extras, quiet=quiet)
    else:
        code = _analyze_each(videos, tables, options, extras, quiet=quiet)
    if code != ExitCode.OK:
        raise typer.Exit(code)


def _are_pictures(path: Path) -> bool:
    from mien.video.source import are_pictures

    return are_pictures(path)


def _analyze_pictures(
    pictures: list[Path],
    sources: list[Path],
    output: Path | None,
    options: AnalysisOptions,
    extras: Extras,
    how: Normalisation,
    *,
    quiet: bool,
) -> ExitCode:
    from mien.cli.pictures import analyze_pictures

    if len(pictures) < len(sources):
        raise OptionError("expected either videos or pictures, got both; analyse them one after the other")
    if how.wanted:
        raise OptionError("person, neutral and keep_scores are for videos; pictures have no neutral face")
    return analyze_pictures(pictures, output, options, extras, quiet=quiet)


def _analyze_each(
    videos: list[Path], tables: list[Path], options: AnalysisOptions, extras: Extras, *, quiet: bool
) -> ExitCode:
    code = ExitCode.OK
    for video, table in zip(videos, tables, strict=True):
        done = _run(video, table, options, extras, quiet=quiet)
        if done is ExitCode.INTERRUPTED:
            return done
        code = max(code, done)
    return code


def _run(video: Path, table: Path, options: AnalysisOptions, extras: Extras, *, quiet: bool) -> ExitCode:
    from mien.analysis import Analysis

    with Analysis(video, options, outputs=extras.outputs(video, table)) as analysis:
        tally = Tally()
        try:
            consume(analysis, tally, quiet=quiet)
        except (FrameError, OutputError):
            if tally.frames:
                _write(analysis, partial_path(table), extras)
                typer.echo(f"mien: the table so far is kept in {partial_path(table)}", err=True)
            raise
        if analysis.stopped:
            return _keep_partial(analysis, table, tally, extras)
        result = _write(analysis, table, extras)
        written = [] if analysis.outputs is None else analysis.outputs.close()
        if not quiet:
            typer.echo(summary(analysis, table, tally))
        elif analysis.lost:
            typer.echo(f"mien: {video.name}: {analysis.lost}", err=True)
        written += extras.finish(video, table, options, result, quiet=quiet)
        if written and not quiet:
            typer.echo("Also: " + ", ".join(str(path) for path in written))
        return ExitCode.INCOMPLETE_SOURCE if analysis.lost else ExitCode.OK


def _keep_partial(analysis: Analysis, table: Path, tally: Tally, extras: Extras) -> ExitCode:
    if tally.frames:
        partial = partial_path(table)
        _write(analysis, partial, extras)
        if analysis.outputs is not None:
            analysis.outputs.close(partial=True)
        typer.echo(
            f"mien: interrupted; the table of the first {tally.frames} frames is in {partial}", err=True
        )
    else:
        typer.echo("mien: interrupted before the first frame was analysed", err=True)
    return ExitCode.INTERRUPTED


def _write(analysis: Analysis, table: Path, extras: Extras) -> VideoResult:
    """Write the table, in the folder for temporary files if its own place has failed meanwhile."""
    result = analysis.result()
    try:
        result.save(table, groups=extras.groups)
    except OutputError:
        rescued = Path(tempfile.gettempdir()) / table.name
        result.save(rescued, groups=extras.groups)
        typer.echo(f"mien: the table is kept in {rescued}", err=True)
        raise
    return result

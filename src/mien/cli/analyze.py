"""``mien analyze``: a video in, a table out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.arguments import (
    CameraArguments,
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
from mien.cli.output import table_paths
from mien.cli.patterns import files_meant
from mien.cli.videos import analyze_videos
from mien.errors import OptionError
from mien.options import AnalysisOptions


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
    lens: CameraArguments,
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
    videos = files_meant(videos)
    extras = files.extras()
    options = analysis_options(models, span, lens, fit, faces, threads=threads)
    how = Normalisation(person=person, neutral=neutral, keep_scores=keep_scores)
    extras.refuse_unmeasured(options)
    pictures = [] if options.sequence else [path for path in videos if _are_pictures(path)]
    if pictures:
        code = _analyze_pictures(pictures, videos, output, options, extras, how, quiet=quiet)
        raise typer.Exit(code)
    tables = table_paths(videos, output)
    extras.refuse_to_draw_over(videos, tables)
    if how.wanted:
        code = analyze_normalised(videos, tables, options, how, extras, quiet=quiet)
    else:
        code = analyze_videos(videos, tables, options, extras, quiet=quiet)
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

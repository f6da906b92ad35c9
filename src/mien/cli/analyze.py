"""``mien analyze``: a video in, a table out."""

from __future__ import annotations

from typing import Annotated

import typer

from mien.cli.arguments import (
    CameraArguments,
    FaceArguments,
    FileArguments,
    FitArguments,
    ModelArguments,
    NeutralOption,
    PersonOption,
    QuietOption,
    SourcesArgument,
    SpanArguments,
    ThreadsOption,
    analysis_options,
    grouped,
    place_meant,
)
from mien.cli.console import Console
from mien.cli.exit_codes import ExitCode
from mien.cli.patterns import files_meant
from mien.cli.words import exit_code, worst


@grouped
def analyze(
    videos: SourcesArgument,
    output: Annotated[
        str | None,
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
    threads: ThreadsOption = None,
    person: PersonOption = None,
    neutral: NeutralOption = None,
    keep_scores: Annotated[bool, "Write NAME.scores.npz too, for mien renormalise."] = False,
    fit: FitArguments,
    faces: FaceArguments,
    files: FileArguments,
    quiet: QuietOption = False,
) -> None:
    """Analyse the face in each video and write one row per frame, in OpenFace's columns.

    Of pictures, every face gets a row. Beside every table, NAME.provenance.json says how it was made.
    """
    from mien.analysis.run_sources import run_sources

    sources = files_meant(videos)
    options = analysis_options(models, span, lens, fit, faces, threads=threads)
    wanted = files.outputs(scores=keep_scores)
    how = None
    if person is not None or neutral is not None or keep_scores:
        from mien.analysis.normalised import Normalisation

        how = Normalisation(person=person, neutral=neutral)
    console = Console(options, quiet=quiet)
    with console.interruptible():
        outcomes = run_sources(
            sources, place_meant(output), wanted, options, how, watch=console, stopped=console.stopped
        )
        codes = []
        for outcome in outcomes:
            console.tell(outcome, alone=len(sources) == 1)
            codes.append(exit_code(outcome, quiet=quiet))
    if worst(codes) != ExitCode.OK:
        raise typer.Exit(worst(codes))

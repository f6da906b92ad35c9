"""``mien sides``: both sides of a face, from a video or pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.arguments import (
    CameraArguments,
    ModelArguments,
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
from mien.cli.words import failure, worst
from mien.errors import MienError

if TYPE_CHECKING:
    from mien.sides.side_jobs import SidesJob, SidesOutcome


@grouped
def sides(
    videos: SourcesArgument,
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", help="The table, .csv, or a folder; by default NAME.sides.csv, here."),
    ] = None,
    *,
    epochs: Annotated[
        Path | None,
        typer.Option(
            help="Coded actions: CSV (start, end, action), a table with a column action, JSON, .eaf or "
            ".TextGrid."
        ),
    ] = None,
    tier: Annotated[str | None, typer.Option(help="Tier of the .eaf or .TextGrid.")] = None,
    neutral: Annotated[
        str | None,
        typer.Option(
            help="What intensities are relative to: pooled (one neutral face of both sides), own (each "
            "side's), the code of an epoch at rest, such as BL, or a recording at rest."
        ),
    ] = None,
    procedure: Annotated[
        str, typer.Option(help="direct, or openface-like: mirrored frames, tracked anew, as published.")
    ] = "direct",
    selfie: Annotated[
        bool, typer.Option("--selfie", help="The pictures are mirrored, as some front cameras store them.")
    ] = False,
    max_yaw: Annotated[float, typer.Option(help="Frames turned further, in degrees, are not usable.")] = 15.0,
    split_tables: Annotated[
        bool, typer.Option("--split-tables", help="A table per side too, in OpenFace's columns.")
    ] = False,
    with_videos: Annotated[
        bool, typer.Option("--with-videos", help="Videos of both composites and of the middle, to look at.")
    ] = False,
    picture: Annotated[
        float | None, typer.Option(help="Second of which a picture with composites and bars is drawn.")
    ] = None,
    models: ModelArguments,
    span: SpanArguments,
    lens: CameraArguments,
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
) -> None:
    """Measure both sides of a face: action units and distances, left and right, frame by frame.

    Left and right are the subject's. A research measure, not a diagnosis: docs/sides.md.
    """
    from mien.analysis.targets import csv_tables, need_source
    from mien.sides.analysis import SidesOptions
    from mien.sides.side_jobs import SidesJob, refuse_to_replace, run_sides

    options = analysis_options(models, span, lens, threads=threads)
    how = SidesOptions(
        procedure=procedure, neutral=neutral, epochs=epochs, tier=tier, selfie=selfie, max_yaw_deg=max_yaw
    )
    sources = [need_source(path, "a video or pictures") for path in files_meant(videos)]
    tables = csv_tables([source.stem for source in sources], place_meant(output), ".sides.csv")
    jobs = [
        SidesJob(
            source=source,
            table=table,
            how=how,
            split_tables=split_tables,
            with_videos=with_videos,
            picture_s=picture,
        )
        for source, table in zip(sources, tables, strict=True)
    ]
    refuse_to_replace(jobs)
    console = Console(options, quiet=quiet)
    codes = []
    with console.interruptible():
        for job in jobs:
            try:
                outcome = run_sides(job, options, watch=console, stopped=console.stopped)
            except MienError as error:
                if len(jobs) == 1:
                    raise
                console.lines([failure(job.source.name, error)], error=True)
                codes.append(ExitCode.ERROR)
                continue
            codes.append(_tell(job, outcome, console, quiet=quiet))
            if outcome.stopped:
                break
    if worst(codes) != ExitCode.OK:
        raise typer.Exit(worst(codes))


def _tell(job: SidesJob, outcome: SidesOutcome, console: Console, *, quiet: bool) -> ExitCode:
    """Say what was done; what was lost is said in any case."""
    result, name = outcome.result, job.source.name
    if outcome.lost:
        console.lines([f"mien: {name}: {outcome.lost}"], error=True)
    if not quiet:
        table, *others = outcome.written
        mirrored = ", pictures taken as mirrored" if job.how.selfie else ""
        console.lines(
            [
                f"{name}: {len(result)} rows, {int(result.usable.sum())} usable, models {outcome.pack}; left "
                f"and right are the subject's{mirrored}. Table: {table}",
                *(["Also: " + ", ".join(path.name for path in others)] if others else []),
                "A research measure, not a diagnosis.",
            ]
        )
        if result.intensity is None:
            console.note(
                "action units of single sides are those that the open models' network gives (AU02, 05, 06, "
                "10, 12, 45); all others need OpenFace's models, the distances do not"
            )
    if outcome.stopped:
        return ExitCode.INTERRUPTED
    if not result.video.success.any():
        return ExitCode.NO_FACE
    return ExitCode.INCOMPLETE_SOURCE if outcome.lost else ExitCode.OK

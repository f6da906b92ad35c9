"""``mien sides``: both sides of a face, from a video or pictures."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.arguments import (
    CameraArguments,
    ModelArguments,
    QuietOption,
    SpanArguments,
    analysis_options,
    grouped,
)
from mien.cli.exit_codes import ExitCode
from mien.errors import MienError, SourceError

if TYPE_CHECKING:
    from mien.sides.jobs import SidesJob, SidesOutcome


@grouped
def sides(
    videos: Annotated[
        list[Path],
        typer.Argument(help="Video files, pictures, or folders of pictures.", show_default=False),
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="The table, .csv, or a folder; by default NAME.sides.csv, here."),
    ] = None,
    *,
    epochs: Annotated[
        Path | None,
        typer.Option(
            help="Coded actions: CSV (start, end, action), a table with a column action, JSON, .eaf or .TextGrid."
        ),
    ] = None,
    tier: Annotated[str | None, typer.Option(help="Tier of the .eaf or .TextGrid.")] = None,
    neutral: Annotated[
        str | None,
        typer.Option(
            help="What intensities are relative to: pooled (one neutral face of both sides), own (each side's), "
            "the code of an epoch at rest, such as BL, or a recording at rest."
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
    threads: Annotated[int | None, typer.Option(help="Threads; results do not depend on them.")] = None,
    quiet: QuietOption = False,
) -> None:
    """Measure both sides of a face: action units and distances, left and right, frame by frame.

    Left and right are the subject's. A research measure, not a diagnosis: docs/sides.md.
    """
    from mien.sides.analysis import SidesOptions
    from mien.sides.jobs import SidesJob, sides_tables

    options = analysis_options(models, span, lens, threads=threads)
    how = SidesOptions(
        procedure=procedure, neutral=neutral, epochs=epochs, tier=tier, selfie=selfie, max_yaw_deg=max_yaw
    )
    _need_sources(videos)
    jobs = [
        SidesJob(
            source=source,
            table=table,
            how=how,
            split_tables=split_tables,
            with_videos=with_videos,
            picture_s=picture,
        )
        for source, table in zip(videos, sides_tables(videos, output), strict=True)
    ]
    code = ExitCode.OK
    stopped = threading.Event()
    for job in jobs:
        try:
            outcome = _run(job, options, stopped, quiet=quiet)
        except MienError as error:
            if len(jobs) == 1:
                raise
            typer.echo(f"mien: {job.source.name}: {error}", err=True)
            code = ExitCode.ERROR
            continue
        _tell(job, outcome, quiet=quiet)
        if outcome.stopped:
            raise typer.Exit(ExitCode.INTERRUPTED)
    if code != ExitCode.OK:
        raise typer.Exit(code)


def _need_sources(paths: list[Path]) -> None:
    for path in paths:
        if not path.exists():
            raise SourceError(f"{path}: no such file; expected a video or pictures")


def _run(job: SidesJob, options: object, stopped: threading.Event, *, quiet: bool) -> SidesOutcome:
    from mien.cli.progress import interruptible, progress, telling_of_compilation
    from mien.sides.jobs import run_sides

    @contextmanager
    def follow(name: str, total: int | None) -> Iterator[Callable[[int], None]]:
        bar = progress(name, total, quiet=quiet)
        tell = (lambda text: None) if quiet else bar.note
        with bar, telling_of_compilation(tell):
            yield bar.advance

    with interruptible(stopped.set, lambda text: typer.echo(text, err=True)):
        return run_sides(job, options, follow=follow, stopped=stopped)  # type: ignore[arg-type]


def _tell(job: SidesJob, outcome: SidesOutcome, *, quiet: bool) -> None:
    """Say what was done; what was lost is said in any case."""
    if outcome.lost:
        typer.echo(f"mien: {job.source.name}: {outcome.lost}", err=True)
    if quiet:
        return
    result = outcome.result
    table, *others = outcome.written
    typer.echo(
        f"{job.source.name}: {len(result)} rows, {int(result.usable.sum())} usable, models {outcome.pack}, "
        f"left and right the subject's{', mirrored pictures' if job.how.selfie else ''}. Table: {table}"
    )
    if result.intensity is None:
        typer.echo("mien: no action units of single sides: they need OpenFace's models", err=True)
    if others:
        typer.echo("Also: " + ", ".join(path.name for path in others))
    typer.echo("A research measure, not a diagnosis.")

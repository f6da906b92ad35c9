"""``mien sides``: both sides of a face, from a video or pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli.arguments import (
    CameraArguments,
    ModelArguments,
    OptionGroup,
    QuietOption,
    SequenceArguments,
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
from mien.cli.words import failure, no_face_in, worst
from mien.errors import MienError, OptionError

if TYPE_CHECKING:
    from mien.options import AnalysisOptions
    from mien.sides.analysis import SidesOptions
    from mien.sides.result import SidesResult
    from mien.sides.side_jobs import SidesJob, SidesOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonArguments(OptionGroup):
    """How the sides are compared."""

    epochs: Annotated[
        Path | None,
        "Coded actions: CSV (start, end, action), a table with a column action, JSON, .eaf or .TextGrid.",
    ] = None
    tier: Annotated[str | None, "Tier of the .eaf or .TextGrid."] = None
    neutral: Annotated[
        str | None,
        "What intensities are relative to: pooled (one neutral face of both sides), own (each side's), the "
        "code of an epoch at rest, such as BL, or a recording at rest.",
    ] = None
    procedure: Annotated[str, "direct, or openface-like: mirrored frames, tracked anew, as published."] = (
        "direct"
    )
    selfie: Annotated[bool, "The pictures are mirrored, as some front cameras store them."] = False
    max_yaw: Annotated[float, "Frames turned further, in degrees, are not usable."] = 15.0

    def options(self) -> SidesOptions:
        """The same for the library.

        Raises
        ------
        OptionError
            A procedure is unknown, or an angle is out of its range.
        """
        from mien.sides.analysis import SidesOptions

        return SidesOptions(
            procedure=self.procedure,
            neutral=self.neutral,
            epochs=self.epochs,
            tier=self.tier,
            selfie=self.selfie,
            max_yaw_deg=self.max_yaw,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SideFileArguments(OptionGroup):
    """Further files."""

    panel = "Further files"

    split_tables: Annotated[bool, "A table per side too, in OpenFace's columns."] = False
    with_videos: Annotated[bool, "Videos of both composites and of the middle, to look at."] = False
    picture: Annotated[float | None, "Second of which a picture with composites and bars is drawn."] = None
    report: Annotated[
        bool, "NAME.report.html: quality, courses of both sides, moments and the actions in one page."
    ] = False
    no_pictures: Annotated[bool, "No face in the report."] = False

    def files(self) -> dict[str, Any]:
        """What a `SidesJob` is told of them.

        Raises
        ------
        OptionError
            Options contradict each other.
        """
        from mien.report.options import ReportOptions

        if self.no_pictures and not self.report:
            raise OptionError("--no-pictures is for --report; add it, or leave --no-pictures out")
        report = ReportOptions(pictures="none" if self.no_pictures else "faces") if self.report else None
        return {
            "split_tables": self.split_tables,
            "with_videos": self.with_videos,
            "picture_s": self.picture,
            "report": report,
        }


@grouped
def sides(
    videos: SourcesArgument,
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", help="The table, .csv, or a folder; by default NAME.sides.csv, here."),
    ] = None,
    *,
    comparison: ComparisonArguments,
    files: SideFileArguments,
    models: ModelArguments,
    span: SpanArguments,
    pictures: SequenceArguments,
    lens: CameraArguments,
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
) -> None:
    """Measure both sides of a face: action units and distances, left and right, frame by frame.

    Left and right are the subject's. A research measure, not a diagnosis: docs/sides.md.
    """
    from mien.analysis.targets import csv_tables, need_source
    from mien.sides.side_jobs import SidesJob, refuse_to_replace

    options = analysis_options(models, span, pictures, lens, threads=threads)
    how, asked = comparison.options(), files.files()
    sources = [need_source(path, "a video or pictures") for path in files_meant(videos)]
    tables = csv_tables([source.stem for source in sources], place_meant(output), ".sides.csv")
    jobs = [
        SidesJob(source=source, table=table, how=how, **asked)
        for source, table in zip(sources, tables, strict=True)
    ]
    refuse_to_replace(jobs)
    code = _run_all(jobs, options, Console(options, quiet=quiet), quiet=quiet)
    if code != ExitCode.OK:
        raise typer.Exit(code)


def _run_all(
    jobs: Sequence[SidesJob], options: AnalysisOptions, console: Console, *, quiet: bool
) -> ExitCode:
    """Run one job after the other; of several, one that fails takes no other along."""
    from mien.sides.side_jobs import run_sides

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
    return worst(codes)


def _tell(job: SidesJob, outcome: SidesOutcome, console: Console, *, quiet: bool) -> ExitCode:
    """Say what was done; what was lost is said in any case."""
    result, name = outcome.result, job.source.name
    if outcome.lost:
        console.lines([f"mien: {name}: {outcome.lost}"], error=True)
    faceless = not result.video.success.any()
    if not quiet:
        table, *others = outcome.written
        mirrored = ", pictures taken as mirrored" if job.how.selfie else ""
        console.lines(
            [
                f"{name}: {len(result)} rows, {int(result.usable.sum())} usable{_why_not(result, job.how)}, "
                f"models {outcome.pack}; left and right are the subject's{mirrored}. Table: {table}",
                *(["Also: " + ", ".join(path.name for path in others)] if others else []),
                *no_face_in([name] * faceless),
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
    if outcome.lost:
        return ExitCode.INCOMPLETE_SOURCE
    return ExitCode.NO_FACE if quiet and faceless else ExitCode.OK


def _why_not(result: SidesResult, how: SidesOptions) -> str:
    """Why some rows are not usable, in brackets; nothing where all are."""
    faceless, turned, cut = result.unusable(how.max_yaw_deg)
    reasons = {
        "without a face": faceless,
        f"turned further than {how.max_yaw_deg:g}°": turned,
        "not whole in the picture": cut,
    }
    told = [f"{count} {reason}" for reason, count in reasons.items() if count]
    return f" ({', '.join(told)})" if told else ""

"""``mien analyze``: a video in, a table out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
from mien.cli.words import also, exit_code, failure, kept, picture_code, picture_summary, summary, worst
from mien.errors import OptionError
from mien.options import AnalysisOptions

if TYPE_CHECKING:
    from mien.analysis.outcome import JobOutcome
    from mien.analysis.outputs import OutputOptions


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
    sources = files_meant(videos)
    wanted = files.outputs(scores=keep_scores)
    options = analysis_options(models, span, lens, fit, faces, threads=threads)
    _refuse_unmeasured(wanted, options)
    console = Console(options, quiet=quiet)
    normalised = person is not None or neutral is not None or keep_scores
    if _are_pictures(sources, options):
        if normalised:
            raise OptionError("person, neutral and keep_scores are for videos; pictures have no neutral face")
        code = _pictures(sources, place_meant(output), wanted, options, console, quiet=quiet)
    else:
        from mien.analysis.jobs import run_jobs, video_jobs

        jobs = video_jobs(sources, place_meant(output), wanted)
        run: Callable[..., Iterable[JobOutcome]] = run_jobs
        if normalised:
            from mien.analysis.normalised import Normalisation, run_normalised

            run = partial(run_normalised, how=Normalisation(person=person, neutral=neutral))
        with console.interruptible():
            outcomes = run(jobs, options, watch=console, stopped=console.stopped)
            code = _tell_all(outcomes, options, console, single=len(jobs) == 1, quiet=quiet)
    if code != ExitCode.OK:
        raise typer.Exit(code)


def _refuse_unmeasured(wanted: OutputOptions, options: AnalysisOptions) -> None:
    """Stop before an analysis whose models give no column of a group that was asked for."""
    from mien.packs import choose_pack
    from mien.results.columns import names_in
    from mien.results.extra import ALL, chosen_extra

    if wanted.extra is None or ALL in names_in(wanted.extra):
        return
    pack = choose_pack(options.models).name
    missing = [group.name for group in chosen_extra(wanted.extra) if pack not in group.packs]
    if missing:
        raise OptionError(
            f"extra: the models {pack} give no {', '.join(missing)}; choose others with --models, or "
            "leave it out"
        )


def _are_pictures(sources: list[Path], options: AnalysisOptions) -> bool:
    from mien.analysis.targets import need_source
    from mien.video.source import are_pictures

    for source in sources:
        need_source(source, "a video or pictures")
    pictures = [] if options.sequence else [path for path in sources if are_pictures(path)]
    if pictures and len(pictures) < len(sources):
        raise OptionError("expected either videos or pictures, got both; analyse them one after the other")
    return bool(pictures)


def _tell_all(
    outcomes: Iterable[JobOutcome],
    options: AnalysisOptions,
    console: Console,
    *,
    single: bool,
    quiet: bool,
) -> ExitCode:
    codes = []
    for outcome in outcomes:
        _tell(outcome, options, console, single=single, quiet=quiet)
        codes.append(exit_code(outcome, quiet=quiet))
    return worst(codes)


def _tell(
    outcome: JobOutcome, options: AnalysisOptions, console: Console, *, single: bool, quiet: bool
) -> None:
    """Say what became of a video; the error of the only one is raised."""
    console.lines(kept(outcome), error=True)
    if outcome.error is not None:
        if single:
            raise outcome.error
        console.lines([failure(outcome.name, outcome.error)], error=True)
    elif quiet and outcome.lost:
        console.lines([f"mien: {outcome.name}: {outcome.lost}"], error=True)
    elif not (quiet or outcome.partial or outcome.stopped):
        table = outcome.written[0]
        console.lines([*summary(outcome, options, f"Table: {table}"), *also(outcome.written, table)])


def _pictures(
    sources: list[Path],
    output: Path | None,
    wanted: OutputOptions,
    options: AnalysisOptions,
    console: Console,
    *,
    quiet: bool,
) -> ExitCode:
    from mien.analysis.picture_jobs import picture_jobs, run_pictures

    codes = []
    with console.interruptible():
        for job in picture_jobs(sources, output, wanted, options):
            outcome = run_pictures(job, options, watch=console, stopped=console.stopped)
            tell_pictures(outcome, options, console, job.place, quiet=quiet)
            codes.append(picture_code(outcome, quiet=quiet))
            if outcome.stopped:
                break
    return worst(codes)


def tell_pictures(
    outcome: JobOutcome, options: AnalysisOptions, console: Console, place: str, *, quiet: bool
) -> None:
    """Say what was found in pictures; raises what ended the work."""
    if outcome.error is not None:
        raise outcome.error
    if not quiet:
        where = place if outcome.rows else "No table was written."
        console.lines(picture_summary(outcome, options, where))
    if outcome.lost:
        console.lines([f"mien: {outcome.lost}"], error=True)
    if outcome.stopped:
        console.lines([f"mien: interrupted after {outcome.frames} pictures"], error=True)

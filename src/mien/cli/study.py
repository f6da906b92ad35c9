"""``mien study``: recordings of a folder or a list in, tables of the whole study out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
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
    QuietOption,
    SpanArguments,
    analysis_options,
    grouped,
)
from mien.cli.exit_codes import ExitCode
from mien.cli.summarise import RuleArguments
from mien.cli.words import no_face_in, note, say
from mien.errors import OptionError

if TYPE_CHECKING:
    from mien.study.engines import Engine
    from mien.study.planning import Plan
    from mien.study.run import Outcome, Study

_WORK = "Which, how many and where"
_NAMED = 5
"""Failures that are named at the end; all are in failures.csv."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkArguments:
    """Which recordings, and where the work is done."""

    include: Annotated[
        list[str] | None,
        typer.Option(
            help="Only files like this, such as '*.mp4' or 'session1/*'; several times.",
            rich_help_panel=_WORK,
        ),
    ] = None
    exclude: Annotated[
        list[str] | None, typer.Option(help="No files like this; several times.", rich_help_panel=_WORK)
    ] = None
    redo: Annotated[bool, typer.Option("--redo", help="Analyse everything anew.", rich_help_panel=_WORK)] = (
        False
    )
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and why.", rich_help_panel=_WORK)
    ] = False
    workers: Annotated[
        int | None,
        typer.Option(
            help="Processes, one thread each; by default as many as cores and memory allow.",
            rich_help_panel=_WORK,
        ),
    ] = None
    shard: Annotated[
        str, typer.Option(help="Only this part, such as 3/20, for job arrays.", rich_help_panel=_WORK)
    ] = "1/1"
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Let the workers of a Dask cluster do it: the scheduler's address, or its file (.json).",
            rich_help_panel=_WORK,
        ),
    ] = None
    own_neutral: Annotated[
        bool,
        typer.Option(
            "--own-neutral",
            help="A neutral face for every video, even if the list has a column person.",
            rich_help_panel=_WORK,
        ),
    ] = False

    @contextmanager
    def engine(self, output: Path) -> Iterator[Callable[[], Engine]]:
        """Give what does the work, once there is any: where nothing has been done yet there surely is.

        Then processes begin at once, and import libraries while this one finds and plans the work.

        Raises
        ------
        OptionError
            Two are asked for.
        """
        from mien.study.engines import DaskEngine, LocalEngine
        from mien.study.home import has_begun

        if self.scheduler is not None:
            if self.workers is not None:
                raise OptionError(
                    "workers are this machine's, a scheduler has its own; leave one of both out"
                )
            yield partial(DaskEngine, self.scheduler)
        elif self.dry_run or has_begun(output):
            yield partial(LocalEngine, self.workers)
        else:
            with closing(LocalEngine(self.workers)) as engine:
                try:
                    yield lambda: engine
                except BaseException:
                    engine.kill()
                    raise


@dataclass(frozen=True, slots=True, kw_only=True)
class FormArguments:
    """Which forms of the study's tables are written."""

    long: Annotated[
        bool, typer.Option("--long", help="Write study_long.csv too, one row for every number.")
    ] = False
    elan: Annotated[bool, typer.Option("--elan", help="Write every video's events for ELAN, NAME.eaf.")] = (
        False
    )
    praat: Annotated[bool, typer.Option("--praat", help="The same for Praat, NAME.TextGrid.")] = False


@grouped
def study(
    place: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER|LIST",
            help="A folder with videos and pictures in it and its folders, or a CSV list with a column file.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder of the results.", show_default=False)
    ],
    *,
    work: WorkArguments,
    form: FormArguments,
    rules: RuleArguments,
    models: ModelArguments,
    span: SpanArguments,
    lens: CameraArguments,
    fit: FitArguments,
    faces: FaceArguments,
    files: FileArguments,
    quiet: QuietOption = False,
) -> None:
    """Analyse all recordings of a study that have not been analysed yet, and sum them up.

    A second call does what is new, changed or failed, and nothing else.
    """
    with work.engine(output) as start:
        # Not before: processes may have begun, and do the same meanwhile.
        from mien.study.find import Choice, find_recordings
        from mien.study.gather import Forms
        from mien.study.planning import Planning, Shard
        from mien.study.run import Study

        choice = Choice(tuple(work.include or ()), tuple(work.exclude or ()))
        recordings, columns = find_recordings(place, output, choice)
        planning = Planning(
            home=output,
            options=analysis_options(models, span, lens, fit, faces),
            wanted=files.outputs(),
            rules=rules.options(),
            redo=work.redo,
            own_neutral=work.own_neutral,
            shard=Shard.parse(work.shard),
        )
        forms = Forms(long=form.long, annotations=(".eaf",) * form.elan + (".TextGrid",) * form.praat)
        made = Study(planning, recordings, columns, forms)
        if work.dry_run:
            say(*_intentions(made.plan()))
            return
        outcome = _followed(made, start, quiet=quiet)
    _tell(outcome, output, quiet=quiet)
    if files.report and planning.shard.whole:
        from mien.report.study_overview import overview_of_study

        overview = overview_of_study(output)
        if not quiet:
            say(f"Overview: {overview}")
    code = _code(outcome)
    if code != ExitCode.OK:
        raise typer.Exit(code)


def _followed(made: Study, start: Callable[[], Engine], *, quiet: bool) -> Outcome:
    """Run a study while somebody watches, who may end it."""
    from mien.cli.progress import interruptible
    from mien.cli.study_progress import follower

    stopped = threading.Event()
    shown = follower(quiet=quiet)
    with interruptible(stopped.set, shown.stopping), shown:
        return made.run(start, follower=shown, stopped=stopped)


def _intentions(plan: Plan) -> list[str]:
    """What would be done, a line each."""
    lines = []
    for item in plan.items:
        verdict = plan.verdicts[item.name]
        lines.append(f"{verdict.state} {item.name}{f' ({verdict.why})' if verdict.why else ''}")
    lines += [f"failed {recording.name} ({recording.fault})" for recording in plan.faults]
    return [*lines, _counts(plan)]


def _counts(plan: Plan) -> str:
    return (
        f"{len(plan.items) + len(plan.faults)} recordings: {plan.done} done, "
        f"{len(plan.items) - plan.done} to do"
    )


def _tell(outcome: Outcome, output: Path, *, quiet: bool) -> None:
    failures = list(outcome.failures.items())
    for name, reason in failures[:_NAMED]:
        note(f"mien: {reason}" if name in reason else f"mien: {name}: {reason}")
    if len(failures) > _NAMED:
        note(f"mien: and {len(failures) - _NAMED} more, all in {output / 'failures.csv'}")
    if outcome.stopped:
        left = outcome.recordings - outcome.done - len(failures)
        note(f"mien: interrupted; {left} recordings are left, and the same command goes on from here")
    if quiet:
        return
    speed = f" ({outcome.frames / outcome.seconds:.0f} frames/s)" if outcome.frames else ""
    parts = [
        f"{outcome.done} of {outcome.recordings} recordings done, {outcome.analysed} of them now: "
        f"{outcome.frames} frames in {outcome.seconds:.1f} s{speed}.",
        f"{len(failures)} failed." if failures else "",
        f"Of {len(outcome.incomplete)}, not all could be read: see notes." if outcome.incomplete else "",
        f"Written: {', '.join(str(path) for path in outcome.written[:3])}." if outcome.written else "",
    ]
    say(" ".join(part for part in parts if part), *no_face_in(sorted(outcome.faceless)))


def _code(outcome: Outcome) -> ExitCode:
    if outcome.stopped:
        return ExitCode.INTERRUPTED
    if outcome.failures:
        return ExitCode.ERROR
    return ExitCode.INCOMPLETE_SOURCE if outcome.incomplete else ExitCode.OK

"""A study from its recordings to its tables."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, wait
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from filelock import Timeout

from mien.errors import OutputError
from mien.options import AnalysisOptions
from mien.storage.leftovers import remove_leftovers
from mien.storage.locking import locked
from mien.study.engines import LOOK_S, Engine
from mien.study.find import Recording
from mien.study.gather import Forms, Gathering, write_failures
from mien.study.home import FAILURES, HOME, is_own
from mien.study.ledger import Item
from mien.study.planning import Plan, Planning
from mien.study.record_files import load_parquet
from mien.study.work import Ended, Task

logger = logging.getLogger(__name__)

LOG = "study.log"


class Follower:
    """Whoever wants to know how far a study is; this one does not."""

    def begin(self, plan: Plan) -> None:
        """Is told what there is to do."""

    def compiling(self) -> None:
        """Is told that kernels are compiled first, which takes a while, once on a machine."""

    def ended(self, ended: Ended, size: int) -> None:
        """Is told what became of a recording of so many bytes."""


@dataclass(slots=True)
class Outcome:
    """What became of a study.

    Attributes
    ----------
    recordings
        How many there are.
    done
        How many have results now.
    analysed
        How many of them are new.
    frames, seconds
        Frames analysed now, and how long all took, s.
    failures
        Names and reasons of those that failed.
    incomplete
        Names of those of which a part could not be read.
    faceless
        Names of those analysed now in which no face was found.
    stopped
        Whether it was stopped.
    written
        Tables of the study written now.
    """

    recordings: int = 0
    done: int = 0
    analysed: int = 0
    frames: int = 0
    seconds: float = 0.0
    failures: dict[str, str] = field(default_factory=dict)
    incomplete: list[str] = field(default_factory=list)
    faceless: list[str] = field(default_factory=list)
    stopped: bool = False
    written: list[Path] = field(default_factory=list)


class Study:
    """A study.

    Parameters
    ----------
    planning
        How it is done, and where its results go.
    recordings
        Its recordings, see `mien.study.find.find_recordings`.
    columns
        Further columns of its list.
    forms
        Which tables it has.

    Examples
    --------
    >>> recordings, columns = find_recordings(Path("interviews"), Path("results"))
    >>> planning = Planning(home=Path("results"), options=AnalysisOptions(), wanted=OutputOptions())
    >>> outcome = Study(planning, recordings, columns).run()
    """

    def __init__(
        self,
        planning: Planning,
        recordings: Sequence[Recording],
        columns: Sequence[str] = (),
        forms: Forms | None = None,
    ) -> None:
        self._planning, self._recordings, self._columns = planning, recordings, columns
        self._forms = forms or Forms()

    def plan(self) -> Plan:
        """What has to be done; nothing is written.

        Raises
        ------
        MienError
            The models are missing, or results would replace one another.
        """
        return self._planning.plan(self._recordings)

    def run(
        self,
        start: Callable[[], Engine] | None = None,
        *,
        follower: Follower | None = None,
        stopped: threading.Event | None = None,
    ) -> Outcome:
        """Do what has to be done, then write the study's tables.

        Parameters
        ----------
        start
            Gives the engine that analyses recordings, if there is anything to do; it is closed in the end.
            None takes processes of this machine.
        follower
            Whoever wants to know how far it is.
        stopped
            Ends it early when set; the next call goes on from there.

        Raises
        ------
        MienError
            Something that holds for every recording, or the study's tables can't be written.
        """
        with _alone(self._planning):
            run = _Run(self._planning, self.plan(), follower or Follower(), stopped or threading.Event())
            run.work(start)
            run.tidy()
            self._report(run)
            return run.outcome

    def _report(self, run: _Run) -> None:
        """Write failures of this call, and tables of all that is done unless this is but a part."""
        home, shard = self._planning.home, self._planning.shard
        name = FAILURES if shard.whole else f"failures-{shard.number}of{shard.count}.csv"
        values = {recording.name: recording.values for recording in self._recordings}
        rows = [
            {**values.get(file, {}), "file": file, "reason": reason}
            for file, reason in run.outcome.failures.items()
        ]
        if write_failures(home / name, rows, self._columns):
            run.outcome.written.append(home / name)
        if not shard.whole:
            return
        for path in home.glob("failures-*.csv"):  # of parts, whose recordings are all in this call
            if is_own(path.stem):
                path.unlink(missing_ok=True)
        done = [item for item in run.plan.items if item.name in run.done]
        gathering = Gathering(home, done, self._columns, self._forms)
        if not gathering.up_to_date():
            run.outcome.written[:0] = gathering.write()


class _Run:
    """One call of a study."""

    def __init__(self, planning: Planning, plan: Plan, follower: Follower, stopped: threading.Event) -> None:
        self.plan, self._follower, self._stopped = plan, follower, stopped
        self._home, self._log = planning.home, planning.home / LOG
        waiting = {item.name for task in plan.tasks for item in task.items}
        self.done = {item.name for item in plan.items} - waiting
        faults = {recording.name: recording.fault for recording in plan.faults}
        self.outcome = Outcome(recordings=len(plan.items) + len(faults), failures=faults)
        self._left, self._at_once = len(plan.tasks), 0
        self._sizes: dict[str, Item] = {item.name: item for item in plan.items}

    def work(self, start: Callable[[], Engine] | None) -> None:
        """Do all tasks."""
        begin = time.perf_counter()
        self._follower.begin(self.plan)
        if self.plan.tasks:
            self._drive(start)
        outcome = self.outcome
        outcome.stopped = self._stopped.is_set()
        outcome.done = len(self.done)
        outcome.seconds = time.perf_counter() - begin

    def tidy(self) -> None:
        """Remove what workers, and earlier calls, that were killed have left behind."""
        folders = {item.outputs.folder for item in self.plan.items}
        own = (Path(folder) for folder, _, _ in os.walk(self._home / HOME))
        for folder in {self._home, *folders, *own}:
            remove_leftovers(folder)

    def _drive(self, start: Callable[[], Engine] | None) -> None:
        from mien.study.driving import drive
        from mien.study.engines import LocalEngine

        with closing((start or LocalEngine)()) as engine:
            self._at_once = engine.at_once
            try:
                if any(not task.only_sum_up for task in self.plan.tasks):
                    self._prepare(engine, self.plan.tasks[0].options)
                drive(self.plan.tasks, engine, self._take, self._stopped)
            except KeyboardInterrupt:
                engine.kill()
                raise

    def _prepare(self, engine: Engine, options: AnalysisOptions) -> None:
        """Let workers read the models, and compile kernels where that has not been done on this machine."""
        from mien.study.warm import compile_kernels, read_models

        if self._answer(engine, partial(read_models, options)):
            self._follower.compiling()
            self._answer(engine, partial(compile_kernels, options))

    def _answer(self, engine: Engine, work: Callable[[], bool]) -> bool:
        """What a worker answers, unless it dies or this study is stopped before; then the tasks will see."""
        future = engine.prepare(work)
        if future is None:
            return False
        while not wait([future], timeout=LOOK_S).done:
            if self._stopped.is_set():
                engine.kill()
                return False
        try:
            return future.result()
        except (BrokenExecutor, CancelledError):
            return False

    def _take(self, task: Task, every: Sequence[Ended]) -> None:
        for ended in every:
            self._count(ended)
            self._write_log(ended)
            self._follower.ended(ended, self._sizes[ended.name].recording.size)
        self._left -= bool(every)  # of a task that took its worker along there is nothing yet
        if self._left < self._at_once:
            load_parquet()  # while a worker has nothing to do any more

    def _count(self, ended: Ended) -> None:
        outcome = self.outcome
        if ended.failed:
            outcome.failures[ended.name] = ended.reason
        elif not ended.stopped:
            self.done.add(ended.name)
            outcome.analysed += ended.analysed
            outcome.frames += ended.frames if ended.analysed else 0
            if ended.faceless:
                outcome.faceless.append(ended.name)
            if ended.lost:
                outcome.incomplete.append(ended.name)

    def _write_log(self, ended: Ended) -> None:
        """A line for every recording."""
        words = log_line(ended)
        moment = datetime.now(UTC).astimezone().isoformat(timespec="seconds")
        try:
            with self._log.open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(f"{moment} {words}\n")
        except OSError as error:
            raise OutputError(f"{self._log} can't be written: {error.strerror}; free the disk") from error


def log_line(ended: Ended) -> str:
    """What became of a recording, in a line."""
    name = ended.name.replace("\n", " ")
    if ended.failed:
        return f"failed {name}: {' '.join(ended.reason.split())}"
    if ended.stopped:
        return f"stopped {name}"
    if not ended.analysed:
        return f"summed up {name}"
    speed = ended.frames / ended.seconds if ended.seconds else 0.0
    lost = f"; lost: {ended.lost}" if ended.lost else ""
    return (
        f"done {name}: {ended.frames} frames, {ended.seconds:.1f} s, {speed:.1f} frames/s, "
        f"{100 * ended.success_share:.1f} % with a face{lost}"
    )


@contextmanager
def _alone(planning: Planning) -> Iterator[None]:
    """Make sure that no other call works on the same recordings of the same study."""
    home, shard = planning.home, planning.shard
    folder = home / HOME
    own = "lock" if shard.whole else f"lock-{shard.number}of{shard.count}"
    beside = f"of{shard.count}"  # parts of the same division have nothing in common
    with closing(ExitStack()) as locks:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not locks.enter_context(locked(folder / own, 0)):
                logger.warning(
                    "%s has no locks: see to it that no other mien study is at work there meanwhile", home
                )
            for path in folder.glob("lock*"):
                if path.name != own and (shard.whole or not path.name.endswith(beside)):
                    with locked(path, 1):
                        pass
        except Timeout as error:
            raise OutputError(
                f"{home}: another mien study is at work there; wait for it, or choose another folder with -o"
            ) from error
        except OSError as error:
            reason = error.strerror or error
            raise OutputError(f"{home} can't be written: {reason}; choose another folder with -o") from error
        yield

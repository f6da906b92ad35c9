"""Tasks are handed to an engine, and what becomes of them is taken, whatever happens to its workers."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait

from mien.analysis.outcome import OF_ALL_SOURCES
from mien.study.engines import Engine
from mien.study.work import Ended, Task, failed_all

_AHEAD = 1
"""Tasks that wait for every worker: none is idle while results are taken."""
_LOOK_S = 0.2
"""How often a wish to stop is looked for, s."""
_DEATHS = 2
DIED = (
    "the process that analysed it was ended by the system, twice: probably there was not enough memory; try "
    "fewer --workers"
)


def drive(
    tasks: Iterable[Task],
    engine: Engine,
    take: Callable[[Task, list[Ended]], None],
    stopped: threading.Event,
) -> None:
    """Do all tasks.

    Parameters
    ----------
    tasks
        What to do, in this order.
    engine
        Where.
    take
        Is given what became of every task, once for each.
    stopped
        Ends it: no further task begins.

    Raises
    ------
    OptionError, ModelsMissingError, ModelFileError, ProviderError
        Something that holds for every recording.
    """
    _Drive(tasks, engine, take, stopped).run()


class _Drive:
    def __init__(
        self,
        tasks: Iterable[Task],
        engine: Engine,
        take: Callable[[Task, list[Ended]], None],
        stopped: threading.Event,
    ) -> None:
        self._waiting, self._suspects = deque(tasks), deque[Task]()
        self._engine, self._take, self._stopped = engine, take, stopped
        self._flying: dict[Future[list[Ended]], Task] = {}
        self._alone = Counter[int]()
        self._told = False

    def run(self) -> None:
        while self._waiting or self._suspects or self._flying:
            if self._stopped.is_set():
                self._stop()
                if not self._flying:
                    return
            self._submit()
            done, _ = wait(self._flying, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
            broken = [task for future in done if (task := self._land(future)) is not None]
            if broken:
                self._after_a_death(broken)

    def _stop(self) -> None:
        self._waiting.clear()
        self._suspects.clear()
        if not self._told:
            self._told = True
            self._engine.stop()
        for future in list(self._flying):
            if future.cancel():
                del self._flying[future]

    def _submit(self) -> None:
        """Keep the workers busy; after a death, one task at a time, until it is known whose fault it was."""
        if self._suspects:
            if not self._flying:
                self._send(self._suspects.popleft())
            return
        while self._waiting and len(self._flying) < self._engine.workers * (1 + _AHEAD):
            if not self._send(self._waiting.popleft()):
                return

    def _send(self, task: Task) -> bool:
        try:
            self._flying[self._engine.submit(task)] = task
        except BrokenExecutor:
            self._waiting.appendleft(task)
            self._after_a_death([])
            return False
        return True

    def _land(self, future: Future[list[Ended]]) -> Task | None:
        """Take what became of a task; gives it back if its worker died."""
        task = self._flying.pop(future)
        try:
            self._take(task, future.result())
        except BrokenExecutor:
            return task
        except CancelledError:
            self._take(task, [Ended(name=item.name, stopped=True) for item in task.items])
        except OF_ALL_SOURCES:
            raise
        except Exception as error:
            if not future.done() or future.exception() is not error:
                raise  # of whoever takes
            self._take(task, failed_all(task, f"{type(error).__name__}: {error}"))
        return None

    def _after_a_death(self, broken: list[Task]) -> None:
        """Try what was at work again, one at a time; who takes a worker along twice, alone, is to blame."""
        lost = [*broken, *self._flying.values()]
        self._flying.clear()
        self._engine.renew()
        if len(lost) == 1:
            self._alone[id(lost[0])] += 1
        for task in lost:
            if self._alone[id(task)] >= _DEATHS:
                self._take(task, failed_all(task, DIED))
            else:
                self._suspects.append(task)

"""Tasks are handed to an engine, and what becomes of them is taken, whatever happens to its workers."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait

from mien.analysis.outcome import OF_ALL_SOURCES
from mien.errors import StoppedError
from mien.study.engines import LOOK_S, Engine
from mien.study.work import Ended, Task, failed_all

DIED = (
    "the process that analysed it was ended by the system, twice: probably there was not enough memory; try "
    "fewer --workers"
)

GONE = (
    "the workers are gone, and whoever had them has given up the rest; what is done stays done, and the same "
    "command goes on from here"
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
    StoppedError
        The engine has given up its tasks.
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
        self._died: set[int] = set()
        self._told = False

    def run(self) -> None:
        while self._waiting or self._suspects or self._flying:
            if self._stopped.is_set():
                self._stop()
            self._submit()
            wait(self._flying, timeout=LOOK_S, return_when=FIRST_COMPLETED)
            for future in [each for each in self._flying if each.done()]:  # cancelled ones, too
                self._land(future, self._flying.pop(future))

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
        """Keep the workers busy; what took one along is tried again in the end, when it has all memory."""
        while self._waiting and len(self._flying) < self._engine.at_once:
            self._send(self._waiting.popleft())
        if self._suspects and not self._flying:
            self._send(self._suspects.popleft())

    def _send(self, task: Task) -> None:
        self._flying[self._engine.submit(task)] = task

    def _land(self, future: Future[list[Ended]], task: Task) -> None:
        """Take what became of a task."""
        try:
            every = future.result()
        except BrokenExecutor:
            every = self._after_a_death(task)
        except CancelledError as error:
            if not self._stopped.is_set():
                raise StoppedError(GONE) from error
            every = [Ended(name=item.name, stopped=True) for item in task.items]
        except OF_ALL_SOURCES:
            raise
        except Exception as error:
            every = failed_all(task, f"{type(error).__name__}: {error}")
        self._take(task, every)

    def _after_a_death(self, task: Task) -> list[Ended]:
        if id(task) in self._died:
            return failed_all(task, DIED)
        self._died.add(id(task))
        self._suspects.append(task)
        return []

"""Where tasks are done: processes of this machine, or whatever else offers Python's `Executor`."""

from __future__ import annotations

import atexit
import logging
import multiprocessing
import os
import signal
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from mien.errors import OptionError
from mien.options import available_cores
from mien.runtime.own_process import leave_out_unneeded
from mien.study.warm import import_libraries

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

    from mien.study.work import Ended, Task

Result = TypeVar("Result")

LOOK_S = 0.2
"""How often whoever waits for a task looks for a wish to stop, s."""
WORKER_BYTES = 500_000_000
"""Memory that a worker is counted with; docs/studies.md says what one needs."""
_SPARE = 0.8
"""Share of the free memory that workers may take."""


class Engine(ABC):
    """Does tasks, several at a time; what an engine can't do, it leaves out."""

    @property
    @abstractmethod
    def at_once(self) -> int:
        """How many it is given at a time."""

    @abstractmethod
    def submit(self, task: Task) -> Future[list[Ended]]:
        """Begin a task, now or when a worker is free.

        If its worker dies, its future has a `concurrent.futures.BrokenExecutor`.
        """

    def prepare(self, work: Callable[[], bool]) -> Future[bool] | None:
        """Let every worker do something before its tasks; gives what one of them answers."""
        return None

    def stop(self) -> None:  # noqa: B027
        """Let tasks that have begun end early; else they end by themselves, and the next call finds them."""

    def kill(self) -> None:  # noqa: B027
        """End tasks at once; what they were at has no result."""

    def close(self) -> None:  # noqa: B027
        """End; tasks that have not begun are given up."""


class LocalEngine(Engine):
    """Processes of this machine, one thread each.

    Each is a pool of its own: where the system ends one, the others go on. They begin at once, and import
    what tasks need while whoever has the tasks is still planning them.

    Parameters
    ----------
    workers
        How many; None takes as many as there are cores and memory for.
    """

    def __init__(self, workers: int | None = None) -> None:
        if workers is not None and workers < 1:
            raise OptionError(f"workers: expected 1 or more, got {workers}")
        self.workers = workers or usual_workers()
        # Started afresh, not forked: threads and locks of this process are of no use to them.
        self._context = multiprocessing.get_context("spawn")
        self._stopped = self._context.Event()
        self._pools = [self._pool() for _ in range(self.workers)]
        self._at_work: dict[int, Future[list[Ended]]] = {}

    @property
    def at_once(self) -> int:
        """As many as there are processes."""
        return self.workers

    def prepare(self, work: Callable[[], bool]) -> Future[bool]:
        """Let all processes do it at the same time."""
        first, *_ = [self._begin(place, work) for place in range(self.workers)]
        return first

    def submit(self, task: Task) -> Future[list[Ended]]:
        """Begin a task in a process that is free."""
        free = [place for place, future in self._at_work.items() if future.done()]
        place = next((each for each in range(self.workers) if each not in self._at_work), *free[:1])
        self._at_work[place] = self._begin(place, self._work(task))
        return self._at_work[place]

    def stop(self) -> None:
        """Let all processes end their videos after the frame at hand."""
        self._stopped.set()

    def kill(self) -> None:
        """End the processes at once, whatever they are doing."""
        for pool in self._pools:
            for process in list(getattr(pool, "_processes", None) or {}):
                with suppress(OSError):
                    os.kill(process, getattr(signal, "SIGKILL", signal.SIGTERM))

    def close(self) -> None:
        """End the processes after what they are at; nobody need wait until they are gone."""
        for pool in self._pools:
            pool.shutdown(wait=False, cancel_futures=True)
        wait(self._at_work.values())

    def _pool(self) -> ProcessPoolExecutor:
        pool = ProcessPoolExecutor(1, self._context, initializer=_begin_process, initargs=(self._stopped,))
        pool.submit(import_libraries)
        return pool

    def _work(self, task: Task) -> Callable[[], list[Ended]]:
        return partial(_run_in_process, task)

    def _begin(self, place: int, work: Callable[[], Result]) -> Future[Result]:
        """Let a process do something; one that died is replaced."""
        try:
            return self._pools[place].submit(work)
        except BrokenExecutor:
            self._pools[place].shutdown()
            self._pools[place] = self._pool()
            return self._pools[place].submit(work)


class ExecutorEngine(Engine):
    """Any `Executor` that somebody has, such as Dask's or MPI's.

    Parameters
    ----------
    executor
        It; whoever made it ends it.
    workers
        How many tasks it does at a time.
    """

    def __init__(self, executor: Executor, workers: int) -> None:
        self._executor, self.workers = executor, max(1, workers)

    @property
    def at_once(self) -> int:
        """Two for every worker, which need not wait then until it is given the next."""
        return 2 * self.workers

    def submit(self, task: Task) -> Future[list[Ended]]:
        """Begin a task when a worker is free."""
        from mien.study.work import run_task

        return self._executor.submit(run_task, task)


class DaskEngine(ExecutorEngine):
    """The workers of a Dask cluster.

    Parameters
    ----------
    address
        Of the scheduler, such as tcp://10.0.0.1:8786, or the path of its scheduler file (.json).

    Raises
    ------
    OptionError
        Dask is not installed, or there is no scheduler or worker.
    """

    def __init__(self, address: str) -> None:
        try:
            import distributed
        except ImportError as error:
            raise OptionError(
                "a scheduler needs Dask; install it here and for the workers: pip install 'mien[cluster]'"
            ) from error
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # we say what went wrong
        where = {"scheduler_file": address} if address.endswith(".json") else {"address": address}
        client: Any = distributed.Client
        try:
            self._client = client(**where, timeout="20s", set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise OptionError(
                f"{address}: no Dask scheduler answers there ({error}); start one with: dask scheduler"
            ) from error
        threads = sum(self._client.nthreads().values())
        if not threads:
            self._client.close()
            raise OptionError(
                f"{address}: the scheduler has no workers; start some: dask worker {address} --nthreads 1"
            )
        super().__init__(self._client.get_executor(pure=False), threads)

    def close(self) -> None:
        """Leave the cluster; it goes on without us."""
        self._client.close()


@dataclass(slots=True)
class _Process:
    """What a worker process knows of the world."""

    stopped: Event | None = None


_HERE = _Process()


def _begin_process(stopped: Event) -> None:
    """Begin a worker: whether it shall end is its parent's business, and it does not outlive its parent."""
    leave_out_unneeded()
    # What it wrote is in its place: taking apart libraries and models piece by piece would take 0.3 s.
    atexit.register(os._exit, 0)
    _HERE.stopped = stopped
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # which systems send to every process of a job
        with suppress(ValueError, AttributeError):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="mien-parent", daemon=True).start()


def _end_with_parent() -> None:
    from multiprocessing.connection import wait

    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _run_in_process(task: Task) -> list[Ended]:
    from mien.study.work import run_task

    # What is asked of it, processes' events answer as threads' do.
    return run_task(task, cast(threading.Event, _HERE.stopped))


def usual_workers() -> int:
    """As many workers as there are cores, and free memory for."""
    free = free_memory()
    if free is None:
        return available_cores()
    return max(1, min(available_cores(), int(free * _SPARE // WORKER_BYTES)))


def free_memory() -> int | None:
    """Memory that is free for new processes, bytes, within the limits of a container; None if unknown."""
    known = [value for value in (_system_memory(), _container_memory()) if value is not None]
    return min(known, default=None)


def _system_memory() -> int | None:
    with suppress(OSError, ValueError, IndexError), open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    names: Any = getattr(os, "sysconf_names", {})
    if "SC_PHYS_PAGES" in names:  # macOS: all of it, since nothing tells what is free
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    return None


def _container_memory() -> int | None:
    """What Linux's control group leaves."""
    places = (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    )
    for limit, used in places:
        with suppress(OSError, ValueError):
            with open(limit, encoding="ascii") as file:
                most = int(file.read())
            with open(used, encoding="ascii") as file:
                return max(0, most - int(file.read()))
    return None

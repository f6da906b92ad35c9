"""Measures where time goes, from outside: methods are wrapped for as long as a profile runs.

Normal runs know nothing of it and pay nothing for it.
"""

from __future__ import annotations

import functools
import operator
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from time import perf_counter
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")

Observer = Callable[[Any], None]
"""Told of every result of a probed function."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A function or method to time.

    Attributes
    ----------
    stage
        Row of the table that its time is counted in.
    module
        Module in which it is looked up.
    name
        Its name there, "function" or "Class.method".
    whole
        Whether probes inside it count as part of it.
    iterates
        Whether it gives an iterator, whose time per item is what counts.
    """

    stage: str
    module: str
    name: str
    whole: bool = False
    iterates: bool = False

    def find(self) -> tuple[Any, str]:
        """The module or class that holds it, and its name there.

        Raises
        ------
        AttributeError
            There is no such thing.
        """
        holder, _, name = self.name.rpartition(".")
        owner = import_module(self.module)
        if holder:
            owner = operator.attrgetter(holder)(owner)
        getattr(owner, name)
        return owner, name


@dataclass(frozen=True, slots=True)
class StageTime:
    """Time of one stage.

    Attributes
    ----------
    stage
        Its name.
    calls
        How often it ran.
    frame_ms
        (N,) float64: milliseconds in each frame, without the stages that it called.
    """

    stage: str
    calls: int
    frame_ms: NDArray[np.float64]

    def percentile_ms(self, percent: float) -> float:
        """Milliseconds that ``percent`` of the frames do not exceed."""
        return float(np.percentile(self.frame_ms, percent))


class Profiler:
    """Adds up the time of stages per frame; time inside a nested stage counts for that one only.

    Stages may run in several threads at the same time; their frames are then only roughly told apart.
    """

    def __init__(self) -> None:
        self._local = threading.local()
        self._lock = threading.Lock()
        self._frame: dict[str, float] = {}
        self._frames: list[dict[str, float]] = []
        self._calls: dict[str, int] = {}

    @property
    def _stack(self) -> list[_Running]:
        """What is running in this thread, the innermost last."""
        stack: list[_Running] | None = getattr(self._local, "stack", None)
        if stack is None:
            stack = self._local.stack = []
        return stack

    def timed(
        self, stage: str, function: Callable[..., T], *, whole: bool = False, observe: Observer | None = None
    ) -> Callable[..., T]:
        """Wrap a function so that its time is counted."""

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> T:
            with self.running(stage, whole=whole):
                result = function(*args, **kwargs)
            if observe is not None:
                observe(result)
            return result

        return call

    @contextmanager
    def running(self, stage: str, *, whole: bool = False) -> Iterator[None]:
        """Count the time of a block, unless it is part of a whole."""
        stack = self._stack
        outer = stack[-1] if stack else None
        own = _Running(stage, whole or (outer is not None and outer.whole))
        stack.append(own)
        begin = perf_counter()
        try:
            yield
        finally:
            elapsed = perf_counter() - begin
            stack.pop()
            if outer is None or not outer.whole:
                self._count(stage, elapsed - own.nested)
                if outer is not None:
                    outer.nested += elapsed

    def _count(self, stage: str, seconds: float) -> None:
        with self._lock:
            self._frame[stage] = self._frame.get(stage, 0.0) + seconds
            self._calls[stage] = self._calls.get(stage, 0) + 1

    def iterate(self, stage: str, items: Iterable[T]) -> Iterator[T]:
        """Count the time that an iterable takes to give its items."""
        iterator = iter(items)
        try:
            while True:
                with self.running(stage):
                    item = next(iterator, _END)
                if item is _END:
                    return
                yield item
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()

    def inside(self, stage: str) -> bool:
        """Whether a stage is running now in this thread."""
        return any(running.stage == stage for running in self._stack)

    def next_frame(self) -> None:
        """What follows belongs to the next frame."""
        self._frames.append(self._frame)
        self._frame = {}

    def forget(self) -> None:
        """Start counting anew."""
        self._frame, self._frames, self._calls = {}, [], {}

    def times(self) -> list[StageTime]:
        """Time of all stages that ran in closed frames, in the order in which they first ended."""
        stages = dict.fromkeys(stage for frame in self._frames for stage in frame)
        return [
            StageTime(
                stage, self._calls[stage], 1e3 * np.array([frame.get(stage, 0.0) for frame in self._frames])
            )
            for stage in stages
        ]

    @contextmanager
    def watching(
        self, probes: Iterable[Probe], observers: dict[str, Observer] | None = None
    ) -> Iterator[None]:
        """Wrap functions and methods within the block; objects that bind methods must be made inside it.

        Parameters
        ----------
        probes
            What to time.
        observers
            By a probe's ``name``: told of its results.
        """
        with ExitStack() as restore:
            for probe in probes:
                owner, name = probe.find()
                original = getattr(owner, name)
                observe = (observers or {}).get(probe.name)
                setattr(owner, name, self._wrapped(probe, original, observe))
                restore.callback(setattr, owner, name, original)
            yield

    def _wrapped(
        self, probe: Probe, function: Callable[..., Any], observe: Observer | None
    ) -> Callable[..., Any]:
        if probe.iterates:
            return lambda *args, **kwargs: self.iterate(probe.stage, function(*args, **kwargs))
        return self.timed(probe.stage, function, whole=probe.whole, observe=observe)


_END: Any = object()


class _Running:
    """A stage that is running, and the time of those inside it."""

    __slots__ = ("nested", "stage", "whole")

    def __init__(self, stage: str, whole: bool) -> None:
        self.stage = stage
        self.whole = whole
        self.nested = 0.0

"""What a user sees while a video is analysed; rich is imported only where there is a terminal."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from mien.cli.words import note, printable, say

_REFRESH_HZ = 4
_ENDING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)
)
"""Signals that ask the program to end, on the system at hand."""

_told = threading.Event()
"""Whether the user knows that kernels are being compiled."""


class Silent:
    """No progress: for -q and for output that is not a terminal."""

    def advance(self, frames: int = 1) -> None:
        """Some more frames are done."""

    def note(self, text: str) -> None:
        """Say something on a line of its own."""
        note(text)

    def say(self, text: str) -> None:
        """Write a line to standard output."""
        say(text)

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *error: object) -> None:
        pass


class Bar(Silent):
    """A progress bar on standard error: frames, frames per second, time left."""

    def __init__(self, name: str, total: int | None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("frames"),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(compact=True),
            console=Console(stderr=True),
            refresh_per_second=_REFRESH_HZ,
            transient=True,
        )
        self._task = self._progress.add_task(printable(name), total=total, rate="")

    def advance(self, frames: int = 1) -> None:
        """Some more frames are done."""
        speed = self._progress.tasks[0].speed
        self._progress.update(self._task, advance=frames, rate=f"{speed:.0f}/s" if speed else "")

    def note(self, text: str) -> None:
        """Print a line above the bar."""
        with suppress(OSError):  # the terminal may be gone
            self._progress.console.print(printable(text), markup=False, highlight=False)

    def say(self, text: str) -> None:
        """Print a line above the bar, or to standard output where that is no terminal."""
        if sys.stdout.isatty():
            self.note(text)
        else:
            say(text)

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(OSError):
            self._progress.stop()


def progress(name: str, total: int | None, *, quiet: bool) -> Silent:
    """A bar where standard error is a terminal, else nothing."""
    return Bar(name, total) if sys.stderr.isatty() and not quiet else Silent()


def tell_of_compilation(tell: Callable[[str], None]) -> None:
    """Say that kernels are being compiled, once in a process: the first run on a machine is slow."""
    if not _told.is_set():
        _told.set()
        tell("Compiling for this machine: some seconds, only once …")


@contextmanager
def telling_of_compilation(tell: Callable[[str], None]) -> Iterator[None]:
    """Say so when kernels are being compiled within the block."""
    from mien.runtime.compilation import on_compilation

    with on_compilation(lambda: tell_of_compilation(tell)):
        yield


@contextmanager
def interruptible(stop: Callable[[], None], tell: Callable[[str], None]) -> Iterator[None]:
    """Let the first Ctrl-C call ``stop``, so that work ends between two frames; a second one interrupts.

    The system's wish that the program ends (SIGTERM), and the end of the session (SIGHUP), count as Ctrl-C.
    What the program was started to ignore, as by nohup, it ignores.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _ENDING}
    before = {number: action for number, action in before.items() if action != signal.SIG_IGN}

    def restore() -> None:
        for number, action in before.items():
            signal.signal(number, action)

    def handle(number: int, frame: FrameType | None) -> None:
        restore()
        stop()
        tell("Stopping after this frame; press Ctrl-C again to give up its table too.")

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        restore()

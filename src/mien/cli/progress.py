"""What a user sees while a video is analysed; rich is imported only where there is a terminal."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import typer

_REFRESH_HZ = 4

_told = threading.Event()
"""Whether the user knows that kernels are being compiled."""


class Silent:
    """No progress: for -q and for output that is not a terminal."""

    def advance(self, frames: int = 1) -> None:
        """Some more frames are done."""

    def note(self, text: str) -> None:
        """Say something on a line of its own."""
        typer.echo(text, err=True)

    def say(self, text: str) -> None:
        """Write a line to standard output."""
        typer.echo(text)

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
        self._task = self._progress.add_task(name, total=total, rate="")

    def advance(self, frames: int = 1) -> None:
        """Some more frames are done."""
        speed = self._progress.tasks[0].speed
        self._progress.update(self._task, advance=frames, rate=f"{speed:.0f}/s" if speed else "")

    def note(self, text: str) -> None:
        """Print a line above the bar."""
        self._progress.console.print(text, markup=False, highlight=False)

    def say(self, text: str) -> None:
        """Print a line above the bar, or to standard output where that is no terminal."""
        if sys.stdout.isatty():
            self.note(text)
        else:
            typer.echo(text)

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
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
    """Let the first Ctrl-C call ``stop``, so that work ends between two frames; a second one interrupts."""

    def handle(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, previous)
        stop()
        tell("Stopping after this frame; press Ctrl-C again to give up its table too.")

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)

"""A user at a terminal follows an analysis, and may end it."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mien.analysis.watch import Watch
from mien.cli.progress import Silent, interruptible, progress, telling_of_compilation
from mien.cli.warmup import compile_first
from mien.cli.words import failure, kept, summary

if TYPE_CHECKING:
    from mien.analysis.outcome import JobOutcome
    from mien.options import AnalysisOptions
    from mien.packs import Pack


class Console(Watch):
    """A `mien.analysis.watch.Watch` that shows progress and says what there is to say.

    Parameters
    ----------
    options
        How sources are analysed.
    quiet
        Whether only errors and warnings are printed.

    Attributes
    ----------
    stopped : threading.Event
        Set by the first Ctrl-C within `interruptible`.
    """

    def __init__(self, options: AnalysisOptions, *, quiet: bool) -> None:
        self.stopped = threading.Event()
        self._options, self._quiet = options, quiet
        self._bar: Silent = Silent()
        self._ready = False

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Let Ctrl-C, or the system's wish that the program ends, stop the work between two frames."""
        with interruptible(self.stopped.set, self._say):
            yield

    @contextmanager
    def step(self, name: str, total: int | None, pack: Pack | None = None) -> Iterator[Callable[[int], None]]:
        """Show one step; those in other threads have a part of the bar of the main one."""
        if threading.current_thread() is not threading.main_thread():
            yield self._bar.advance
            return
        if pack is not None:
            self._get_ready(pack)
        bar = progress(name, total, quiet=self._quiet)
        # What there is now stays to the end: collections of garbage need not look at it again and again.
        gc.freeze()
        with bar, telling_of_compilation(self._say):
            self._bar = bar
            try:
                yield bar.advance
            finally:
                self._bar = Silent()

    def note(self, text: str) -> None:
        """Print a sentence, unless only errors are wanted."""
        self._say(f"mien: {text}")

    def warn(self, text: str) -> None:
        """Print a sentence in any case."""
        self._bar.note(f"mien: {text}")

    def lines(self, lines: list[str], *, error: bool = False) -> None:
        """Print lines above the bar."""
        for line in lines:
            if error:
                self._bar.note(line)
            else:
                self._bar.say(line)

    def tell(self, outcome: JobOutcome, *, alone: bool = True) -> None:
        """Say what became of a job.

        Raises
        ------
        MienError
            What went wrong with the only job, which is ``alone``, or with pictures.
        """
        self.lines(kept(outcome), error=True)
        if outcome.error is not None:
            if alone or outcome.pictures:
                raise outcome.error
            self.lines([failure(outcome.name, outcome.error)], error=True)
        elif not self._quiet and (outcome.pictures or not (outcome.partial or outcome.stopped)):
            self.lines(summary(outcome, self._options))
        elif self._quiet and outcome.lost:
            self.lines([f"mien: {outcome.name}: {outcome.lost}"], error=True)

    def _get_ready(self, pack: Pack) -> None:
        """Say once which models are used, and compile what has not been compiled on this machine before."""
        if not self._ready:
            self._ready = True
            self._say(pack.notice)
            compile_first(pack, self._options, self._say)

    def _say(self, text: str) -> None:
        if not self._quiet:
            self._bar.note(text)

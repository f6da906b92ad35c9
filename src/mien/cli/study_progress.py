"""How far a study is: a bar at a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from mien.cli.progress import tell_of_compilation
from mien.cli.words import note, printable
from mien.study.run import Follower

if TYPE_CHECKING:
    from mien.study.planning import Plan
    from mien.study.work import Ended

_EVERY_S = 15.0
"""Time between two lines where there is no terminal, s."""
STOPPING = "Stopping; what is done stays done. Press Ctrl-C again to end at once."


class StudyProgress(Follower):
    """Counts, and says nothing: for -q."""

    def __init__(self) -> None:
        self.files = self.ended_files = self.failed = self.frames = 0
        self.bytes = self.ended_bytes = 0
        self._begin = time.monotonic()

    def begin(self, plan: Plan) -> None:
        """Learn what there is to do."""
        self.files = sum(len(task.items) for task in plan.tasks)
        self.bytes = sum(task.size for task in plan.tasks)
        self._begin = time.monotonic()

    def ended(self, ended: Ended, size: int) -> None:
        """Count a recording."""
        self.ended_files += not ended.stopped
        self.failed += ended.failed
        self.frames += ended.frames if ended.analysed else 0
        self.ended_bytes += size
        self.show()

    def show(self) -> None:
        """Show how far it is."""

    def compiling(self) -> None:
        """Learn that kernels are compiled first; -q wants to know nothing of it."""

    def stopping(self, text: str) -> None:
        """Say that it is going to end."""
        note(STOPPING)

    @property
    def words(self) -> str:
        """How far it is: files, failures, frames per second, time left."""
        passed = time.monotonic() - self._begin
        parts = [f"{self.ended_files} of {self.files} done"]
        parts += [f"{self.failed} failed"] * bool(self.failed)
        parts += [f"{self.frames / passed:.0f} frames/s"] * (passed > 0)
        left = self.seconds_left(passed)
        return ", ".join(parts + ([] if left is None else [f"{duration(left)} left"]))

    def seconds_left(self, passed: float) -> float | None:
        """Time left, from how many bytes of the recordings are done; None before anything is."""
        if not self.ended_bytes or not self.bytes:
            return None
        return passed * (self.bytes - self.ended_bytes) / self.ended_bytes

    def __enter__(self) -> StudyProgress:
        return self

    def __exit__(self, *error: object) -> None:
        pass


class Lines(StudyProgress):
    """A line on standard error now and then."""

    def __init__(self) -> None:
        super().__init__()
        self._next = time.monotonic() + _EVERY_S

    def compiling(self) -> None:
        """Say so."""
        tell_of_compilation(note)

    def show(self) -> None:
        """Write a line, if the last was some time ago."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _EVERY_S
            note(self.words)


class StudyBar(StudyProgress):
    """A bar on standard error."""

    def __init__(self) -> None:
        super().__init__()
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._bar = Progress(
            BarColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task("looking at what is there", total=None)

    def begin(self, plan: Plan) -> None:
        """Learn what there is to do."""
        super().begin(plan)
        self.show()

    def ended(self, ended: Ended, size: int) -> None:
        """Count a recording, and name it above the bar if it failed."""
        if ended.failed:
            self._say(f"failed {ended.name}: {ended.reason}")
        super().ended(ended, size)

    def show(self) -> None:
        """Move the bar."""
        self._bar.update(
            self._task, total=self.bytes or 1, completed=self.ended_bytes, description=printable(self.words)
        )

    def compiling(self) -> None:
        """Say so above the bar."""
        tell_of_compilation(self._say)

    def stopping(self, text: str) -> None:
        """Say above the bar that it is going to end."""
        self._say(STOPPING)

    def _say(self, text: str) -> None:
        with suppress(OSError):  # the terminal may be gone
            self._bar.console.print(printable(text), markup=False, highlight=False)

    def __enter__(self) -> StudyBar:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(OSError):
            self._bar.stop()


def follower(*, quiet: bool) -> StudyProgress:
    """What shows the progress here."""
    if quiet:
        return StudyProgress()
    return StudyBar() if sys.stderr.isatty() else Lines()


def duration(seconds: float) -> str:
    """A time in words: 40 s, 12 min, 3 h 20 min."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"

"""One analysis under the eyes of a user: progress while it runs, a summary at its end."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mien.cli.progress import interruptible, progress, telling_of_compilation
from mien.cli.warmup import compile_first

if TYPE_CHECKING:
    from mien.analysis import Analysis


@dataclass(slots=True)
class Tally:
    """What the summary says, counted while frames pass by."""

    frames: int = 0
    successes: int = 0
    confidence: float = 0.0
    seconds: float = 0.0

    def add(self, success: bool, confidence: float) -> None:
        """Count a frame."""
        self.frames += 1
        self.successes += success
        if confidence == confidence:  # NaN where no face was found
            self.confidence += confidence


def consume(analysis: Analysis, tally: Tally, *, quiet: bool) -> None:
    """Analyse all frames, with a progress bar where there is a terminal."""
    from mien.models.packs import notice

    if not quiet:
        typer.echo(notice(analysis.pack), err=True)
    compile_first(analysis.pack, analysis.options, (lambda text: None) if quiet else _say)
    begin = time.perf_counter()
    bar = progress(analysis.info.name, analysis.info.frame_count, quiet=quiet)
    tell = (lambda text: None) if quiet else bar.note
    with bar, telling_of_compilation(tell), interruptible(analysis.stop, tell):
        for face in analysis:
            tally.add(face.landmarks.success, face.landmarks.confidence)
            bar.advance()
    tally.seconds = time.perf_counter() - begin


def _say(text: str) -> None:
    typer.echo(text, err=True)


def summary(analysis: Analysis, table: Path, tally: Tally) -> str:
    """Say in one paragraph what was analysed, how it went and where the table is."""
    count = max(1, tally.frames)
    speed = tally.frames / tally.seconds if tally.seconds else 0.0
    rate = f"{speed:.0f}" if speed >= 10 else f"{speed:.1f}"
    parts = [
        f"{analysis.info.name}: {tally.frames} frames in {tally.seconds:.1f} s ({rate} frames/s).",
        f"A face was found in {100 * tally.successes / count:.1f} % of them,"
        f" mean confidence {tally.confidence / count:.2f}.",
        f"Models: {analysis.stages.pack}, {analysis.stages.landmark_model}.",
        f"Table: {table}",
    ]
    lost = f"\nNot all of the video could be read: {analysis.lost}." if analysis.lost else ""
    return " ".join(parts) + lost

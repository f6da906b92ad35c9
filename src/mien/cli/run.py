"""One analysis under the eyes of a user: progress while it runs, a summary at its end."""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mien.cli.progress import interruptible, progress, telling_of_compilation
from mien.cli.warmup import compile_first

if TYPE_CHECKING:
    from mien.analysis import Analysis
    from mien.datatypes import FaceResult
    from mien.options import AnalysisOptions
    from mien.packs import Pack

_NAMED = 12
"""Faces that a summary lists."""


@dataclass(slots=True)
class Tally:
    """What the summary says, counted while frames pass by.

    ``rows`` and ``successes`` count faces in frames, ``people`` the successes of each identity.
    """

    frames: int = 0
    rows: int = 0
    successes: int = 0
    confidence: float = 0.0
    seconds: float = 0.0
    people: Counter[int] = field(default_factory=Counter)

    def add(self, face: FaceResult) -> None:
        """Count a face."""
        self.rows += 1
        self.successes += face.landmarks.success
        self.people[face.face_id] += face.landmarks.success
        if face.landmarks.confidence == face.landmarks.confidence:  # NaN where no face was found
            self.confidence += face.landmarks.confidence


def consume(analysis: Analysis, tally: Tally, *, quiet: bool) -> None:
    """Analyse all frames, with a progress bar where there is a terminal."""
    get_ready(analysis.pack, analysis.options, quiet=quiet)
    bar = progress(analysis.info.name, analysis.info.frame_count, quiet=quiet)
    tell = (lambda text: None) if quiet else bar.note
    with bar, telling_of_compilation(tell), interruptible(analysis.stop, tell):
        count_faces(analysis, tally, bar.advance)


def get_ready(pack: Pack, options: AnalysisOptions, *, quiet: bool) -> None:
    """Say which models are used, and compile what has not been compiled on this machine before."""
    from mien.packs import notice

    if not quiet:
        typer.echo(notice(pack), err=True)
    compile_first(pack, options, (lambda text: None) if quiet else _say)


def count_faces(analysis: Analysis, tally: Tally, advance: Callable[[int], None]) -> None:
    """Analyse all frames; ``advance`` is told how many more are done."""
    # What there is now stays to the end: collections of garbage need not look at it again and again.
    gc.freeze()
    begin = time.perf_counter()
    try:
        for face in analysis:
            tally.add(face)
            advance(analysis.frames - tally.frames)
            tally.frames = analysis.frames
    finally:
        tally.frames = analysis.frames
        tally.seconds = time.perf_counter() - begin


def _say(text: str) -> None:
    typer.echo(text, err=True)


def summary(analysis: Analysis, table: Path, tally: Tally) -> str:
    """Say in one paragraph what was analysed, how it went and where the table is."""
    speed = tally.frames / tally.seconds if tally.seconds else 0.0
    rate = f"{speed:.0f}" if speed >= 10 else f"{speed:.1f}"
    parts = [
        f"{analysis.info.name}: {tally.frames} frame{'s' * (tally.frames != 1)} in {tally.seconds:.1f} s "
        f"({rate} frames/s).",
        f"{_found(analysis, tally)}, mean confidence {tally.confidence / max(1, tally.rows):.2f}.",
        f"Models: {analysis.stages.pack}, {analysis.stages.landmark_model}.",
        *networks_sentence(analysis.options, analysis.stages.networks()),
        f"Table: {table}",
    ]
    lost = f"\nNot all of the video could be read: {analysis.lost}." if analysis.lost else ""
    return " ".join(parts) + lost


def networks_sentence(options: AnalysisOptions, networks: dict[str, str]) -> list[str]:
    """Say where networks ran; nothing where nobody asked for anything but the processor."""
    if options.device == "cpu":
        return []
    return [f"Networks ran on: {', '.join(sorted(set(networks.values()))) or 'nothing was needed'}."]


def _found(analysis: Analysis, tally: Tally) -> str:
    count = max(1, tally.frames)
    if analysis.options.faces != "many":
        return f"A face was found in {100 * tally.successes / count:.1f} % of them"
    if not tally.people:
        return "Nobody was found"
    shares = [f"{face_id} ({100 * found / count:.0f} %)" for face_id, found in sorted(tally.people.items())]
    more = f" and {len(shares) - _NAMED} more" if len(shares) > _NAMED else ""
    noun = "Face" if len(shares) == 1 else "Faces"
    return f"{noun} found, and in how many of them: {', '.join(shares[:_NAMED])}{more}"

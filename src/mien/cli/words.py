"""What commands say: lines that can always be written, and the words for what became of a job."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mien.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from mien.analysis.outcome import JobOutcome
    from mien.errors import MienError
    from mien.options import AnalysisOptions

_NAMED = 12
"""Faces that a summary lists."""
_WORST_LAST = (
    ExitCode.OK,
    ExitCode.NO_FACE,
    ExitCode.INCOMPLETE_SOURCE,
    ExitCode.ERROR,
    ExitCode.INTERRUPTED,
)


def say(*lines: str) -> None:
    """Write lines to standard output."""
    _write(lines, error=False)


def note(*lines: str) -> None:
    """Write lines to standard error."""
    _write(lines, error=True)


def printable(line: str) -> str:
    """A line without what a terminal would obey or could not show: names of files may hold anything."""
    shown = (char if char.isprintable() else char.encode("unicode_escape").decode() for char in line)
    return "".join(shown)


def _write(lines: Iterable[str], *, error: bool) -> None:
    """Write lines; nobody may be reading, or the disk be full: the work is worth more than words about it."""
    try:
        for line in lines:
            typer.echo(_encodable(printable(line), sys.stderr if error else sys.stdout), err=error)
    except (OSError, ValueError):
        name = "stderr" if error else "stdout"
        # Python flushes once more at its end, and must not fail then.
        setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115


def _encodable(line: str, stream: Any) -> str:
    """A line that a stream can take whose encoding has few letters."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return line.encode(encoding, "backslashreplace").decode(encoding)


def open_missing_streams() -> None:
    """Put something in the place of closed standard streams.

    Else the next file that is opened would take the number of one, and get what libraries print there.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w" if number else "r"))  # noqa: SIM115


def failure(name: str, error: MienError) -> str:
    """One line about a source that failed."""
    return f"mien: {error}" if name in str(error) else f"mien: {name}: {error}"


def kept(outcome: JobOutcome) -> list[str]:
    """Lines about what an analysis that ended early has left."""
    if not outcome.partial or not outcome.written:
        if outcome.stopped:
            return ["mien: interrupted before the first frame was analysed"]
        return []
    table = outcome.written[0]
    if outcome.stopped:
        return [f"mien: interrupted; the table of the first {outcome.frames} frames is in {table}"]
    if outcome.error is not None:
        return [f"mien: the table so far is kept in {table}"]
    return [
        f"mien: {outcome.name}: the others are missing; its table by itself is kept in {table}, and mien "
        "renormalise makes it anew from the scores beside it"
    ]


def summary(outcome: JobOutcome, options: AnalysisOptions, where: str) -> list[str]:
    """Say in one paragraph what was analysed, how it went and where the table is."""
    speed = outcome.frames / outcome.seconds if outcome.seconds else 0.0
    rate = f"{speed:.0f}" if speed >= 10 else f"{speed:.1f}"
    parts = [
        f"{outcome.name}: {_count(outcome.frames, 'frame')} in {outcome.seconds:.1f} s ({rate} frames/s).",
        f"{_found(outcome, options)}, mean confidence {outcome.mean_confidence:.2f}.",
        f"Models: {outcome.pack}, {outcome.landmark_model}.",
        *networks_sentence(options, outcome.networks),
        where,
    ]
    lines = [" ".join(parts), *(f"Note: {sentence}." for sentence in outcome.notes)]
    if outcome.lost:
        lines.append(f"Not all of the video could be read: {outcome.lost}.")
    return lines + remarks(outcome)


def remarks(outcome: JobOutcome) -> list[str]:
    """Lines about results that are probably not what somebody hoped for."""
    if outcome.faceless:
        return [f"No face was found in {outcome.name}."]
    if outcome.mostly_impossible:
        share = 100 * outcome.impossible / outcome.successes
        return [
            f"In {share:.0f} % of the frames with a face the head has a pose that no visible face has: is "
            f"{outcome.name} upside down or on its side?"
        ]
    return []


def picture_summary(outcome: JobOutcome, options: AnalysisOptions, where: str) -> list[str]:
    """Say what was found in pictures, and in which nothing was."""
    found = (
        f"{_count(outcome.rows, 'face')} in {_count(outcome.frames, 'picture')}, {outcome.seconds:.1f} s. "
        f"Models: {outcome.pack}, {outcome.landmark_model}."
    )
    lines = [" ".join([f"{outcome.name}: {found}", *networks_sentence(options, outcome.networks), where])]
    lines += [f"Note: {sentence}." for sentence in outcome.notes]
    if outcome.empty:
        more = f" and {len(outcome.empty) - 3} more" if len(outcome.empty) > 3 else ""
        lines.append(f"No face was found in {', '.join(outcome.empty[:3])}{more}.")
    return lines


def networks_sentence(options: AnalysisOptions, networks: dict[str, str]) -> list[str]:
    """Say where networks ran; nothing where nobody asked for anything but the processor."""
    if options.device == "cpu":
        return []
    return [f"Networks ran on: {', '.join(sorted(set(networks.values()))) or 'nothing was needed'}."]


def exit_code(outcome: JobOutcome, *, quiet: bool = False) -> ExitCode:
    """What one job means for the end of the program."""
    if outcome.stopped:
        return ExitCode.INTERRUPTED
    if outcome.error is not None:
        return ExitCode.ERROR
    if outcome.lost:
        return ExitCode.INCOMPLETE_SOURCE
    return ExitCode.NO_FACE if quiet and outcome.faceless else ExitCode.OK


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """The code that counts among several."""
    return max(codes, key=_WORST_LAST.index, default=ExitCode.OK)


def picture_code(outcome: JobOutcome, *, quiet: bool = False) -> ExitCode:
    """What pictures mean for the end of the program; a face is one that was detected."""
    code = exit_code(outcome)
    if code is ExitCode.OK and quiet and outcome.frames and not outcome.rows:
        return ExitCode.NO_FACE
    return code


def also(written: Iterable[Path], table: Path | None) -> list[str]:
    """A line that names what was written besides the table."""
    others = [str(path) for path in written if path != table]
    return [f"Also: {', '.join(others)}"] if others else []


def _found(outcome: JobOutcome, options: AnalysisOptions) -> str:
    count = max(1, outcome.frames)
    if options.faces != "many":
        return f"A face was found in {100 * outcome.successes / count:.1f} % of them"
    if not outcome.people:
        return "Nobody was found"
    shares = [f"{face_id} ({100 * found / count:.0f} %)" for face_id, found in outcome.people]
    more = f" and {len(shares) - _NAMED} more" if len(shares) > _NAMED else ""
    noun = "Face" if len(shares) == 1 else "Faces"
    return f"{noun} found, and in how many of them: {', '.join(shares[:_NAMED])}{more}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

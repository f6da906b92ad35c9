"""What commands say: lines that can always be written, and the words for what became of a job."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import typer

from mien.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from mien.analysis.outcome import JobOutcome
    from mien.errors import MienError
    from mien.options import AnalysisOptions

_NAMED = 12
"""Faces that a summary lists."""
_TURNS = {90: "transpose=clock", 180: "hflip,vflip", 270: "transpose=cclock"}
"""FFmpeg's filters that turn clockwise."""
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
    if outcome.pictures:
        return [f"mien: interrupted after {outcome.frames} pictures"] if outcome.stopped else []
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


def summary(outcome: JobOutcome, options: AnalysisOptions) -> list[str]:
    """Say in one paragraph what was analysed and how it went, where the files are, and what else to know."""
    tables, others = _tables(outcome)
    if outcome.pictures:
        went = (
            f"{_count(outcome.rows, 'face')} in {_count(outcome.frames, 'picture')}, {outcome.seconds:.1f} s."
        )
        found = ""
    else:
        speed = outcome.frames / outcome.seconds if outcome.seconds else 0.0
        rate = f"{speed:.0f}" if speed >= 10 else f"{speed:.1f}"
        went = f"{_count(outcome.frames, 'frame')} in {outcome.seconds:.1f} s ({rate} frames/s)."
        found = f"{_found(outcome, options)}, mean confidence {outcome.mean_confidence:.2f}."
    models = f"Models: {outcome.pack}, {outcome.landmark_model}."
    networks = networks_sentence(options, outcome.networks)
    lines = [" ".join(filter(None, [f"{outcome.name}: {went}", found, models, *networks, tables]))]
    lines += [f"Note: {sentence}." for sentence in outcome.notes]
    if outcome.lost:
        lines.append(f"Not all of it could be read: {outcome.lost}.")
    return [*lines, *remarks(outcome, options.compat), *([f"Also: {others}"] if others else [])]


def _tables(outcome: JobOutcome) -> tuple[str, str]:
    """Where the table is, or the tables of pictures; and what else was written."""
    from mien.analysis.targets import TABLE_SUFFIXES

    tables = [path for path in outcome.written if path.suffix in TABLE_SUFFIXES]
    if not tables:
        return "No table was written.", ", ".join(map(str, outcome.written))
    if outcome.pictures and len({path.with_suffix("") for path in tables}) > 1:
        folders = list(dict.fromkeys(f"{path.parent}/" for path in tables))
        return f"Tables: {', '.join(folders[:3])}{' …' if len(folders) > 3 else ''}", ""
    return f"Table: {tables[0]}", ", ".join(str(path) for path in outcome.written if path != tables[0])


def remarks(outcome: JobOutcome, compat: str | None = None) -> list[str]:
    """Lines about results that are probably not what somebody hoped for."""
    if outcome.empty:
        return no_face_in(outcome.empty)
    lines = no_face_in([outcome.name] * outcome.faceless)
    if outcome.turned_deg:
        return [*lines, _turned(outcome, compat)]
    if outcome.mostly_impossible and not outcome.pictures:
        share = 100 * outcome.impossible / outcome.successes
        lines.append(
            f"In {share:.0f} % of the frames with a face the head has a pose that no visible face has: is "
            f"{outcome.name} upside down or on its side?"
        )
    return lines


def no_face_in(names: Sequence[str]) -> list[str]:
    """Say in which recordings or pictures no face was found; nothing where there are none."""
    if not names:
        return []
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return [f"No face was found in {', '.join(names[:3])}{more}."]


def _turned(outcome: JobOutcome, compat: str | None) -> str:
    """Say that a video should be turned, and how."""
    from mien.analysis.outcome import turned_sentence

    asked = turned_sentence(outcome.name, outcome.turned_deg)
    if outcome.source is None or outcome.source.is_dir():
        return f"{asked} Turn its pictures first."
    # Compatibility reads pictures as they are stored, and so must FFmpeg.
    stored = "-noautorotate " if compat else ""
    return f"{asked} Turn it first: ffmpeg {stored}-i VIDEO -vf {_TURNS[outcome.turned_deg]} TURNED.mp4"


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

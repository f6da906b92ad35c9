"""``mien analyze``: a video in, a table out."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.exit_codes import ExitCode
from mien.cli.output import partial_path, table_path
from mien.cli.progress import interruptible, progress, telling_of_compilation
from mien.cli.warmup import compile_first
from mien.errors import FrameError, OutputError, SourceError
from mien.options import AnalysisOptions

if TYPE_CHECKING:
    from mien.analysis import Analysis


def analyze(
    video: Annotated[Path, typer.Argument(help="A video file.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="The table, .csv or .parquet; by default VIDEO's name with .csv, here."
        ),
    ] = None,
    models: Annotated[
        str | None, typer.Option(help="Model pack, openface or open; by default the first that is complete.")
    ] = None,
    landmarks: Annotated[
        str | None, typer.Option(help="Landmark model: clnf, ce-clm, or the path of a model's main file.")
    ] = None,
    compat: Annotated[
        str | None, typer.Option(help="openface: time from the nominal frame rate, pictures not turned.")
    ] = None,
    start: Annotated[float, typer.Option(help="First second to analyse.")] = 0.0,
    end: Annotated[float | None, typer.Option(help="Stop before this second.")] = None,
    threads: Annotated[int | None, typer.Option(help="Threads; results do not depend on them.")] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")] = False,
) -> None:
    """Analyse the face in a video and write one row per frame, in OpenFace's columns.

    Beside the table, NAME.provenance.json says how it was made.
    """
    options = AnalysisOptions(
        models=models, landmarks=landmarks, compat=compat, start_s=start, end_s=end, threads=threads
    )
    if not video.exists():
        raise SourceError(f"{video}: no such file; expected a video")
    table = table_path(video, output)
    code = _run(video, table, options, quiet=quiet)
    if code != ExitCode.OK:
        raise typer.Exit(code)


@dataclass(slots=True)
class _Tally:
    """What the summary says, counted while frames pass by."""

    frames: int = 0
    successes: int = 0
    confidence: float = 0.0
    seconds: float = 0.0

    def add(self, success: bool, confidence: float) -> None:
        self.frames += 1
        self.successes += success
        if confidence == confidence:  # NaN where no face was found
            self.confidence += confidence


def _run(video: Path, table: Path, options: AnalysisOptions, *, quiet: bool) -> ExitCode:
    from mien.analysis import Analysis

    with Analysis(video, options) as analysis:
        tally = _Tally()
        try:
            _consume(analysis, tally, quiet=quiet)
        except FrameError:
            if tally.frames:
                _write(analysis, partial_path(table))
                typer.echo(f"mien: the table so far is kept in {partial_path(table)}", err=True)
            raise
        if analysis.stopped:
            return _keep_partial(analysis, table, tally)
        _write(analysis, table)
        if not quiet:
            typer.echo(_summary(analysis, table, tally))
        elif analysis.lost:
            typer.echo(f"mien: {video.name}: {analysis.lost}", err=True)
        return ExitCode.INCOMPLETE_SOURCE if analysis.lost else ExitCode.OK


def _consume(analysis: Analysis, tally: _Tally, *, quiet: bool) -> None:
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


def _keep_partial(analysis: Analysis, table: Path, tally: _Tally) -> ExitCode:
    if tally.frames:
        partial = partial_path(table)
        _write(analysis, partial)
        typer.echo(
            f"mien: interrupted; the table of the first {tally.frames} frames is in {partial}", err=True
        )
    else:
        typer.echo("mien: interrupted before the first frame was analysed", err=True)
    return ExitCode.INTERRUPTED


def _write(analysis: Analysis, table: Path) -> None:
    """Write the table, in the folder for temporary files if its own place has failed meanwhile."""
    result = analysis.result()
    try:
        result.save(table)
    except OutputError:
        rescued = Path(tempfile.gettempdir()) / table.name
        result.save(rescued)
        typer.echo(f"mien: the table is kept in {rescued}", err=True)
        raise


def _summary(analysis: Analysis, table: Path, tally: _Tally) -> str:
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

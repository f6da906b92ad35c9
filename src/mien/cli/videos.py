"""``mien analyze`` with videos: one after the other, or on an accelerator several at the same time."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mien.cli.exit_codes import ExitCode
from mien.cli.extras import Extras
from mien.cli.output import partial_path
from mien.cli.progress import Silent, interruptible, progress, telling_of_compilation
from mien.cli.run import Tally, consume, count_faces, get_ready, summary
from mien.errors import FrameError, MienError, OutputError, SourceError
from mien.options import AnalysisOptions

if TYPE_CHECKING:
    from mien.analysis import Analysis
    from mien.packs import SharedModels
    from mien.results import VideoResult

AT_THE_SAME_TIME = 4
"""Videos in flight on an accelerator: more would add memory (a pipeline each) and little else."""

_WORST_LAST = (ExitCode.OK, ExitCode.INCOMPLETE_SOURCE, ExitCode.ERROR, ExitCode.INTERRUPTED)
_OF_ONE_VIDEO = (SourceError, FrameError, OutputError)


def analyze_videos(
    videos: list[Path],
    tables: list[Path],
    options: AnalysisOptions,
    extras: Extras,
    *,
    quiet: bool,
    together: int | None = None,
) -> ExitCode:
    """Analyse videos and write a table of each.

    Of several, one that fails does not keep the others from being analysed; the worst exit code counts.

    Parameters
    ----------
    videos, tables
        As many of both.
    options, extras
        How they are analysed, and what is written besides.
    quiet
        Whether only errors are printed.
    together
        How many are analysed at the same time; None takes 1 on the processor, whose cores one video keeps
        busy, and up to `AT_THE_SAME_TIME` elsewhere.

    Raises
    ------
    MienError
        The models can't be read, options contradict each other, or the only video failed.
    """
    from mien.runtime.sessions import resolve_device

    if together is None:
        together = 1 if resolve_device(options.device) == "cpu" else AT_THE_SAME_TIME
    if together > 1 and len(videos) > 1:
        return _Flight(options, extras, quiet=quiet).run(videos, tables, min(together, len(videos)))
    return _one_after_the_other(videos, tables, options, extras, quiet=quiet)


def _one_after_the_other(
    videos: list[Path], tables: list[Path], options: AnalysisOptions, extras: Extras, *, quiet: bool
) -> ExitCode:
    def follow(analysis: Analysis, tally: Tally) -> None:
        consume(analysis, tally, quiet=quiet)

    code = ExitCode.OK
    for video, table in zip(videos, tables, strict=True):
        try:
            done = _analyze(video, table, options, extras, follow, Silent(), quiet=quiet)
        except _OF_ONE_VIDEO as error:
            if len(videos) == 1:
                raise
            typer.echo(_failure(video, error), err=True)
            done = ExitCode.ERROR
        if done is ExitCode.INTERRUPTED:
            return done
        code = max(code, done, key=_WORST_LAST.index)
    return code


class _Flight:
    """Videos in threads of their own that share models and an accelerator."""

    def __init__(self, options: AnalysisOptions, extras: Extras, *, quiet: bool) -> None:
        from mien.packs import SharedModels, choose_pack

        self._options, self._extras, self._quiet = options, extras, quiet
        pack = choose_pack(options.models)
        get_ready(pack, options, quiet=quiet)
        self._shared: SharedModels = SharedModels(pack, options)
        self._stopped = threading.Event()
        self._running: set[Analysis] = set()
        self._lock = threading.Lock()

    def run(self, videos: list[Path], tables: list[Path], together: int) -> ExitCode:
        """Analyse videos, so many at the same time; all of them, whatever becomes of the others."""
        bar = progress(f"{len(videos)} videos", None, quiet=self._quiet)
        tell = (lambda text: None) if self._quiet else bar.note
        with bar, telling_of_compilation(tell), interruptible(self._stop, tell):
            with ThreadPoolExecutor(together, "mien-video") as pool:
                flights = [
                    pool.submit(self._one, video, table, bar)
                    for video, table in zip(videos, tables, strict=True)
                ]
            return max((flight.result() for flight in flights), key=_WORST_LAST.index)

    def _one(self, video: Path, table: Path, bar: Silent) -> ExitCode:
        def follow(analysis: Analysis, tally: Tally) -> None:
            with self._shared.member():
                self._follow(analysis, tally, bar)

        if self._stopped.is_set():
            return ExitCode.INTERRUPTED
        try:
            return _analyze(
                video, table, self._options, self._extras, follow, bar, quiet=self._quiet, shared=self._shared
            )
        except MienError as error:
            bar.note(_failure(video, error))
            return ExitCode.ERROR

    def _follow(self, analysis: Analysis, tally: Tally, bar: Silent) -> None:
        with self._lock:
            self._running.add(analysis)
        if self._stopped.is_set():
            analysis.stop()
        try:
            count_faces(analysis, tally, bar.advance)
        finally:
            with self._lock:
                self._running.discard(analysis)

    def _stop(self) -> None:
        """Called from a signal handler in the main thread, which never holds the lock."""
        self._stopped.set()
        with self._lock:
            for analysis in self._running:
                analysis.stop()


def _analyze(
    video: Path,
    table: Path,
    options: AnalysisOptions,
    extras: Extras,
    follow: Callable[[Analysis, Tally], None],
    out: Silent,
    *,
    quiet: bool,
    shared: SharedModels | None = None,
) -> ExitCode:
    """Analyse a video, ``follow`` it to its end, and write its files; ``out`` takes what is said."""
    from mien.analysis import Analysis

    with Analysis(video, options, outputs=extras.outputs(video, table), shared=shared) as analysis:
        tally = Tally()
        try:
            follow(analysis, tally)
        except (FrameError, OutputError):
            if tally.frames:
                _write(analysis, partial_path(table), extras, out)
                out.note(f"mien: the table so far is kept in {partial_path(table)}")
            raise
        if analysis.stopped:
            return _keep_partial(analysis, table, tally, extras, out)
        result = _write(analysis, table, extras, out)
        written = [] if analysis.outputs is None else analysis.outputs.close()
        if not quiet:
            out.say(summary(analysis, table, tally))
        elif analysis.lost:
            out.note(f"mien: {video.name}: {analysis.lost}")
        # Terminals show one bar at a time.
        written += extras.finish(video, table, options, result, quiet=quiet or shared is not None)
        if written and not quiet:
            out.say("Also: " + ", ".join(str(path) for path in written))
        return ExitCode.INCOMPLETE_SOURCE if analysis.lost else ExitCode.OK


def _failure(video: Path, error: MienError) -> str:
    return f"mien: {error}" if video.name in str(error) else f"mien: {video.name}: {error}"


def _keep_partial(analysis: Analysis, table: Path, tally: Tally, extras: Extras, out: Silent) -> ExitCode:
    if tally.frames:
        partial = partial_path(table)
        _write(analysis, partial, extras, out)
        if analysis.outputs is not None:
            analysis.outputs.close(partial=True)
        out.note(f"mien: interrupted; the table of the first {tally.frames} frames is in {partial}")
    else:
        out.note("mien: interrupted before the first frame was analysed")
    return ExitCode.INTERRUPTED


def _write(analysis: Analysis, table: Path, extras: Extras, out: Silent) -> VideoResult:
    """Write the table, in the folder for temporary files if its own place has failed meanwhile."""
    result = analysis.result()
    try:
        result.save(table, **extras.layout)
    except OutputError:
        rescued = Path(tempfile.gettempdir()) / table.name
        result.save(rescued, **extras.layout)
        out.note(f"mien: the table is kept in {rescued}")
        raise
    return result

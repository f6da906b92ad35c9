"""Sources that are no tables yet, analysed for a report."""

from __future__ import annotations

import threading
from pathlib import Path

from mien.analysis.pictures import PictureAnalysis, PictureTable
from mien.analysis.targets import need_source
from mien.analysis.videos import Analysis
from mien.analysis.watch import Watch
from mien.errors import StoppedError
from mien.options import AnalysisOptions
from mien.results.video_result import VideoResult
from mien.video.source import are_pictures


def result_of_source(
    source: Path,
    options: AnalysisOptions,
    *,
    watch: Watch | None = None,
    stopped: threading.Event | None = None,
) -> VideoResult:
    """Analyse a video, a picture or a folder of pictures.

    Parameters
    ----------
    source
        It.
    options
        How it is analysed.
    watch
        Follows the work.
    stopped
        Ends it when set.

    Raises
    ------
    StoppedError
        It was stopped.
    MienError
        It can't be read or analysed.
    """
    need_source(source, "a table, a video or pictures")
    watch = watch or Watch()
    if are_pictures(source) and not options.sequence:
        return _pictures(source, options, watch, stopped)
    with Analysis(source, options, stopped=stopped) as analysis:
        with watch.step(analysis.info.name, analysis.info.frame_count, analysis.pack) as advance:
            done = 0
            for _ in analysis:
                advance(analysis.frames - done)
                done = analysis.frames
        _need_the_end(source, analysis.stopped)
        return analysis.result()


def _pictures(
    source: Path, options: AnalysisOptions, watch: Watch, stopped: threading.Event | None
) -> VideoResult:
    analysis = PictureAnalysis(source, options, stopped=stopped)
    rows = PictureTable(analysis)
    with watch.step(analysis.name, len(analysis.files), analysis.pack) as advance:
        for picture in analysis:
            rows.add(picture)
            advance(1)
    _need_the_end(source, analysis.stopped)
    return rows.result()


def _need_the_end(source: Path, stopped: bool) -> None:
    if stopped:
        raise StoppedError(f"{source}: stopped before the end; no report was written")

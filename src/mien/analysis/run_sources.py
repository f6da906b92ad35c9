"""Whatever somebody asked for, videos or pictures: what ``mien analyze`` does, without a terminal."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mien.analysis.jobs import run_jobs, video_jobs
from mien.analysis.outcome import JobOutcome
from mien.analysis.outputs import OutputOptions
from mien.analysis.targets import need_source
from mien.analysis.watch import Watch
from mien.errors import OptionError
from mien.options import AnalysisOptions
from mien.video.source import are_pictures

if TYPE_CHECKING:
    from mien.analysis.normalised import Normalisation


def run_sources(
    sources: Sequence[Path],
    output: Path | None,
    wanted: OutputOptions,
    options: AnalysisOptions,
    how: Normalisation | None = None,
    *,
    watch: Watch | None = None,
    stopped: threading.Event | None = None,
) -> Iterator[JobOutcome]:
    """Analyse sources and write their files.

    Parameters
    ----------
    sources
        Videos, or pictures and folders of them.
    output
        A table, a folder, or None: see `mien.analysis.jobs.video_jobs` and
        `mien.analysis.picture_jobs.picture_jobs`.
    wanted
        Which files; its place is of no account.
    options
        How they are analysed.
    how
        What action units shall be relative to; None is each video's own neutral face.
    watch, stopped
        As for `mien.analysis.jobs.run_job`.

    Yields
    ------
    JobOutcome
        Of every video, or of the single pictures together and of every folder.

    Raises
    ------
    MienError
        Something that holds for all sources, or shows before the first is analysed.
    """
    for source in sources:
        need_source(source, "a video or pictures")
    pictures = [] if options.sequence else [path for path in sources if are_pictures(path)]
    if pictures and len(pictures) < len(sources):
        raise OptionError("expected either videos or pictures, got both; analyse them one after the other")
    if pictures and how is not None:
        raise OptionError("person, neutral and keep_scores are for videos; pictures have no neutral face")
    if pictures:
        from mien.analysis.picture_jobs import picture_jobs, run_pictures

        for job in picture_jobs(sources, output, wanted, options):
            outcome = run_pictures(job, options, watch=watch, stopped=stopped)
            yield outcome
            if outcome.stopped:
                return
        return
    jobs = video_jobs(sources, output, wanted)
    if how is None:
        yield from run_jobs(jobs, options, watch=watch, stopped=stopped)
    else:
        from mien.analysis.normalised import run_normalised

        yield from run_normalised(jobs, options, how, watch=watch, stopped=stopped)

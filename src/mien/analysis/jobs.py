"""Sources and the files that they shall leave: run one, or many, and learn how it went.

Commands, the original's programs, studies and notebooks all go this way. Nothing here prints.

>>> job = Job(Path("clip.mp4"), OutputOptions(folder=Path("tables"), base="clip", hog=True))
>>> outcome = run_job(job, AnalysisOptions(threads=1))
>>> outcome.frames, outcome.written
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mien.analysis.job_run import JobRun
from mien.analysis.outcome import Job, JobOutcome
from mien.analysis.outputs import OutputOptions
from mien.analysis.targets import need_source, table_paths
from mien.analysis.watch import Watch
from mien.errors import OutputError
from mien.options import AnalysisOptions
from mien.packs import KeptStages, choose_pack
from mien.runtime.sessions import resolve_device

if TYPE_CHECKING:
    from mien.packs.openface import SharedModels
    from mien.video.source import FrameSource

AT_THE_SAME_TIME = 4
"""Videos in flight on an accelerator: more would add memory (a pipeline each) and little else."""


def video_jobs(sources: Sequence[Path], output: Path | None, wanted: OutputOptions) -> list[Job]:
    """What videos shall leave: their tables, and further files under the same names.

    Parameters
    ----------
    sources
        The videos.
    output
        The table, or a folder; None stands for the current folder.
    wanted
        Which files; its place is of no account.

    Raises
    ------
    MienError
        A video is missing or no file, files would replace one another or a video, or something can't be
        written.
    """
    for source in sources:
        need_source(source)
    tables = table_paths(sources, output)
    jobs = [
        Job(source, replace(wanted.at(table), source=str(source)))
        for source, table in zip(sources, tables, strict=True)
    ]
    for path in (path for job in jobs for path in job.outputs.paths() if path.is_file()):
        if any(path.samefile(source) for source in sources):
            raise OutputError(
                f"{path} would be replaced, but is a video to analyse; leave it out, or choose another "
                "place with -o"
            )
    return jobs


def run_job(
    job: Job,
    options: AnalysisOptions | None = None,
    *,
    watch: Watch | None = None,
    stopped: threading.Event | None = None,
    shared: SharedModels | None = None,
    kept: KeptStages | None = None,
    source: FrameSource | None = None,
) -> JobOutcome:
    """Analyse one source and write its files.

    Parameters
    ----------
    job
        The source and its files.
    options
        How it is analysed.
    watch
        Follows the work.
    stopped
        Ends it after the frame at hand when set; what there is until then is kept.
    shared
        Models that others use at the same time.
    kept
        Stages of the job before, which this one uses again.
    source
        A source that is already open in place of ``job.source``, such as a camera, for which stopping is the
        ordinary end.

    Returns
    -------
    JobOutcome
        Errors of this source are in its ``error``: also those that nobody thought of.

    Raises
    ------
    OptionError, ModelsMissingError, ModelFileError, ProviderError
        Something that holds for every source with these options.
    """
    run = JobRun(job, options or AnalysisOptions(), watch or Watch(), stopped, shared, kept)
    run.analyse(source)
    return run.finish()


def run_jobs(
    jobs: Sequence[Job],
    options: AnalysisOptions | None = None,
    *,
    watch: Watch | None = None,
    stopped: threading.Event | None = None,
    together: int | None = None,
) -> Iterator[JobOutcome]:
    """Analyse sources one after the other, or on an accelerator several at the same time.

    Parameters
    ----------
    jobs, options, watch, stopped
        As for `run_job`; once stopped, no further job begins.
    together
        How many are analysed at the same time; None takes 1 on the processor, whose cores one video keeps
        busy, and up to `AT_THE_SAME_TIME` elsewhere.

    Yields
    ------
    JobOutcome
        Of every job that was begun, as they end.

    Raises
    ------
    OptionError, ModelsMissingError, ModelFileError, ProviderError
        As `run_job`.
    """
    options, watch, stopped = options or AnalysisOptions(), watch or Watch(), stopped or threading.Event()
    if together is None:
        together = 1 if resolve_device(options.device) == "cpu" else AT_THE_SAME_TIME
    if min(together, len(jobs)) > 1:
        yield from _at_the_same_time(jobs, options, watch, stopped, min(together, len(jobs)))
        return
    kept = KeptStages()
    for job in jobs:
        yield run_job(job, options, watch=watch, stopped=stopped, kept=kept)
        if stopped.is_set():
            return


def _at_the_same_time(
    jobs: Sequence[Job], options: AnalysisOptions, watch: Watch, stopped: threading.Event, together: int
) -> Iterator[JobOutcome]:
    from mien.packs import shared_models

    shared = shared_models(choose_pack(options.models), options)
    with ThreadPoolExecutor(together, "mien-video") as pool:
        work = partial(run_job, options=options, watch=watch, stopped=stopped, shared=shared)
        flights = [pool.submit(work, job) for job in jobs]
        try:
            for flight in as_completed(flights):
                if flight.result().frames or not flight.result().stopped:
                    yield flight.result()
        except BaseException:
            stopped.set()
            raise

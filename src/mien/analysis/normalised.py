"""Videos whose action units are relative to more than their own frames: one person's, or a neutral face's."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mien.action_units.normalisation import neutral_baseline
from mien.analysis.ending import Ending
from mien.analysis.jobs import JobRun, count_rows
from mien.analysis.outcome import Job, JobOutcome, Tally
from mien.analysis.recordings import normalise_recordings, read_baseline
from mien.analysis.targets import need_source
from mien.analysis.videos import Analysis
from mien.analysis.watch import Unwatched, Watch
from mien.errors import OptionError, OutputError, SourceError, StoppedError
from mien.options import AnalysisOptions
from mien.packs import KeptStages, choose_pack

if TYPE_CHECKING:
    from mien.action_units.normalisation import Baseline
    from mien.datatypes import ActionUnitSeries


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalisation:
    """What action units shall be relative to.

    Attributes
    ----------
    person
        Name of the person that all videos show, who gets one neutral face; None keeps videos apart.
    neutral
        A recording of the neutral face: a video, its scores or its table.
    """

    person: str | None = None
    neutral: Path | None = None

    def refuse_to_replace_the_neutral(self, tables: Sequence[Path]) -> None:
        """Stop before a table is written over the one that it shall be relative to.

        Raises
        ------
        OutputError
            It would be.
        """
        neutral = self.neutral
        for table in tables:
            if neutral is not None and neutral.exists() and table.exists() and table.samefile(neutral):
                raise OutputError(f"{table} is the neutral recording itself; choose another name with -o")

    def describe(self, recordings: Sequence[str]) -> dict[str, object]:
        """For the provenance."""
        neutral = None if self.neutral is None else str(self.neutral.absolute())
        shared = list(recordings) if self.person is not None else None
        return {"person": self.person, "recordings": shared, "neutral": neutral}


class _ClipRun(JobRun):
    """Analyses a video and waits for the others before its files are completed."""

    waiting: Ending | None = None

    def finish(self, outcome: JobOutcome, ending: Ending) -> JobOutcome:
        """Wait."""
        self.waiting = ending
        return outcome


def run_normalised(
    jobs: Sequence[Job],
    options: AnalysisOptions,
    how: Normalisation,
    *,
    watch: Watch | None = None,
    stopped: threading.Event | None = None,
    kept: KeptStages | None = None,
) -> Iterator[JobOutcome]:
    """Analyse videos, then write their tables with action units relative to what was asked for.

    Parameters
    ----------
    jobs, options, watch, stopped
        As for `mien.analysis.jobs.run_jobs`.
    kept
        Stages of what was analysed before; by default the videos share stages of their own.
    how
        What action units shall be relative to.

    Yields
    ------
    JobOutcome
        Of every video. If one of a person's videos fails, the others are kept as partial with their scores,
        from which `mien renormalise` makes tables.

    Raises
    ------
    OptionError
        Options contradict each other.
    OutputError
        A table would replace the neutral one.
    StoppedError
        It was stopped while the neutral face was analysed.
    MienError
        The neutral recording or the models can't be read.
    """
    if options.faces == "many":
        raise OptionError(
            "person, neutral and keep_scores are for one face per frame; leave out faces many, where "
            "everybody has a neutral face of their own"
        )
    watch, stopped = watch or Unwatched(), stopped or threading.Event()
    how.refuse_to_replace_the_neutral([job.outputs.table for job in jobs])
    options = replace(options, keep_scores=True)
    baseline = neutral_face(how.neutral, options, watch=watch, stopped=stopped)
    kept = kept or KeptStages()
    for together in [jobs] if how.person is not None else [[job] for job in jobs]:
        runs = [_ClipRun(job, options, watch, stopped, kept=kept) for job in together]
        yield from _run_together(runs, options, how, baseline, stopped)
        if stopped.is_set():
            return


def _run_together(
    runs: Sequence[_ClipRun],
    options: AnalysisOptions,
    how: Normalisation,
    baseline: Baseline | None,
    stopped: threading.Event,
) -> Iterator[JobOutcome]:
    try:
        outcomes = [run.run() for run in runs]
        clips = [run.waiting for run in runs if run.waiting is not None]
        if len(clips) < len(runs):
            for run, outcome in zip(runs, outcomes, strict=True):
                if run.waiting is not None:
                    partial = run.waiting.keep(None)
                    outcome = replace(outcome, **(partial | {"stopped": stopped.is_set()}))
                if outcome.frames or not outcome.stopped:
                    yield outcome
            return
        every = _series(clips, how, baseline, options)
        names = [clip.result.source.name if clip.result.source else "" for clip in clips]
        for clip, outcome, series in zip(clips, outcomes, every, strict=True):
            clip.result = dataclasses.replace(
                clip.result,
                au_intensity=series.intensity,
                au_presence=series.presence,
                provenance={**clip.result.provenance, "normalisation": how.describe(names)},
            )
            yield replace(outcome, **clip.complete())
    finally:
        for run in runs:
            if run.waiting is not None:
                run.waiting.outputs.abort()


def _series(
    clips: Sequence[Ending], how: Normalisation, baseline: Baseline | None, options: AnalysisOptions
) -> list[ActionUnitSeries]:
    from mien.packs import read_predictors

    return normalise_recordings(
        [clip.scores for clip in clips if clip.scores is not None],
        one_person=how.person is not None,
        baseline=baseline,
        predictors=read_predictors(choose_pack(options.models)) if how.person is not None else None,
    )


def neutral_face(
    path: Path | None,
    options: AnalysisOptions,
    *,
    watch: Watch | None = None,
    stopped: threading.Event | None = None,
) -> Baseline | None:
    """What a recording of the neutral face gives; a video is analysed for it.

    Parameters
    ----------
    path
        The recording; None gives None.
    options, watch, stopped
        As for `mien.analysis.jobs.run_job`.

    Raises
    ------
    StoppedError
        It was stopped.
    MienError
        It can't be read.
    """
    if path is None:
        return None
    if path.suffix.lower() in (".npz", ".csv"):
        return read_baseline(path)
    need_source(path, "a video, its scores or its table")
    options = replace(options, keep_scores=True, start_s=0.0, end_s=None)
    with Analysis(path, options, stopped=stopped) as analysis:
        count_rows(analysis, Tally(), watch or Unwatched())
        clip = analysis.scores().clip
    if analysis.stopped:
        raise StoppedError("interrupted while the neutral face was analysed")
    if not clip.ok.any():
        raise SourceError(f"{path}: no face was found; expected a recording of the neutral face")
    return neutral_baseline(clip)

"""Videos whose action units are relative to more than their own frames: one person's, or a neutral face's."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mien.action_units.normalisation import neutral_baseline
from mien.analysis.job_run import JobRun, count_rows
from mien.analysis.outcome import Job, JobOutcome, Tally
from mien.analysis.recordings import (
    normalise_recordings,
    read_baseline,
    read_scores,
    write_table,
)
from mien.analysis.targets import SCORES_ENDING, csv_tables, need_source
from mien.analysis.videos import Analysis
from mien.analysis.watch import Watch
from mien.errors import OptionError, OutputError, SourceError, StoppedError
from mien.options import AnalysisOptions
from mien.packs import KeptStages, choose_pack, read_predictors
from mien.results.provenance import sha256_of, write_provenance
from mien.runtime.versions import __version__

if TYPE_CHECKING:
    from mien.action_units.normalisation import Baseline


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalisation:
    """What action units shall be relative to.

    Attributes
    ----------
    person
        Name of the person that all videos show, who gets one neutral face; None keeps videos apart.
    neutral
        A recording of the neutral face: a video, its scores or its table.
    regardless
        Whether videos that fail have no part in a person's neutral face; else, there is none without them.
    failed_before
        Videos that are analysed first: if all fail as they did before, the others are left as they are.
    """

    person: str | None = None
    neutral: Path | None = None
    regardless: bool = False
    failed_before: frozenset[Path] = frozenset()

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
        from which `mien renormalise` makes tables, unless they shall be made regardless.

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
    watch, stopped = watch or Watch(), stopped or threading.Event()
    how.refuse_to_replace_the_neutral([job.outputs.table for job in jobs])
    options = replace(options, keep_scores=True)
    baseline = neutral_face(how.neutral, options, watch=watch, stopped=stopped)
    kept = kept or KeptStages()
    for together in [jobs] if how.person is not None else [[job] for job in jobs]:
        runs = [JobRun(job, options, watch, stopped, kept=kept) for job in together]
        doubtful = [run for job, run in zip(together, runs, strict=True) if job.source in how.failed_before]
        try:
            whole = yield from _analyse_together(runs, doubtful, how, stopped)
            yield from _finish_together(whole, options, how, baseline)
        finally:
            for run in runs:
                run.abort()
        if stopped.is_set():
            return


def _analyse_together(
    runs: Sequence[JobRun], doubtful: Sequence[JobRun], how: Normalisation, stopped: threading.Event
) -> Generator[JobOutcome, None, list[JobRun]]:
    """Analyse videos, give what became of those that get no table now, and return the others."""
    for run in doubtful:
        run.analyse()
    if doubtful and not any(run.whole for run in doubtful):
        runs = doubtful
    else:
        for run in runs:
            if run not in doubtful:
                run.analyse()
    whole = [run for run in runs if run.whole and run.result is not None]
    if len(whole) < len(runs) and (stopped.is_set() or not how.regardless):
        whole = []
    for run in runs:
        if run not in whole:
            outcome = run.finish(keep=True)
            if run.whole:
                outcome = replace(outcome, stopped=stopped.is_set())
            if outcome.frames or not outcome.stopped:
                yield outcome
    return whole


def _finish_together(
    runs: Sequence[JobRun], options: AnalysisOptions, how: Normalisation, baseline: Baseline | None
) -> Iterator[JobOutcome]:
    """Write tables of videos that have been analysed, relative to what was asked for."""
    if not runs:
        return
    results = [run.result for run in runs if run.result is not None]
    every = normalise_recordings(
        [run.scores for run in runs if run.scores is not None],
        one_person=how.person is not None,
        baseline=baseline,
        predictors=read_predictors(choose_pack(options.models)) if how.person is not None else None,
    )
    described = how.describe([result.source.name if result.source else "" for result in results])
    for run, result, series in zip(runs, results, every, strict=True):
        run.result = replace(
            result,
            au_intensity=series.intensity,
            au_presence=series.presence,
            provenance={**result.provenance, "normalisation": described},
        )
        yield run.finish()


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
        count_rows(analysis, Tally(), watch or Watch())
        clip = analysis.scores().clip
    if analysis.stopped:
        raise StoppedError("interrupted while the neutral face was analysed")
    if not clip.ok.any():
        raise SourceError(f"{path}: no face was found; expected a recording of the neutral face")
    return neutral_baseline(clip)


def renormalise_scores(
    scores: Sequence[Path],
    output: Path | None,
    how: Normalisation,
    *,
    watch: Watch | None = None,
    stopped: threading.Event | None = None,
) -> list[JobOutcome]:
    """Make tables of recordings from their kept scores, without the videos.

    Parameters
    ----------
    scores
        NAME.scores.npz of each; NAME.csv beside it gives the other columns.
    output
        A table, a folder, or None: NAME.renormalised.csv in the current folder.
    how
        What action units shall be relative to.
    watch, stopped
        Follow and end the analysis of a neutral video.

    Raises
    ------
    OptionError
        Tables would replace one another, or the scores were made by different models.
    MienError
        A file can't be read or written.
    """
    stems = [path.name.removesuffix(SCORES_ENDING).removesuffix(".npz") for path in scores]
    tables = csv_tables(stems, output, ".renormalised.csv" if output is None else ".csv")
    how.refuse_to_replace_the_neutral(tables)
    recordings = [read_scores(path) for path in scores]
    if len({recording.clip.predictors.fingerprint for recording in recordings}) > 1:
        names = ", ".join(path.name for path in scores)
        raise OptionError(f"{names}: expected scores of the same models, got different ones")
    baseline = neutral_face(how.neutral, AnalysisOptions(), watch=watch, stopped=stopped)
    shared = how.person is not None and len(recordings) > 1
    every = normalise_recordings(
        recordings,
        one_person=how.person is not None,
        baseline=baseline,
        predictors=read_predictors(choose_pack("openface")) if shared else None,
    )
    made = []
    for path, stem, recording, series, table in zip(scores, stems, recordings, every, tables, strict=True):
        beside = path.with_name(f"{stem}.csv")
        like = beside if beside.is_file() else None
        write_table(recording, series, table, like)
        provenance = {
            "mien": __version__,
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "scores": {"path": str(path.absolute()), "sha256": sha256_of(path)},
            "normalisation": how.describe([each.source for each in recordings]),
        }
        write_provenance(provenance, table)
        notes = () if like else (f"action units only: {beside.name} is not beside the scores",)
        count = len(recording.frame)
        made.append(
            JobOutcome(
                source=path, name=recording.source, frames=count, rows=count, notes=notes, written=(table,)
            )
        )
    return made

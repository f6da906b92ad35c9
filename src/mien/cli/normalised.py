"""``mien analyze`` with action units relative to more than one video: one person's, or a neutral face's."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mien.cli.exit_codes import ExitCode
from mien.cli.extras import Extras
from mien.cli.output import partial_path
from mien.cli.run import Tally, consume, summary
from mien.errors import FrameError, MienError, OptionError, OutputError, SourceError
from mien.options import AnalysisOptions

if TYPE_CHECKING:
    from mien.action_units.normalisation import Baseline
    from mien.analysis import Analysis
    from mien.datatypes import ActionUnitSeries
    from mien.results import VideoResult
    from mien.scores import RecordingScores


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalisation:
    """What action units shall be relative to, and whether they can be made relative to something else later.

    Attributes
    ----------
    person
        Name of the person that all videos show, who gets one neutral face; None keeps videos apart.
    neutral
        A recording of the neutral face: a video, its scores or its table.
    keep_scores
        Whether NAME.scores.npz is written beside every table.
    """

    person: str | None = None
    neutral: Path | None = None
    keep_scores: bool = False

    @property
    def wanted(self) -> bool:
        """Whether there is anything to do."""
        return self.person is not None or self.neutral is not None or self.keep_scores

    def refuse_to_replace_the_neutral(self, tables: list[Path]) -> None:
        """Stop before a table is written over the one that it shall be relative to."""
        neutral = self.neutral
        for table in tables:
            if neutral is not None and neutral.exists() and table.exists() and table.samefile(neutral):
                raise OutputError(f"{table} is the neutral recording itself; choose another name with -o")

    def describe(self, recordings: list[str]) -> dict[str, object]:
        """For the provenance."""
        neutral = None if self.neutral is None else str(self.neutral.absolute())
        shared = recordings if self.person is not None else None
        return {"person": self.person, "recordings": shared, "neutral": neutral}


@dataclass(slots=True)
class _Clip:
    """A video that has been analysed and waits for the others."""

    video: Path
    table: Path
    result: VideoResult
    scores: RecordingScores
    summary: str
    lost: bool


def analyze_normalised(
    videos: list[Path],
    tables: list[Path],
    options: AnalysisOptions,
    how: Normalisation,
    extras: Extras,
    *,
    quiet: bool,
) -> ExitCode:
    """Analyse videos, then write their tables with action units relative to what was asked for.

    Raises
    ------
    MienError
        A video or the models can't be read, or the options contradict each other. What was analysed before
        is kept as scores, see `mien renormalise`.
    """
    if options.faces == "many":
        raise OptionError(
            "person, neutral and keep_scores are for one face per frame; leave out faces many, where "
            "everybody has a neutral face of their own"
        )
    how.refuse_to_replace_the_neutral(tables)
    options = dataclasses.replace(options, keep_scores=True)
    baseline = neutral_face(how.neutral, options, quiet=quiet)
    clips: list[_Clip] = []
    try:
        for video, table in zip(videos, tables, strict=True):
            clip = _analyze(video, table, options, extras, quiet=quiet)
            if clip is None:
                _keep_scores(clips)
                return ExitCode.INTERRUPTED
            clips.append(clip)
    except MienError:
        _keep_scores(clips)
        raise
    for clip, series in zip(clips, _series(clips, how, baseline, options), strict=True):
        result = _write(clip, series, how, [clip.scores.source for clip in clips], extras)
        if not quiet:
            typer.echo(clip.summary)
        extras.finish(clip.video, clip.table, options, result, quiet=quiet)
    return ExitCode.INCOMPLETE_SOURCE if any(clip.lost for clip in clips) else ExitCode.OK


def neutral_face(path: Path | None, options: AnalysisOptions, *, quiet: bool) -> Baseline | None:
    """What a recording of the neutral face gives; a video is analysed for it.

    Raises
    ------
    MienError
        It can't be read.
    """
    from mien.action_units.normalisation import neutral_baseline
    from mien.analysis import Analysis
    from mien.scores import read_baseline

    if path is None:
        return None
    if path.suffix.lower() in (".npz", ".csv"):
        return read_baseline(path)
    if not path.exists():
        raise SourceError(f"{path}: no such file; expected a video, its scores or its table")
    with Analysis(path, dataclasses.replace(options, keep_scores=True, start_s=0.0, end_s=None)) as analysis:
        consume(analysis, Tally(), quiet=quiet)
        clip = analysis.scores().clip
    if analysis.stopped:
        raise typer.Exit(ExitCode.INTERRUPTED)
    if not clip.ok.any():
        raise SourceError(f"{path}: no face was found; expected a recording of the neutral face")
    return neutral_baseline(clip)


def _analyze(
    video: Path, table: Path, options: AnalysisOptions, extras: Extras, *, quiet: bool
) -> _Clip | None:
    """Analyse a video; None if that was interrupted, and what there is of it is kept."""
    from mien.analysis import Analysis

    with Analysis(video, options, outputs=extras.outputs(video, table)) as analysis:
        tally = Tally()
        try:
            consume(analysis, tally, quiet=quiet)
        except (FrameError, OutputError):
            _keep_partial(analysis, table, tally, extras)
            raise
        if analysis.stopped:
            _keep_partial(analysis, table, tally, extras)
            return None
        text = summary(analysis, table, tally)
        if analysis.outputs is not None:
            analysis.outputs.close()
        return _Clip(video, table, analysis.result(), analysis.scores(), text, bool(analysis.lost))


def _keep_partial(analysis: Analysis, table: Path, tally: Tally, extras: Extras) -> None:
    if tally.frames:
        analysis.result().save(partial_path(table), **extras.layout)
        typer.echo(
            f"mien: the first {tally.frames} frames, by themselves, are in {partial_path(table)}", err=True
        )


def _keep_scores(clips: list[_Clip]) -> None:
    """Keep what was analysed before something went wrong; its tables would need the rest."""
    for clip in clips:
        path = scores_path(clip.table)
        clip.scores.save(path)
        typer.echo(f"mien: kept {path}; mien renormalise makes its table", err=True)


def scores_path(table: Path) -> Path:
    """NAME.scores.npz beside NAME.csv."""
    from mien.scores import ENDING

    return table.with_suffix(ENDING)


def _series(
    clips: list[_Clip], how: Normalisation, baseline: Baseline | None, options: AnalysisOptions
) -> list[ActionUnitSeries]:
    from mien.packs import choose_pack, read_predictors
    from mien.scores import normalise_recordings

    return normalise_recordings(
        [clip.scores for clip in clips],
        one_person=how.person is not None,
        baseline=baseline,
        predictors=read_predictors(choose_pack(options.models)) if how.person is not None else None,
    )


def _write(
    clip: _Clip, series: ActionUnitSeries, how: Normalisation, recordings: list[str], extras: Extras
) -> VideoResult:
    provenance = {**clip.result.provenance, "normalisation": how.describe(recordings)}
    result = dataclasses.replace(
        clip.result, au_intensity=series.intensity, au_presence=series.presence, provenance=provenance
    )
    result.save(clip.table, **extras.layout)
    if how.keep_scores:
        clip.scores.save(scores_path(clip.table))
    return result

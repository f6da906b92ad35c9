"""One job at work: frames are analysed, then files completed as one set, or kept as far as they go."""

from __future__ import annotations

import logging
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mien.analysis.outcome import OF_ALL_SOURCES, Job, JobOutcome, Tally, turned_sentence
from mien.analysis.output_set import OutputSet, save_tables
from mien.analysis.outputs import OutputOptions
from mien.analysis.replaced import replaced_table
from mien.analysis.staging import naming_places
from mien.analysis.turned import turn_to_upright
from mien.analysis.videos import Analysis, open_source
from mien.analysis.watch import Watch
from mien.errors import MienError, OutputError, StoppedError, UnexpectedError
from mien.options import AnalysisOptions
from mien.results.video_result import VideoResult

if TYPE_CHECKING:
    from mien.analysis.recordings import RecordingScores
    from mien.packs import KeptStages
    from mien.packs.openface import SharedModels
    from mien.video.source import FrameSource

logger = logging.getLogger(__name__)


class JobRun:
    """A job that is first analysed, then finished; parameters as for `mien.analysis.jobs.run_job`.

    Attributes
    ----------
    whole
        Whether all frames have been analysed, and nothing went wrong.
    result, scores
        What the files shall hold; what takes the place of ``result`` until the end is written. None where
        there is nothing to write.
    """

    def __init__(
        self,
        job: Job,
        options: AnalysisOptions,
        watch: Watch,
        stopped: threading.Event | None = None,
        shared: SharedModels | None = None,
        kept: KeptStages | None = None,
    ) -> None:
        self.whole = False
        self.result: VideoResult | None = None
        self.scores: RecordingScores | None = None
        self._job, self._options, self._watch, self._shared = job, options, watch, shared
        self._kept = kept
        self._stopped = stopped or threading.Event()
        self._outcome = JobOutcome(source=job.source, name=job.source.name)
        self._error: Exception | None = None
        self._outputs: OutputSet | None = None

    def analyse(self, source: FrameSource | None = None) -> None:
        """Analyse all frames, of a source that is open already or of the job's."""
        if self._stopped.is_set():
            self._outcome = replace(self._outcome, stopped=True)
            return
        try:
            with Analysis(
                source or self._job.source,
                self._options,
                outputs=self._job.outputs,
                shared=self._shared,
                kept=self._kept,
                stopped=self._stopped,
            ) as analysis:
                stages = analysis.stages
                said = replaced_table(self._job, self._options, stages.pack, stages.landmark_model)
                if said:
                    self._watch.warn(said)
                self._follow(analysis)
        except OF_ALL_SOURCES:
            raise
        except Exception as error:
            self._outcome = replace(self._outcome, error=as_mien_error(error))

    def _follow(self, analysis: Analysis) -> None:
        tally = Tally()
        try:
            count_rows(analysis, tally, self._watch, self._shared)
        except OF_ALL_SOURCES:
            raise
        except Exception as failure:
            self._error = failure
        self._outcome = JobOutcome(
            source=analysis.info.path,
            name=analysis.info.name,
            pack=analysis.stages.pack,
            landmark_model=analysis.stages.landmark_model,
            networks=analysis.stages.networks(),
            lost=analysis.lost,
            notes=analysis.notes,
            **tally.summary(),
        )
        if tally.frames == 0 and (self._error is not None or analysis.stopped):
            failed = None if self._error is None else as_mien_error(self._error)
            self._outcome = replace(self._outcome, error=failed, stopped=failed is None)
            return
        # A camera has no end of its own.
        self.whole = self._error is None and (analysis.info.camera or not analysis.stopped)
        if self.whole and (turn_deg := _turn_of(analysis, tally)):
            self._outcome = replace(self._outcome, turned_deg=turn_deg)
            analysis.remarks = (turned_sentence(analysis.info.name, turn_deg),)
        self.result = analysis.result()
        self.scores = analysis.scores() if self._options.keep_scores else None
        self._outputs = analysis.hand_over_outputs()

    def finish(self, *, keep: bool = False) -> JobOutcome:
        """Put all files in their places; those of an analysis that is not whole are kept as partial.

        Where something can't be drawn or written, what there is is kept.

        Parameters
        ----------
        keep
            Keep them as partial in any case.
        """
        if self._outputs is None:
            return self._outcome
        if keep or not self.whole:
            return self._keep(self._error)
        try:
            self._draw(self._outputs)
        except StoppedError:
            return self._keep(None)
        except Exception as failure:
            return self._keep(failure)
        except BaseException:
            self.abort()
            raise
        try:
            return replace(self._outcome, written=self._close(self._outputs, partial=False))
        except Exception as failure:
            return self._partial(self._tables(whole=True), failure)

    def abort(self) -> None:
        """Give up what is not in its place."""
        if self._outputs is not None:
            self._outputs.abort()

    def _keep(self, error: Exception | None) -> JobOutcome:
        """Keep the set under names with .partial, or where writing fails at least its tables."""
        assert self._outputs is not None
        try:
            if not isinstance(error, OutputError):
                return self._partial(self._close(self._outputs, partial=True), error)
        except Exception as failure:
            error = error or failure
        self.abort()
        return self._partial(self._tables(), error)

    def _partial(self, written: tuple[Path, ...], error: Exception | None) -> JobOutcome:
        failed = None if error is None else as_mien_error(error)
        return replace(self._outcome, written=written, partial=True, error=failed, stopped=failed is None)

    def _tables(self, *, whole: bool = False) -> tuple[Path, ...]:
        return () if self.result is None else keep_tables(self._job.outputs, self.result, whole=whole)

    def _close(self, outputs: OutputSet, *, partial: bool) -> tuple[Path, ...]:
        tables = self.result if self.result or self._job.outputs.empty_tables else None
        return tuple(outputs.close(tables, scores=self.scores, partial=partial))

    def _draw(self, hidden: OutputSet) -> None:
        """Read the video once more and draw its finished result over it, where that is wanted."""
        outputs, result = self._job.outputs, self.result
        if outputs.drawing is None or not outputs.drawn_last:
            return
        from mien.view.render import draw_video, most_faces

        assert result is not None
        assert result.source is not None
        assert result.source.camera is not None
        total = len(np.unique(result.frame))
        with (
            naming_places(),
            open_source(self._job.source, self._options) as frames,
            self._watch.step(outputs.drawing_name, total) as advance,
        ):

            def drawn() -> None:
                advance(1)
                if self._stopped.is_set():
                    raise StoppedError("stopped while the video was drawn")

            draw_video(
                frames,
                result,
                hidden.hidden_place(outputs.drawing_name),
                camera=result.source.camera,
                fps=result.source.fps,
                options=replace(outputs.drawing, faces=most_faces(result)),
                on_frame=drawn,
            )


def count_rows(analysis: Analysis, tally: Tally, watch: Watch, shared: SharedModels | None = None) -> None:
    """Analyse all frames and count what comes of them."""
    info = analysis.info
    with ExitStack() as context:
        advance = context.enter_context(watch.step(info.name, info.frame_count, analysis.pack))
        if shared is not None:
            context.enter_context(shared.member())
        begin = time.perf_counter()
        try:
            for face in analysis:
                tally.add(face, good=face.landmarks.success)
                advance(analysis.frames - tally.frames)
                tally.frames = analysis.frames
        finally:
            tally.frames = analysis.frames
            tally.seconds = time.perf_counter() - begin


def _turn_of(analysis: Analysis, tally: Tally) -> int:
    """By how much the video must be turned for its people to be upright; 0 where nothing speaks for it.

    The open mesh is sure of faces upside down, too, so that it is never believed.
    """
    if analysis.info.camera or not (tally.doubtful or analysis.stages.pack == "open"):
        return 0
    try:
        from mien.packs.open import face_certainty

        return turn_to_upright(analysis.samples.pictures, face_certainty())
    except Exception:  # a remark is not worth a result
        logger.debug("whether %s is upright can't be said", analysis.info.name, exc_info=True)
        return 0


def keep_tables(outputs: OutputOptions, result: VideoResult, *, whole: bool = False) -> tuple[Path, ...]:
    """Keep the rows of a set that can't be written as a whole.

    Parameters
    ----------
    outputs
        The set.
    result
        The rows.
    whole
        Whether these are all rows.

    Returns
    -------
    tuple of Path
        NAME.partial in their folder, the first table alone; where that fails, in the folder for temporary
        files. Nothing if that fails, too.
    """
    shelter = Path(tempfile.gettempdir())
    sheltered = outputs if whole else outputs.partial
    for folder, named in ((outputs.folder, outputs.partial), (shelter, sheltered)):
        try:
            return tuple(save_tables(result, replace(named, tables=named.tables[:1], report=None), folder))
        except (OSError, OutputError):
            logger.debug("the rows can't be kept in %s", folder, exc_info=True)
    return ()


def as_mien_error(error: Exception) -> MienError:
    """An error as one of mien's own, which can be passed between processes."""
    if isinstance(error, MienError):
        return error
    logger.debug("unexpected error", exc_info=error)
    return UnexpectedError(f"unexpected {type(error).__name__}: {error}; please report this as a bug")

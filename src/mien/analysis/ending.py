"""The end of a job: its files are completed as one set, or kept as far as they go."""

from __future__ import annotations

import logging
import tempfile
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mien.analysis.outcome import Job
from mien.analysis.output_set import OutputSet, save_tables
from mien.analysis.outputs import OutputOptions
from mien.analysis.videos import open_source
from mien.analysis.watch import Watch
from mien.errors import MienError, OutputError, StoppedError, UnexpectedError
from mien.options import AnalysisOptions
from mien.results.video_result import VideoResult

if TYPE_CHECKING:
    from mien.analysis.recordings import RecordingScores

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Ending:
    """A job whose frames have been analysed.

    Attributes
    ----------
    job, options, watch, stopped
        As for `mien.analysis.jobs.run_job`.
    outputs
        Its files, still hidden.
    result, scores
        What they shall hold.
    """

    job: Job
    options: AnalysisOptions
    watch: Watch
    stopped: threading.Event
    outputs: OutputSet
    result: VideoResult
    scores: RecordingScores | None = None

    def complete(self) -> dict[str, Any]:
        """Put all files in their places; gives fields of a `JobOutcome`.

        Where something can't be drawn or written, what there is is kept.
        """
        try:
            self._draw()
        except StoppedError:
            return self.keep(None)
        except Exception as failure:
            return self.keep(failure)
        except BaseException:
            self.outputs.abort()
            raise
        try:
            return {"written": self._close(partial=False)}
        except Exception as failure:
            kept = keep_tables(self.job.outputs, self.result, whole=True)
            return _ended(kept, failure)

    def keep(self, error: Exception | None) -> dict[str, Any]:
        """Keep the set under names with .partial, or where writing fails at least its tables.

        Parameters
        ----------
        error
            What went wrong; None if it was stopped.

        Returns
        -------
        dict
            Fields of a `JobOutcome`.
        """
        try:
            if not isinstance(error, OutputError):
                return _ended(self._close(partial=True), error)
        except Exception as failure:
            error = error or failure
        self.outputs.abort()
        return _ended(keep_tables(self.job.outputs, self.result), error)

    def _draw(self) -> None:
        outputs = self.job.outputs
        if outputs.drawing is not None and outputs.drawn_last:
            with self.outputs.naming_places():
                self._draw_into(self.outputs.hidden_place(outputs.drawing_name))

    def _close(self, *, partial: bool) -> tuple[Path, ...]:
        tables = self.result if len(self.result) or self.job.outputs.empty_tables else None
        return tuple(self.outputs.close(tables, scores=self.scores, partial=partial))

    def _draw_into(self, path: Path) -> None:
        """Read the video once more and draw its finished result over it."""
        from mien.view.render import draw_video, most_faces

        source, outputs = self.result.source, self.job.outputs
        assert source is not None
        assert source.camera is not None
        assert outputs.drawing is not None
        total = len(np.unique(self.result.frame))
        with (
            open_source(self.job.source, self.options) as frames,
            self.watch.step(outputs.drawing_name, total) as advance,
        ):

            def drawn() -> None:
                advance(1)
                if self.stopped.is_set():
                    raise StoppedError("stopped while the video was drawn")

            draw_video(
                frames,
                self.result,
                path,
                camera=source.camera,
                fps=source.fps,
                options=replace(outputs.drawing, faces=most_faces(self.result)),
                on_frame=drawn,
            )


def _ended(written: tuple[Path, ...], error: Exception | None) -> dict[str, Any]:
    failed = None if error is None else as_mien_error(error)
    return {"written": written, "partial": True, "error": failed, "stopped": failed is None}


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

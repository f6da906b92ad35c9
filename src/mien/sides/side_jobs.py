"""A video or pictures by sides, and the files they leave: what ``mien sides`` does, without a terminal."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mien.analysis.targets import REPORT_ENDING, output_folder
from mien.analysis.watch import Watch
from mien.errors import FrameError, MienError, OptionError, OutputError
from mien.options import AnalysisOptions
from mien.results.files import naming_errors
from mien.results.picture_files import write_picture
from mien.sides.analysis import (
    SidesAnalysis,
    SidesOptions,
    check_epochs,
    epochs_of,
    is_part,
    neutral_baseline,
    picture_sides,
)
from mien.sides.epochs import Epoch, codes
from mien.sides.observer import Watcher
from mien.sides.result import SidesResult
from mien.video.source import are_pictures

if TYPE_CHECKING:
    from mien.action_units.normalisation import Baseline
    from mien.report.options import ReportOptions
    from mien.sides.view import CompositeDrawer, SheetKeeper, SideVideos


@dataclass(frozen=True, slots=True, kw_only=True)
class SidesJob:
    """A source and the files that it shall leave.

    Attributes
    ----------
    source
        A video, or a picture, or a folder of pictures.
    table
        NAME.sides.csv; the other files lie beside it.
    how
        How the sides are compared.
    split_tables
        Whether each side's table in OpenFace's columns is written too.
    with_videos
        Whether videos of the composites and of the middle are written too.
    picture_s
        Time of the frame that is drawn as a picture; None draws none. Of pictures, any number draws the last.
    report
        How a page that shows the result is made, NAME.report.html; None for none.
    """

    source: Path
    table: Path
    how: SidesOptions = field(default_factory=SidesOptions)
    split_tables: bool = False
    with_videos: bool = False
    picture_s: float | None = None
    report: ReportOptions | None = None

    def __post_init__(self) -> None:
        if self.picture_s is not None and not (math.isfinite(self.picture_s) and self.picture_s >= 0):
            raise OptionError(f"picture: expected a time of 0 s or more, got {self.picture_s}")

    @property
    def stem(self) -> str:
        """Name of the files, without endings."""
        return self.table.name.removesuffix(".csv").removesuffix(".sides")

    def outputs(self) -> list[Path]:
        """All files that may be written."""
        endings = [".actions.csv", ".sides.png", "_check.mp4", REPORT_ENDING]
        endings += [f"_{side}_mirrored.{kind}" for side in ("left", "right") for kind in ("csv", "mp4")]
        return [self.table, *(self.table.with_name(self.stem + ending) for ending in endings)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SidesOutcome:
    """What became of a job.

    Attributes
    ----------
    result
        Both sides.
    written
        The files.
    stopped
        Whether it ended before the end of the video.
    lost
        What of the video could not be read; empty when nothing was lost.
    pack
        The model pack.
    """

    result: SidesResult
    written: tuple[Path, ...]
    stopped: bool
    lost: str
    pack: str


def refuse_to_replace(jobs: Sequence[SidesJob]) -> None:
    """Stop before a file of one job is written over the source of any, or over the other recordings named.

    Raises
    ------
    OutputError
        It would be, or a file can't have its name.
    """
    known = [job.source for job in jobs]
    for how in {id(job.how): job.how for job in jobs}.values():
        known += [path for path in (how.neutral_recording, how.epochs) if isinstance(path, Path)]
    for path in (path for job in jobs for path in job.outputs()):
        with naming_errors(path):  # a name may be too long for the system
            there = path.is_file()
        if there and any(other.is_file() and path.samefile(other) for other in known):
            raise OutputError(f"{path} would be replaced, but is to be read; choose another place with -o")


def run_sides(
    job: SidesJob,
    options: AnalysisOptions,
    *,
    watch: Watch | None = None,
    stopped: threading.Event | None = None,
) -> SidesOutcome:
    """Analyse one source by sides and write its files.

    Parameters
    ----------
    job, options
        The source, its files, and how it is analysed.
    watch
        Follows the work.
    stopped
        Ends it after the frame at hand when set.

    Returns
    -------
    SidesOutcome

    Raises
    ------
    MienError
        The source, the epochs or the models cannot be read, options contradict each other, or a file can't
        be written. Where a video fails on its way, or epochs do not suit it, what there is without is written
        first.
    """
    watch = watch or Watch()
    _refuse_tables_per_side(job, options)
    if are_pictures(job.source) and not options.sequence:
        if job.with_videos:
            raise OptionError("with_videos is for videos; leave it out for pictures")
        output_folder(job.table.parent)
        return _run_pictures(job, options, watch)
    check_epochs(job.how)
    output_folder(job.table.parent)
    baseline = neutral_baseline(job.how, options)
    making = _Watching(job, options)
    try:
        return _run_video(job, options, baseline, making, watch, stopped or threading.Event())
    except BaseException:
        making.abort()
        raise


def _run_video(
    job: SidesJob,
    options: AnalysisOptions,
    baseline: Baseline | None,
    making: _Watching,
    watch: Watch,
    stopped: threading.Event,
) -> SidesOutcome:
    error: MienError | None = None
    with SidesAnalysis(job.source, options, job.how, watch=making.watch, stopped=stopped) as analysis:
        making.begin(analysis.info.fps)
        info = analysis.info
        with watch.step(info.name, info.frame_count, analysis.pack) as advance:
            try:
                for _ in analysis:
                    advance(1)
            except Exception as failure:
                if not analysis.frames:
                    raise
                error = failure if isinstance(failure, MienError) else _unexpected(failure, analysis.frames)
        for text in analysis.notes:
            watch.note(text)
        partial = is_part(options) or analysis.stopped or bool(analysis.lost or error)
        result, epochs, trouble = _compared(analysis, baseline, partial=partial)
        if trouble is not None and (analysis.stopped or analysis.lost):
            watch.warn(str(trouble))
            trouble = None
        elif job.how.epochs is not None and not epochs and trouble is None:
            watch.warn("no epoch lies in what was analysed, so there is no table of actions")
        outcome = SidesOutcome(
            result=result,
            written=tuple(_write(job, result, epochs, making, watch)),
            stopped=analysis.stopped,
            lost=analysis.lost,
            pack=analysis.pack.name,
        )
    failed = error or trouble
    if failed is not None:
        raise failed
    return outcome


def _unexpected(failure: Exception, frames: int) -> FrameError:
    error = FrameError(
        f"both sides can't be measured in frame {frames} of what was analysed: {type(failure).__name__}: "
        f"{failure}; the frames before it are complete; please report this as a bug"
    )
    error.__cause__ = failure
    return error


def _compared(
    analysis: SidesAnalysis, baseline: Baseline | None, *, partial: bool
) -> tuple[SidesResult, tuple[Epoch, ...], MienError | None]:
    """Both sides and the epochs; where these do not suit the video, all that is without them, and why."""
    trouble: MienError | None = None
    epochs: tuple[Epoch, ...] = ()
    try:
        if analysis.how.epochs is not None:
            epochs = epochs_of(analysis.how, analysis.result(), partial=partial)
        return analysis.sides(epochs, baseline), epochs, None
    except MienError as failure:
        trouble = failure
    kept = "the table is written without epochs"
    if analysis.how.neutral_code is not None:
        kept = "the table is written, relative to the neutral face of both sides (pooled)"
        analysis.how = replace(analysis.how, neutral="pooled")
    return analysis.sides(epochs, baseline), epochs, type(trouble)(f"{trouble}; {kept}")


class _Watching:
    """Videos and the sheet of one job, made while frames pass."""

    def __init__(self, job: SidesJob, options: AnalysisOptions) -> None:
        self._job, self._options = job, options
        self.videos: SideVideos | None = None
        self.sheet: SheetKeeper | None = None
        wanted = job.with_videos or job.picture_s is not None
        self.watch: Watcher | None = self._watch if wanted else None

    def begin(self, fps: float) -> None:
        """Open the files."""
        if self.watch is None:
            return
        from mien.sides.view import SheetKeeper, SideVideos

        job, selfie = self._job, self._job.how.selfie
        if job.with_videos:
            whole_frames = job.how.procedure == "openface-like"
            drawer = None if whole_frames else self._drawer()
            self.videos = SideVideos(job.table.parent, job.stem, fps, drawer, selfie=selfie)
        if job.picture_s is not None:
            self.sheet = SheetKeeper(job.picture_s, self._drawer(), selfie=selfie)

    def _watch(self, *seen: object) -> None:
        for watcher in (self.videos, self.sheet):
            if watcher is not None:
                watcher.watch(*seen)  # type: ignore[arg-type]

    def _drawer(self) -> CompositeDrawer:
        return drawer_of(self._options)

    def abort(self) -> None:
        """Give up what is not complete."""
        if self.videos is not None:
            self.videos.abort()


def drawer_of(options: AnalysisOptions) -> CompositeDrawer:
    """Draws composites with the shape model of the pack that is used."""
    from mien.packs import choose_pack
    from mien.sides.analysis import read_record
    from mien.sides.view import CompositeDrawer

    pack = choose_pack(options.models)
    return CompositeDrawer(read_record(pack.folder, "dynamic") if pack.name == "openface" else None)


def _run_pictures(job: SidesJob, options: AnalysisOptions, watch: Watch) -> SidesOutcome:
    from mien.packs import choose_pack
    from mien.sides.view import SheetKeeper

    sheet = None
    if job.picture_s is not None:
        sheet = SheetKeeper(None, drawer_of(options), selfie=job.how.selfie)
    with watch.step(job.source.name, None, choose_pack(options.models)):
        result = picture_sides(job.source, options, job.how, None if sheet is None else sheet.watch)
    result.save(job.table)
    written = [job.table]
    if sheet is not None and sheet.kept is not None:
        written.append(_write_sheet(job, result, sheet))
    elif sheet is not None:
        watch.warn("no picture with bars: there is no face")
    if job.split_tables:
        written += result.save_split(job.table.parent, job.stem)
    written += _write_page(job, result, ())
    lost = str(result.provenance.get("analysed", {}).get("lost", ""))
    pack = choose_pack(options.models).name
    return SidesOutcome(result=result, written=tuple(written), stopped=False, lost=lost, pack=pack)


def _write(
    job: SidesJob, result: SidesResult, epochs: Sequence[Epoch], watching: _Watching, watch: Watch
) -> list[Path]:
    result.save(job.table)
    written, folder = [job.table], job.table.parent
    named = None
    if epochs:
        actions = folder / f"{job.stem}.actions.csv"
        result.actions(epochs).save(actions)
        written.append(actions)
        named = codes(epochs, result.video.time_s)
    if job.split_tables:
        written += result.save_split(folder, job.stem, named)
    if watching.videos is not None:
        written += watching.videos.close()
    if watching.sheet is not None and watching.sheet.kept is not None:
        written.append(_write_sheet(job, result, watching.sheet))
    elif watching.sheet is not None:
        watch.warn(f"no picture: there is no face at {job.picture_s:g} s or later")
    return written + _write_page(job, result, epochs)


def _write_page(job: SidesJob, result: SidesResult, epochs: Sequence[Epoch]) -> list[Path]:
    if job.report is None:
        return []
    from mien.sides.side_report import write_sides_report

    path = job.table.with_name(job.stem + REPORT_ENDING)
    write_sides_report(result, epochs, path, job.report)
    return [path]


def _write_sheet(job: SidesJob, result: SidesResult, sheet: SheetKeeper) -> Path:
    from mien.sides.view import draw_sheet

    assert sheet.kept is not None
    path = job.table.parent / f"{job.stem}.sides.png"
    write_picture(draw_sheet(result, sheet.kept), path)
    return path


def _refuse_tables_per_side(job: SidesJob, options: AnalysisOptions) -> None:
    """Tables in OpenFace's columns hold nothing but action units."""
    from mien.packs import choose_pack

    if job.split_tables and ("aus" in options.skip or choose_pack(options.models).name != "openface"):
        raise OptionError(
            "split_tables: tables per side hold action units, which need OpenFace's models; run mien models "
            "fetch, or leave it out"
        )

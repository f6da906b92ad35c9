"""Pictures and the files that they shall leave: a set for each picture, or one table for all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mien.analysis.job_run import as_mien_error, keep_tables
from mien.analysis.outcome import OF_ALL_SOURCES, JobOutcome, Tally
from mien.analysis.output_set import OutputSet, save_tables
from mien.analysis.outputs import OutputOptions
from mien.analysis.pictures import Picture, PictureAnalysis, PictureTable
from mien.analysis.staging import Staging, naming_places
from mien.analysis.targets import TABLE_SUFFIXES, output_folder, table_path, tables_in
from mien.analysis.watch import Watch
from mien.errors import OptionError, OutputError
from mien.options import AnalysisOptions
from mien.results.columns import Form
from mien.results.video_result import VideoResult
from mien.video.images import list_images


@dataclass(frozen=True, slots=True)
class PictureJob:
    """Pictures that have nothing to do with one another.

    Attributes
    ----------
    source
        A folder, or files and folders.
    outputs
        The files of each picture, in the order of the pictures; or one for all of them, see ``joined``.
    joined
        Whether all faces go into one table.
    """

    source: Path | tuple[Path, ...]
    outputs: tuple[OutputOptions, ...]
    joined: bool = False


def picture_jobs(
    sources: Sequence[Path], output: Path | None, wanted: OutputOptions, options: AnalysisOptions
) -> list[PictureJob]:
    """What picture files and folders shall leave.

    A single picture gets a table of its own, ``output`` or its name with .csv; so does each of several, in
    the folder ``output`` or here, and those of a folder in ``FOLDER_faces``. With a table as ``output`` they
    share it.

    Parameters
    ----------
    sources
        Files and folders.
    output
        A table, a folder, or None.
    wanted
        Which files; its place is of no account.
    options
        How pictures are analysed.

    Raises
    ------
    MienError
        A folder has no picture, pictures would have the same tables, or something can't be written.
    """
    wanted = replace(wanted, form=Form.IMAGE, good_by="valid", drawn_last=False)
    files = tuple(source for source in sources if not source.is_dir())
    folders = [source for source in sources if source.is_dir()]
    shared = output is not None and output.suffix.lower() in TABLE_SUFFIXES and not output.is_dir()
    if shared and (folders or len(files) > 1):
        return [_joined(sources, table_path(sources[0], output), wanted)]
    jobs = []
    if files and len(files) == len(sources) == 1:
        jobs.append(PictureJob(files, _each(files, [table_path(files[0], output)], wanted)))
    elif files:
        place = Path() if output is None else output_folder(output)
        jobs.append(PictureJob(files, _each(files, tables_in(place, files), wanted)))
    for folder in folders:
        pictures = list_images(folder, compat=options.compat)
        place = output_folder(output or Path(f"{folder.resolve().name}_faces"))
        jobs.append(PictureJob(folder, _each(pictures, tables_in(place, pictures), wanted)))
    return jobs


def _each(files: Sequence[Path], tables: Sequence[Path], wanted: OutputOptions) -> tuple[OutputOptions, ...]:
    pairs = zip(files, tables, strict=True)
    return tuple(replace(wanted.at(table), source=str(path)) for path, table in pairs)


def _joined(sources: Sequence[Path], table: Path, wanted: OutputOptions) -> PictureJob:
    if wanted.hog or wanted.aligned or wanted.details or wanted.drawing:
        raise OptionError(
            "further files need a table per picture; choose a folder with -o, or leave them out"
        )
    source = sources[0] if len(sources) == 1 else tuple(sources)
    return PictureJob(source, (replace(wanted.at(table), form=Form.SEQUENCE, source=None),), joined=True)


def run_pictures(
    job: PictureJob,
    options: AnalysisOptions,
    *,
    watch: Watch | None = None,
    stopped: threading.Event | None = None,
) -> JobOutcome:
    """Analyse pictures and write their files, those of a picture as soon as it is done.

    Parameters
    ----------
    job
        The pictures and their files.
    options, watch, stopped
        As for `mien.analysis.jobs.run_job`.

    Returns
    -------
    JobOutcome
        Pictures that can't be read or analysed are counted in its ``lost``.

    Raises
    ------
    OptionError, ModelsMissingError, ModelFileError, ProviderError
        Something that holds for every picture with these options.
    """
    run = _PicturesRun(job, options, watch or Watch(), stopped)
    try:
        run.work()
    except OF_ALL_SOURCES:
        raise
    except Exception as error:
        return replace(run.outcome(), error=as_mien_error(error))
    return run.outcome()


class _PicturesRun:
    """A job of pictures at work."""

    def __init__(
        self, job: PictureJob, options: AnalysisOptions, watch: Watch, stopped: threading.Event | None
    ) -> None:
        source = job.source if isinstance(job.source, Path) else list(job.source)
        self.job, self.watch = job, watch
        self.analysis = PictureAnalysis(source, options, stopped=stopped)
        self.tally, self.empty, self.written = Tally(), list[str](), list[Path]()

    def work(self) -> None:
        """Analyse all pictures and write their files."""
        self.job.outputs[0].aligner(self.analysis.stages)  # what the models can't give is said at once
        if not self.job.joined:
            self._follow(self._write)
            return
        rows = PictureTable(self.analysis)
        try:
            self._follow(rows.add)
        finally:
            if self.tally.frames:
                self._write_joined(rows.result())

    def _follow(self, write: Callable[[Picture], None]) -> None:
        analysis, tally = self.analysis, self.tally
        begin = time.perf_counter()
        with self.watch.step(analysis.name, len(analysis.files), analysis.pack) as advance:
            for picture in analysis:
                write(picture)
                tally.frames += 1
                for face in picture.faces:
                    tally.add(face, good=face.landmarks.valid)
                if not picture.faces:
                    self.empty.append(picture.info.name)
                tally.seconds = time.perf_counter() - begin
                advance(1)

    def _write(self, picture: Picture) -> None:
        """Write the files of a picture."""
        options = self.job.outputs[picture.frame.index]
        if options.drawing is not None and options.drawing.style != "openface":
            panel = max(1, min(4, len(picture.faces)))
            options = replace(options, drawing=replace(options.drawing, faces=panel))
        aligner = options.aligner(self.analysis.stages)
        with OutputSet(options, picture.camera, source=picture.info.path, aligner=aligner) as outputs:
            outputs.add(picture.frame, picture.faces, picture.appearances)
            self.written += outputs.close(picture.result)

    def _write_joined(self, result: VideoResult) -> None:
        """Write the table of all pictures, as far as it got."""
        named = self.job.outputs[0]
        named = named.partial if self.analysis.stopped else named
        staging = Staging(named.folder)
        try:
            with naming_places():
                tables = save_tables(result, named, staging.path)
                self.written += staging.commit([table.name for table in tables])
        except OutputError:
            staging.discard()
            self.written += keep_tables(named, result, whole=not self.analysis.stopped)
            raise

    def outcome(self) -> JobOutcome:
        """What became of it until now."""
        analysis = self.analysis
        return JobOutcome(
            source=self.job.source if isinstance(self.job.source, Path) else None,
            name=analysis.name,
            pictures=True,
            pack=analysis.stages.pack,
            landmark_model=analysis.stages.landmark_model,
            networks=analysis.stages.networks(),
            lost=analysis.lost,
            notes=analysis.notes,
            stopped=analysis.stopped,
            partial=self.job.joined and analysis.stopped,
            empty=tuple(self.empty),
            written=tuple(self.written),
            **self.tally.summary(),
        )

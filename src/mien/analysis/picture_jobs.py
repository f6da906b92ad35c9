"""Pictures and the files that they shall leave: a set for each picture, or one table for all."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mien.analysis.ending import as_mien_error, keep_tables
from mien.analysis.jobs import OF_ALL_SOURCES
from mien.analysis.outcome import JobOutcome, Tally
from mien.analysis.output_set import OutputSet, save_tables
from mien.analysis.outputs import OutputOptions
from mien.analysis.pictures import Picture, PictureAnalysis, PictureTable
from mien.analysis.staging import Staging
from mien.analysis.targets import TABLE_SUFFIXES, folders_below, output_folder, table_path
from mien.analysis.watch import Unwatched, Watch
from mien.errors import OptionError, OutputError
from mien.options import AnalysisOptions
from mien.results.columns import Form
from mien.results.video_result import VideoResult
from mien.video.images import list_images
from mien.video.source import VIDEO_SUFFIXES


@dataclass(frozen=True, slots=True)
class PictureJob:
    """Pictures that have nothing to do with one another.

    Attributes
    ----------
    source
        A folder, or files.
    outputs
        The files of each picture, in the order of the pictures; or one for all of them, see ``joined``.
    place
        Where they go, in words.
    joined
        Whether all faces go into one table.
    remarks
        What else lies in the folders, in words.
    """

    source: Path | tuple[Path, ...]
    outputs: tuple[OutputOptions, ...]
    place: str
    joined: bool = False
    remarks: tuple[str, ...] = ()


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
        return [_joined(sources, output, wanted, options)]
    jobs = []
    if files and len(files) == len(sources) == 1:
        table = table_path(files[0], output)
        single = replace(wanted.at(table), source=str(files[0]))
        jobs.append(PictureJob(files, (single,), f"Table: {table}"))
    elif files:
        place = Path() if output is None else output_folder(output)
        jobs.append(PictureJob(files, _each(files, place, wanted), f"Tables: {place}/"))
    for folder in folders:
        pictures = list_images(folder, compat=options.compat)
        place = output_folder(output or Path(f"{folder.resolve().name}_faces"))
        outputs = _each(pictures, place, wanted)
        remarks = folder_remarks(folder, pictures)
        jobs.append(PictureJob(folder, outputs, f"Tables: {place}/", remarks=remarks))
    return jobs


def _each(files: Sequence[Path], place: Path, wanted: OutputOptions) -> tuple[OutputOptions, ...]:
    folders = [place / below for below in folders_below(files)]
    places = Counter((folder, path.stem) for folder, path in zip(folders, files, strict=True))
    twice = sorted({stem for (_, stem), count in places.items() if count > 1})
    if twice:
        raise OptionError(
            f"several pictures are named {', '.join(twice[:3])}, as their tables would be; "
            "give them different names, or one table with -o"
        )
    return tuple(
        replace(wanted.at(folder / f"{path.stem}.csv"), source=str(path))
        for folder, path in zip(folders, files, strict=True)
    )


def _joined(
    sources: Sequence[Path], output: Path | None, wanted: OutputOptions, options: AnalysisOptions
) -> PictureJob:
    assert output is not None
    if wanted.hog or wanted.aligned or wanted.details or wanted.drawing:
        raise OptionError(
            "further files need a table per picture; choose a folder with -o, or leave them out"
        )
    files, remarks = list[Path](), list[str]()
    for source in sources:
        found = list_images(source, compat=options.compat) if source.is_dir() else [source]
        files += found
        remarks += folder_remarks(source, found) if source.is_dir() else ()
    table = table_path(sources[0], output)
    named = replace(wanted.at(table), form=Form.SEQUENCE, source=None)
    return PictureJob(tuple(files), (named,), f"Table: {table}", joined=True, remarks=tuple(remarks))


def folder_remarks(folder: Path, pictures: Sequence[Path]) -> tuple[str, ...]:
    """Say which files of a folder are not analysed, and how videos among them are.

    Parameters
    ----------
    folder
        The folder.
    pictures
        What is analysed of it.
    """
    taken = {path.name for path in pictures}
    others = sorted(
        path.name
        for path in folder.iterdir()
        if path.is_file() and path.name not in taken and not path.name.startswith(".")
    )
    videos = [name for name in others if Path(name).suffix.lower() in VIDEO_SUFFIXES]
    rest = [name for name in others if name not in videos]
    remarks = []
    if videos:
        remarks.append(
            f"{folder} holds {_named(videos, 'video')} besides pictures, which are analysed by their own "
            f'names: mien analyze "{folder / f"*{Path(videos[0]).suffix}"}"'
        )
    if rest:
        remarks.append(f"{folder} holds {_named(rest, 'file')} that can't be analysed as pictures")
    return tuple(remarks)


def _named(names: Sequence[str], noun: str) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{len(names)} {noun}{'s' * (len(names) > 1)} ({', '.join(names[:3])}{more})"


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
    run = _PicturesRun(job, options, watch or Unwatched(), stopped)
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
        self.job, self.options, self.watch = job, options, watch
        self.analysis = PictureAnalysis(
            job.source if isinstance(job.source, Path) else list(job.source),
            options,
            observe=self._see,
            stopped=stopped,
        )
        self.tally, self.empty, self.written = Tally(), list[str](), list[Path]()
        self._seen: tuple[Any, ...] = ()

    def work(self) -> None:
        """Analyse all pictures and write their files."""
        for remark in self.job.remarks:
            self.watch.note(remark)
        if not self.job.joined:
            self._count(self._write)
            return
        rows = PictureTable(self.analysis)
        try:
            self._count(rows.add)
        finally:
            if self.tally.frames:
                self._write_joined(rows.result())

    def _write_joined(self, result: VideoResult) -> None:
        """Write the table of all pictures, as far as it got."""
        named = self.job.outputs[0]
        named = named.partial if self.analysis.stopped else named
        staging = Staging(named.folder)
        try:
            tables = save_tables(result, named, staging.path)
            self.written += staging.commit([table.name for table in tables])
        except OutputError:
            staging.discard()
            self.written += keep_tables(named, result, whole=not self.analysis.stopped)
            raise

    def _see(self, *seen: Any) -> None:
        """Keep what the pipeline shows of a picture until its files are written."""
        self._seen = seen

    def _count(self, write: Any) -> None:
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
        frame, faces, appearances = self._seen
        options = self.job.outputs[frame.index]
        if options.drawing is not None and options.drawing.style != "openface":
            panel = max(1, min(4, len(picture.faces)))
            options = replace(options, drawing=replace(options.drawing, faces=panel))
        aligner = self._aligner(options)
        with OutputSet(options, picture.camera, source=picture.info.path, aligner=aligner) as outputs:
            outputs.add(frame, faces, appearances)
            self.written += outputs.close(picture.result)

    def _aligner(self, options: OutputOptions) -> Any:
        if not options.needs_appearance:
            return None
        appearance = self.analysis.stages.appearance
        if appearance is None:
            raise OptionError(
                "descriptors and aligned faces need the action units of OpenFace's models; run `mien models "
                "fetch`, or leave these outputs out"
            )
        aligned = options.aligned
        if aligned is None or aligned.as_analysed:
            return None
        return appearance.aligner(aligned.size, aligned.px_per_mm, aligned.mask)

    def outcome(self) -> JobOutcome:
        """What became of it until now."""
        analysis = self.analysis
        return JobOutcome(
            source=self.job.source if isinstance(self.job.source, Path) else None,
            name=analysis.name,
            pack=analysis.stages.pack,
            landmark_model=analysis.stages.landmark_model,
            networks=analysis.stages.networks(),
            lost=analysis.lost,
            stopped=analysis.stopped,
            partial=self.job.joined and analysis.stopped,
            empty=tuple(self.empty),
            written=tuple(self.written),
            **self.tally.summary(),
        )

"""``mien analyze`` with pictures: all faces of each, one row per face."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mien.cli.exit_codes import ExitCode
from mien.cli.extras import Extras
from mien.cli.output import TABLE_SUFFIXES, output_folder, table_path
from mien.cli.progress import interruptible, progress, telling_of_compilation
from mien.cli.run import networks_sentence
from mien.errors import OptionError, SourceError
from mien.options import AnalysisOptions

if TYPE_CHECKING:
    from mien.datatypes import Frame
    from mien.pictures import Picture, PictureAnalysis
    from mien.results.outputs import OutputOptions


def analyze_pictures(
    sources: list[Path], output: Path | None, options: AnalysisOptions, extras: Extras, *, quiet: bool
) -> ExitCode:
    """Analyse picture files and folders of them.

    A single picture gets a table of its own, ``-o`` or its name with .csv; so does each of several, in the
    folder ``-o`` or here, and those of a folder in ``FOLDER_faces``. With ``-o`` TABLE they share one.

    Raises
    ------
    MienError
        Pictures or models can't be read, something can't be written, or options contradict each other.
    """
    for source in sources:
        if not source.exists():
            raise SourceError(f"{source}: no such file or folder; expected pictures")
    files = [source for source in sources if not source.is_dir()]
    folders = [source for source in sources if source.is_dir()]
    shared = output is not None and output.suffix.lower() in TABLE_SUFFIXES
    if shared and (folders or len(files) > 1):
        return _into_one_table(sources, output, options, extras, quiet=quiet)
    code = ExitCode.OK
    if files:
        single = len(files) == 1 and not folders
        place = table_path(files[0], output) if single else output or Path()
        code = _into_tables(files, place, options, extras, single=single, quiet=quiet)
    for folder in folders:
        if code is ExitCode.INTERRUPTED:
            break
        place = output if output is not None else Path(f"{folder.resolve().name}_faces")
        code = max(code, _into_tables(folder, place, options, extras, single=False, quiet=quiet))
    return code


@dataclasses.dataclass(slots=True)
class PictureTally:
    """What is said at the end, counted while pictures pass by."""

    pictures: int = 0
    faces: int = 0
    empty: list[str] = dataclasses.field(default_factory=list)
    seconds: float = 0.0


def _into_tables(
    source: Path | list[Path],
    place: Path,
    options: AnalysisOptions,
    extras: Extras,
    *,
    single: bool,
    quiet: bool,
) -> ExitCode:
    """One table per picture, in the folder ``place``; of a single picture, in the file ``place``."""
    from mien.pictures import PictureAnalysis

    analysis = PictureAnalysis(source, options)
    _refuse_same_names(analysis.files)
    if not single:
        output_folder(place)
    watcher = PictureWatcher()
    analysis.observe = watcher
    tally = PictureTally()

    def write(picture: Picture) -> None:
        path = picture.info.path
        assert path is not None
        table = place if single else place / f"{path.stem}.csv"
        watcher.write(picture, _outputs(picture, path, table, extras), analysis)

    consume_pictures(analysis, tally, write, quiet=quiet)
    where = f"Table: {place}" if single else f"Tables: {place}/"
    return conclude(analysis, tally, where if tally.faces else "No table was written.", quiet=quiet)


def _refuse_same_names(files: tuple[Path, ...]) -> None:
    stems = [path.stem for path in files]
    twice = sorted({stem for stem in stems if stems.count(stem) > 1})
    if twice:
        raise OptionError(
            f"several pictures are named {', '.join(twice[:3])}, as their tables would be; "
            "give them different names, or one table with -o"
        )


class PictureWatcher:
    """Keeps what the pipeline shows of a picture until its files are written."""

    def __init__(self) -> None:
        self._seen: list[Any] = []

    def __call__(self, *seen: Any) -> None:
        """Take a picture, its faces and their appearance."""
        self._seen = list(seen)

    @property
    def position(self) -> int:
        """Place of the picture among all, counted from 0."""
        frame: Frame = self._seen[0]
        return frame.index

    def write(self, picture: Picture, options: OutputOptions, analysis: PictureAnalysis) -> None:
        """Write the files of a picture."""
        from mien.results.outputs import OutputSet

        aligner, aligned = None, options.aligned
        appearance = analysis.stages.appearance
        if options.needs_appearance and appearance is None:
            raise OptionError(
                "descriptors and aligned faces need the action units of OpenFace's models; run `mien models "
                "fetch`, or leave these outputs out"
            )
        if appearance is not None and aligned is not None and not aligned.as_analysed:
            aligner = appearance.aligner(aligned.size, aligned.px_per_mm, aligned.mask)
        with OutputSet(options, picture.camera, source=picture.info.path, aligner=aligner) as outputs:
            outputs.add(*self._seen)
            outputs.close(picture.result)


def _outputs(picture: Picture, source: Path, table: Path, extras: Extras) -> OutputOptions:
    from mien.results.columns import Form
    from mien.results.outputs import OutputOptions
    from mien.view.drawing import DrawingOptions

    drawing = None
    if extras.tracked is not None:
        drawing = DrawingOptions(style=extras.tracked, faces=max(1, min(4, len(picture.faces))))
    return OutputOptions(
        folder=table.parent,
        base=table.stem,
        tables=tuple(dict.fromkeys((table.suffix.lower(), *extras.suffixes))),
        **extras.layout,
        form=Form.IMAGE,
        hog=extras.hog,
        aligned=extras.aligned,
        drawing=drawing,
        details=extras.details,
        source=str(source),
        good_by="valid",
    )


def _into_one_table(
    sources: list[Path], table: Path | None, options: AnalysisOptions, extras: Extras, *, quiet: bool
) -> ExitCode:
    """All faces of all pictures; the provenance beside it names the pictures by their numbers."""
    from mien.pictures import PictureAnalysis, PictureTable
    from mien.video.images import list_images

    assert table is not None
    if extras.hog or extras.aligned or extras.details or extras.tracked:
        raise OptionError(
            "further files need a table per picture; choose a folder with -o, or leave them out"
        )
    files = [
        path
        for source in sources
        for path in (list_images(source, compat=options.compat) if source.is_dir() else [source])
    ]
    path = table_path(sources[0], table)
    analysis, tally = PictureAnalysis(files, options), PictureTally()
    rows = PictureTable(analysis)
    consume_pictures(analysis, tally, rows.add, quiet=quiet)
    result = rows.result()
    for suffix in dict.fromkeys((path.suffix.lower(), *extras.suffixes)):
        result.save(path.with_suffix(suffix), **extras.layout)
    return conclude(analysis, tally, f"Table: {path}", quiet=quiet)


def consume_pictures(analysis: PictureAnalysis, tally: PictureTally, write: Any, *, quiet: bool) -> None:
    """Analyse all pictures, with a progress bar where there is a terminal, and write each."""
    from mien.packs import notice

    if not quiet:
        typer.echo(notice(analysis.pack), err=True)
    begin = time.perf_counter()
    bar = progress(analysis.name, len(analysis.files), quiet=quiet)
    tell = (lambda text: None) if quiet else bar.note
    with bar, telling_of_compilation(tell), interruptible(analysis.stop, tell):
        for picture in analysis:
            write(picture)
            tally.pictures += 1
            tally.faces += len(picture.faces)
            if not picture.faces:
                tally.empty.append(picture.info.name)
            bar.advance()
    tally.seconds = time.perf_counter() - begin


def conclude(analysis: PictureAnalysis, tally: PictureTally, where: str, *, quiet: bool) -> ExitCode:
    """Say what was done, and give the exit code."""
    if not quiet:
        found = (
            f"{_count(tally.faces, 'face')} in {_count(tally.pictures, 'picture')}, {tally.seconds:.1f} s."
        )
        models = f"{analysis.stages.pack}, {analysis.stages.landmark_model}"
        networks = networks_sentence(analysis.options, analysis.stages.networks())
        typer.echo(" ".join([f"{analysis.name}: {found} Models: {models}.", *networks, where]))
    if tally.empty and not quiet:
        more = f" and {len(tally.empty) - 3} more" if len(tally.empty) > 3 else ""
        typer.echo(f"No face was found in {', '.join(tally.empty[:3])}{more}.")
    if analysis.lost:
        typer.echo(f"mien: {analysis.lost}", err=True)
    if analysis.stopped:
        typer.echo(f"mien: interrupted after {_count(tally.pictures, 'picture')}", err=True)
        return ExitCode.INTERRUPTED
    return ExitCode.INCOMPLETE_SOURCE if analysis.lost else ExitCode.OK


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

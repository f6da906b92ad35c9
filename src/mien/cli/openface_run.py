"""Runs what a command line of the original asks for, input by input."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mien.cli.exit_codes import ExitCode
from mien.cli.run import Tally, consume, summary
from mien.dropin.models import has_eyes, landmark_model
from mien.dropin.places import Input, Place, Source
from mien.dropin.programs import Program
from mien.dropin.request import Request
from mien.errors import FrameError, MienError, OutputError
from mien.models.store import ModelStore
from mien.results.columns import Form, Group
from mien.results.outputs import OutputOptions
from mien.view.drawing import DrawingOptions

if TYPE_CHECKING:
    from mien.analysis import Analysis
    from mien.video.source import FrameSource


def run_request(request: Request) -> ExitCode:
    """Analyse all inputs in order and write the original's files.

    As in the original, inputs after one that can't be opened are not attempted.

    Raises
    ------
    MienError
        An input or the models can't be read, or something can't be written.
    """
    for warning in request.warnings:
        _warn(request, warning)
    request = _with_model(request)
    if request.program is Program.FACE_LANDMARK_IMG:
        return _pictures(request)
    code = ExitCode.OK
    places = _places(request, request.inputs)
    for position, (source, place) in enumerate(zip(request.inputs, places, strict=True)):
        with _naming_the_rest(request, position):
            done = _video(request, source, place)
        if done is ExitCode.INTERRUPTED:
            return done
        code = max(code, done)
    return code


def _with_model(request: Request) -> Request:
    """Find the landmark model; without one for the eyes there is no gaze."""
    landmarks = landmark_model(request.landmarks)
    options = replace(request.options, landmarks=landmarks)
    files = ModelStore().locate(landmarks)
    if landmarks is None and files.landmarks != "ce-clm":
        _warn(
            request,
            f"-mloc: OpenFace's default landmark model, CE-CLM, is not installed; {files.landmarks} is used, "
            "whose numbers differ; `mien models fetch` gets it",
        )
    if has_eyes(files.landmark_model):
        return replace(request, options=options)
    outputs = replace(request.outputs, groups=request.outputs.groups - {Group.GAZE})
    if Group.GAZE in request.outputs.groups:
        _warn(request, "-gaze: the landmark model has no eyes, so that there is no gaze")
    return replace(request, options=replace(options, skip=(*options.skip, "gaze")), outputs=outputs)


@contextmanager
def _naming_the_rest(request: Request, position: int) -> Iterator[None]:
    """Say which inputs are not attempted after one that failed."""
    try:
        yield
    except MienError:
        rest = [source.path for source in request.inputs[position + 1 :]]
        if rest:
            typer.echo(f"{request.program}: not attempted, as in OpenFace: {', '.join(rest)}", err=True)
        raise


def _places(request: Request, inputs: Sequence[Input]) -> list[Place]:
    """The place of every input; says where the original's rules are probably not what was meant."""
    places = [request.places.of(position, source) for position, source in enumerate(inputs)]
    surplus = request.places.names[len(inputs) :]
    if surplus:
        _warn(request, f"-of {' '.join(surplus)}: no effect, there are no more than {len(inputs)} inputs")
    for place, count in Counter(places).items():
        if count > 1:
            pairs = zip(inputs, places, strict=True)
            names = ", ".join(source.path for source, other in pairs if other == place)
            _warn(
                request,
                f"{names} are all written to {place.folder / place.base}, where the last one remains, as in "
                "OpenFace; -of gives other names",
            )
    return places


def _warn(request: Request, text: str) -> None:
    typer.echo(f"{request.program}: warning: {text}", err=True)


def outputs_of(request: Request, place: Place, source: str | None, form: Form) -> OutputOptions:
    """The files of one input.

    Parameters
    ----------
    request
        Which are wanted.
    place
        Where they go.
    source
        The input's path as it was given; None for a camera.
    form
        Whether it is a picture or a sequence of them.
    """
    wanted = request.outputs
    drawing = None
    if wanted.tracked:
        picture_format = wanted.picture_format if form is Form.IMAGE else None
        drawing = DrawingOptions(style="openface", file_format=picture_format)
    return OutputOptions(
        folder=place.folder,
        base=place.base,
        groups=wanted.groups,
        style=wanted.style,
        form=form,
        hog=wanted.hog,
        aligned=wanted.aligned,
        drawing=drawing,
        details=True,
        provenance=False,
        source=source,
        good_by="success" if request.program is Program.FEATURE_EXTRACTION else "valid",
    )


def _video(request: Request, source: Input, place: Place) -> ExitCode:
    from mien.analysis import Analysis

    camera = source.kind is Source.CAMERA
    options = replace(request.options, sequence=source.kind is Source.FOLDER)
    outputs = outputs_of(request, place, None if camera else source.path, Form.SEQUENCE)
    frames: Path | FrameSource = _open_camera(request, source) if camera else Path(source.path)
    with Analysis(frames, options, outputs=outputs) as analysis:
        tally = Tally()
        try:
            consume(analysis, tally, quiet=request.quiet)
        except (FrameError, OutputError):
            if tally.frames:
                _close(analysis, partial=True)
            raise
        if analysis.stopped and not tally.frames:
            typer.echo("mien: interrupted before the first frame was analysed", err=True)
            return ExitCode.INTERRUPTED
        # a camera has no end of its own
        partial = analysis.stopped and not camera
        written = _close(analysis, partial=partial)
        _tell(request, analysis, tally, written)
        if partial:
            typer.echo("mien: interrupted; what was done until then is named .partial", err=True)
            return ExitCode.INTERRUPTED
        return ExitCode.INCOMPLETE_SOURCE if analysis.lost else ExitCode.OK


def _open_camera(request: Request, source: Input) -> FrameSource:
    from mien.video.camera import open_camera

    return open_camera(int(source.path), request.camera_size)


def _close(analysis: Analysis, *, partial: bool) -> list[Path]:
    """Complete the files; the original makes no table where it has no row."""
    result = analysis.result()
    assert analysis.outputs is not None
    return analysis.outputs.close(result if len(result) else None, partial=partial)


def _tell(request: Request, analysis: Analysis, tally: Tally, written: list[Path]) -> None:
    tables = [path for path in written if path.suffix == ".csv"]
    if not request.quiet:
        if tables:
            typer.echo(summary(analysis, tables[0], tally))
        else:
            typer.echo(
                f"{analysis.info.name}: nobody was found in {tally.frames} frames; no table was written"
            )
        typer.echo("Also: " + ", ".join(str(path) for path in written if path not in tables))
    elif analysis.lost:
        typer.echo(f"mien: {analysis.info.name}: {analysis.lost}", err=True)


def _pictures(request: Request) -> ExitCode:
    from mien.cli.pictures import PictureTally, PictureWatcher, conclude, consume_pictures
    from mien.pictures import Picture, PictureAnalysis

    first = request.inputs[0]
    files = Path(first.path) if first.kind is Source.FOLDER else [item.path for item in request.inputs]
    analysis = PictureAnalysis(files, request.options)
    names = [Input(Source.FILE, str(path)) for path in analysis.files]
    places = _places(request, names)
    watcher = PictureWatcher()
    analysis.observe = watcher

    def write(picture: Picture) -> None:
        position = watcher.position
        outputs = outputs_of(request, places[position], names[position].path, Form.IMAGE)
        watcher.write(picture, outputs, analysis)

    tally = PictureTally()
    consume_pictures(analysis, tally, write, quiet=request.quiet)
    folders = ", ".join(dict.fromkeys(f"{place.folder}/" for place in places))
    return conclude(analysis, tally, f"Files: {folders}", quiet=request.quiet)

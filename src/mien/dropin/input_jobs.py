"""From a command line of the original to jobs, input by input."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mien.analysis.outcome import Job
from mien.analysis.outputs import OutputOptions
from mien.analysis.picture_jobs import PictureJob
from mien.dropin.model_flag import has_eyes, landmark_model
from mien.dropin.places import Input, Place, Source
from mien.dropin.programs import Program
from mien.dropin.request import Request
from mien.models.store import ModelStore
from mien.options import AnalysisOptions
from mien.results.columns import Form, Group
from mien.video.images import list_images
from mien.view.drawing import DrawingOptions

Warn = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class InputJob:
    """One video, folder or camera as the original would analyse it."""

    job: Job
    options: AnalysisOptions
    source: Input


def with_model(request: Request, warn: Warn) -> Request:
    """Find the landmark model; without one for the eyes there is no gaze."""
    landmarks = landmark_model(request.landmarks)
    options = replace(request.options, landmarks=landmarks)
    files = ModelStore().locate(landmarks)
    if landmarks is None and files.landmarks != "ce-clm":
        warn(
            f"-mloc: OpenFace's default landmark model, CE-CLM, is not installed; {files.landmarks} is used, "
            "whose numbers differ; `mien models fetch` gets it"
        )
    if has_eyes(files.landmark_model):
        return replace(request, options=options)
    outputs = replace(request.outputs, groups=request.outputs.groups - {Group.GAZE})
    if Group.GAZE in request.outputs.groups:
        warn("-gaze: the landmark model has no eyes, so that there is no gaze")
    return replace(request, options=replace(options, skip=(*options.skip, "gaze")), outputs=outputs)


def video_jobs(request: Request, warn: Warn) -> list[InputJob]:
    """Videos, folders or a camera, in the order in which the original analyses them."""
    places = _places(request, request.inputs, warn)
    return [
        InputJob(
            Job(Path(source.path), _outputs(request, place, source, Form.SEQUENCE)),
            replace(request.options, sequence=source.kind is Source.FOLDER),
            source,
        )
        for source, place in zip(request.inputs, places, strict=True)
    ]


def picture_job(request: Request, warn: Warn) -> PictureJob:
    """Pictures of FaceLandmarkImg.

    Raises
    ------
    SourceError
        There is no picture.
    """
    first = request.inputs[0]
    if first.kind is Source.FOLDER:
        source: Path | tuple[Path, ...] = Path(first.path)
        files = list_images(first.path, compat=request.options.compat)
    else:
        source = tuple(files := [Path(item.path) for item in request.inputs])
    names = [Input(Source.FILE, str(path)) for path in files]
    places = _places(request, names, warn)
    outputs = [_outputs(request, place, name, Form.IMAGE) for place, name in zip(places, names, strict=True)]
    return PictureJob(source, tuple(outputs))


def _places(request: Request, inputs: Sequence[Input], warn: Warn) -> list[Place]:
    """The place of every input; says where the original's rules are probably not what was meant."""
    places = [request.places.of(position, source) for position, source in enumerate(inputs)]
    surplus = request.places.names[len(inputs) :]
    if surplus:
        warn(f"-of {' '.join(surplus)}: no effect, there are no more than {len(inputs)} inputs")
    for place, count in Counter(places).items():
        if count > 1:
            pairs = zip(inputs, places, strict=True)
            names = ", ".join(source.path for source, other in pairs if other == place)
            warn(
                f"{names} are all written to {place.folder / place.base}, where the last one remains, as in "
                "OpenFace; -of gives other names"
            )
    return places


def _outputs(request: Request, place: Place, source: Input, form: Form) -> OutputOptions:
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
        # The original makes no table where it has no row.
        empty_tables=False,
        provenance=False,
        source=None if source.kind is Source.CAMERA else source.path,
        good_by="success" if request.program is Program.FEATURE_EXTRACTION else "valid",
    )

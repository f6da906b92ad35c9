"""From a command line of the original to jobs, input by input."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mien.analysis.outcome import Job
from mien.analysis.outputs import OutputOptions
from mien.analysis.picture_jobs import PictureJob
from mien.dropin.request import Input, Request, Source
from mien.errors import OptionError
from mien.models.store import LANDMARK_MODELS, ModelStore
from mien.options import AnalysisOptions
from mien.results.columns import Group
from mien.video.images import list_images

Warn = Callable[[str], None]
_EYES = {"left_eye_28", "right_eye_28"}


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
    outputs = replace(request.outputs, groups=request.groups - {Group.GAZE})
    if Group.GAZE in request.groups:
        warn("-gaze: the landmark model has no eyes, so that there is no gaze")
    return replace(request, options=replace(options, skip=(*options.skip, "gaze")), outputs=outputs)


def video_jobs(request: Request, warn: Warn) -> list[InputJob]:
    """Videos, folders or a camera, in the order in which the original analyses them."""
    sequences = [replace(request.options, sequence=each.kind is Source.FOLDER) for each in request.inputs]
    outputs = _outputs(request, request.inputs, warn)
    return [
        InputJob(Job(Path(source.path), files), options, source)
        for source, files, options in zip(request.inputs, outputs, sequences, strict=True)
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
    outputs = _outputs(request, [Input(Source.FILE, str(path)) for path in files], warn)
    return PictureJob(source, tuple(outputs))


def _outputs(request: Request, inputs: Sequence[Input], warn: Warn) -> list[OutputOptions]:
    """Outputs of every input; says where the original's rules are probably not what was meant."""
    outputs = [request.outputs_of(position, source) for position, source in enumerate(inputs)]
    surplus = request.names[len(inputs) :]
    if surplus:
        warn(f"-of {' '.join(surplus)}: no effect, there are no more than {len(inputs)} inputs")
    places = [each.folder / each.base for each in outputs]
    for place, count in Counter(places).items():
        if count > 1:
            pairs = zip(inputs, places, strict=True)
            names = ", ".join(source.path for source, other in pairs if other == place)
            warn(
                f"{names} are all written to {place}, where the last one remains, as in OpenFace; -of gives "
                "other names"
            )
    return outputs


def landmark_model(location: str | None, store: ModelStore | None = None) -> str | None:
    """The landmark model as the option ``landmarks`` takes it.

    Parameters
    ----------
    location
        The main file as the user gave it: a path from here, or within OpenFace's models, where its name is
        enough. None takes the best that is installed.
    store
        Where OpenFace's models are.

    Raises
    ------
    OptionError
        There is no such file.
    """
    if location is None:
        return None
    store = store or ModelStore()
    names = {file: name for name, file in LANDMARK_MODELS.items()}
    path = Path(location)
    own = _own(store, path.name)
    if path.is_file() and not (own.is_file() and own.samefile(path)):
        return str(path)
    if path.name in names:
        return names[path.name]
    if own.is_file():
        return str(own)
    raise OptionError(
        f"-mloc {location}: no such file, neither here nor as {own}; expected the main file of a landmark "
        "model"
    )


def has_eyes(main_file: Path) -> bool:
    """Whether a landmark model has parts for both eyes, without which there is no gaze.

    Parameters
    ----------
    main_file
        Its main file; one that can't be read is left to its reader, which says more about it.
    """
    try:
        text = main_file.read_text(errors="replace")
    except OSError:
        return True
    parts = (line.split() for line in text.splitlines())
    return {words[2] for words in parts if words[:1] == ["LandmarkDetector_part"] and len(words) > 2} >= _EYES


def _own(store: ModelStore, name: str) -> Path:
    return store.folder / "LandmarkDetector" / "model" / name

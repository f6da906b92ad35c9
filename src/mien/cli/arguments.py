"""Options that several commands have in common, in groups; a command takes a group as one parameter."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Unpack, get_type_hints

import typer

from mien.errors import OptionError
from mien.options import AnalysisOptions, OptionValues

if TYPE_CHECKING:
    from mien.analysis.outputs import OutputOptions
    from mien.report.options import ReportOptions
    from mien.results.aligned import AlignedOptions
    from mien.view.drawing import DrawingOptions

_SKIPPED = {"action-units": "aus"}
"""What is left out, by the name of its columns."""

ModelsOption = Annotated[
    str | None, typer.Option(help="Model pack, openface or open; by default the first that is complete.")
]
QuietOption = Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")]
SourcesArgument = Annotated[
    list[Path], typer.Argument(help="Video files, pictures, or folders of pictures.", show_default=False)
]
ThreadsOption = Annotated[int | None, typer.Option(help="Threads; results do not depend on them.")]
PersonOption = Annotated[
    str | None, typer.Option(help="Name of the person in all recordings, who gets one neutral face.")
]
NeutralOption = Annotated[
    Path | None, typer.Option(help="Recording of the neutral face: a video, its scores or its table.")
]


def grouped(function: Callable[..., None]) -> Callable[..., None]:
    """Let a command's function declare options briefly, and take groups of them.

    Parameters
    ----------
    function
        Its parameters are options and arguments as Typer knows them, options that are declared as
        ``Annotated[type, help]``, and groups: subclasses of `OptionGroup`.

    Returns
    -------
    callable
        The same for Typer, with all options side by side, each group's in its place.
    """
    hints = get_type_hints(function, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(function).parameters.items():
        if name in groups:
            parameters += _options(groups[name])
        else:
            keyword = inspect.Parameter.KEYWORD_ONLY
            parameters.append(parameter.replace(annotation=_option(name, hints[name]), kind=keyword))

    @wraps(function)
    def command(**values: Any) -> None:
        for name, group in groups.items():
            values[name] = group(**{field.name: values.pop(field.name) for field in fields(group)})
        function(**values)

    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return command


def _options(group: Any) -> list[inspect.Parameter]:
    """The parameters of a group's constructor; dataclasses make them keywords."""
    hints, panel = get_type_hints(group, include_extras=True), getattr(group, "panel", None)
    return [
        parameter.replace(annotation=_option(name, hints[name], panel))
        for name, parameter in inspect.signature(group).parameters.items()
    ]


def _option(name: str, hint: Any, panel: str | None = None) -> Any:
    """What Typer needs to know of an option that is declared as its type and its help."""
    (described,) = hint.__metadata__
    if not isinstance(described, str):
        return hint
    # Without a name of its own Typer would make a --no-… of every flag.
    names = (f"--{name.replace('_', '-')}",) if hint.__origin__ is bool else ()
    return Annotated[hint.__origin__, typer.Option(*names, help=described, rich_help_panel=panel)]


class OptionGroup:
    """A group of options: a dataclass, each field with its type, its help and its default.

    Attributes
    ----------
    panel
        Headline under which the help shows them; None puts them among the others.
    """

    __slots__ = ()
    panel: ClassVar[str | None] = None

    def values(self) -> dict[str, Any]:
        """What the group says about the analysis, by the names of `AnalysisOptions`."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]


def analysis_options(*groups: OptionGroup, **values: Unpack[OptionValues]) -> AnalysisOptions:
    """Put together what groups and single options say.

    Raises
    ------
    OptionError
        They contradict each other.
    """
    merged: dict[str, Any] = dict(values)
    for group in groups:
        merged |= group.values()
    return AnalysisOptions(**merged)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelArguments(OptionGroup):
    """Which models, and where they run."""

    models: ModelsOption = None
    landmarks: Annotated[str | None, "Landmark model: clnf, ce-clm, or the path of a model's main file."] = (
        None
    )
    device: Annotated[
        str,
        "Where networks run: cpu, cuda, tensorrt, coreml, directml, openvino, or auto, the first of them "
        "that starts.",
    ] = "cpu"


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraArguments(OptionGroup):
    """What is known of the camera."""

    intrinsics: Annotated[
        str | None,
        "The camera's focal lengths and centre, px: FX,FY or FX,FY,CX,CY, or a file with them; by default "
        "usual ones for the picture's size.",
    ] = None

    def values(self) -> dict[str, Any]:
        """What the camera means for an analysis."""
        if self.intrinsics is None:
            return {}
        from mien.geometry.pinhole import read_intrinsics

        known = read_intrinsics(self.intrinsics)
        return {"focal_px": known.focal_px, "centre_px": known.centre_px}


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanArguments(OptionGroup):
    """Which part of a video, and how its time is counted."""

    compat: Annotated[str | None, "openface: time from the nominal frame rate, pictures not turned."] = None
    start: Annotated[float, "First second to analyse."] = 0.0
    end: Annotated[float | None, "Stop before this second."] = None

    def values(self) -> dict[str, Any]:
        """The span in the analysis's names."""
        return {"compat": self.compat, "start_s": self.start, "end_s": self.end}


@dataclass(frozen=True, slots=True, kw_only=True)
class FitArguments(OptionGroup):
    """What is left out or approximated, and how faces are read."""

    every: Annotated[int, "Analyse every Nth frame and interpolate between: an approximation."] = 1
    skip: Annotated[list[str] | None, "Leave out gaze, aus or parts; may be given several times."] = None
    fit: Annotated[str, "openface, or exact: without its grids; docs/exact-fit.md says when."] = "openface"
    fast: Annotated[bool, "Approximate the landmarks; docs/performance.md says the cost."] = False
    both_ways: Annotated[
        bool, "Action units as the mean over the face and its mirror image, which flipping cannot change."
    ] = False

    def values(self) -> dict[str, Any]:
        """The same with every name of ``skip`` by itself."""
        names = [name.strip() for names in self.skip or () for name in names.split(",")]
        # Without arguments, super() would look for the class that slots have replaced.
        return OptionGroup.values(self) | {"skip": tuple(_SKIPPED.get(name, name) for name in names)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceArguments(OptionGroup):
    """Pictures that are the frames of a video."""

    sequence: Annotated[bool, "Take the pictures of a folder for a video."] = False
    fps: Annotated[float | None, "Pictures per second of a sequence; without it all times are 0."] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceArguments(SequenceArguments):
    """Several faces, and pictures."""

    panel = "Several faces, and pictures"

    faces: Annotated[
        str | None,
        "one or many (everybody, under a number of their own); by default one of a video, all of a picture.",
    ] = None
    most_faces: Annotated[int, "Faces followed at the same time."] = 16
    boxes: Annotated[
        Path | None,
        "Folder with face boxes for pictures: NAME.txt, a line min_x min_y max_x max_y per face.",
    ] = None
    multi_view: Annotated[bool, "Try eleven head orientations for every face of a picture."] = False
    static_aus: Annotated[bool, "Action units without the person's neutral face, as for pictures."] = False

    def values(self) -> dict[str, Any]:
        """The same with the kind of action units by its name."""
        values = OptionGroup.values(self)
        return values | {"action_units": "static" if values.pop("static_aus") else "dynamic"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileArguments(OptionGroup):
    """Columns of the table, and further files."""

    panel = "Columns and further files"

    columns: Annotated[
        str | None,
        "Groups of columns, with commas between: gaze, pose, landmarks-2d, landmarks-3d, shape, action-units "
        "(or aus); by default all.",
    ] = None
    extra: Annotated[
        str | None,
        "Groups of mien's own columns, after OpenFace's, with commas between: measures, blendshapes, mesh, "
        "or all; by default none.",
    ] = None
    csv_style: Annotated[
        str,
        "Layout of CSV tables: openface-2.2, or openface-blank with a blank after each comma, as OpenFace "
        "2.0 and its builds for Windows write.",
    ] = "openface-2.2"
    also: Annotated[list[str] | None, "A further format of the table: csv, parquet or jsonl."] = None
    tracked: Annotated[
        bool, "Read the video again and write NAME.tracked.mp4 with the results drawn over it."
    ] = False
    tracked_style: Annotated[str, "How to draw: mien or openface."] = "mien"
    anonymous: Annotated[
        str | None,
        "Hide who is seen in --tracked and --report: blur (faces; in the report they are black) or black "
        "(landmarks on black).",
    ] = None
    report: Annotated[
        bool, "Write NAME.report.html: quality, time courses, moments and a summary in one page."
    ] = False
    no_pictures: Annotated[bool, "No face in the report."] = False
    hog: Annotated[bool, "Write the faces' descriptors, NAME.hog."] = False
    aligned: Annotated[bool, "Write the aligned faces, NAME_aligned/."] = False
    aligned_size: Annotated[int, "Their width, px."] = 112
    aligned_scale: Annotated[
        float | None, "Their scale, px per mm of the mean face; by default as large as the size allows."
    ] = None
    aligned_format: Annotated[str, "Their format: bmp, png, jpg …"] = "bmp"
    no_mask: Annotated[bool, "Keep what surrounds aligned faces."] = False
    gray: Annotated[bool, "Make aligned faces grey."] = False
    found_only: Annotated[bool, "No aligned faces of frames without a face."] = False
    details: Annotated[bool, "Write OpenFace's NAME_of_details.txt."] = False

    def outputs(self, *, scores: bool = False) -> OutputOptions:
        """Which files are written, wherever they go.

        Raises
        ------
        OptionError
            A group of columns, a format or a style is unknown.
        """
        from mien.analysis.outputs import OutputOptions

        if self.anonymous is not None and not (self.tracked or self.report):
            raise OptionError("--anonymous is for --tracked and --report; add one of them, or leave it out")
        if self.no_pictures and not self.report:
            raise OptionError("--no-pictures is for --report; add it, or leave --no-pictures out")
        return OutputOptions(
            tables=tuple(_further_formats(self.also)),
            groups=_groups(self.columns),
            extra=self.extra,
            style=self.csv_style,
            hog=self.hog,
            aligned=self._aligned() if self.aligned else None,
            drawing=self._drawing() if self.tracked else None,
            drawn_last=self.tracked,
            details=self.details,
            scores=scores,
            report=self._report() if self.report else None,
        )

    def _drawing(self) -> DrawingOptions:
        from mien.view.drawing import DrawingOptions

        return DrawingOptions(style=self.tracked_style, anonymous=self.anonymous)

    def _report(self) -> ReportOptions:
        from mien.report.options import ReportOptions

        faces = "faces" if self.anonymous is None else "landmarks"
        return ReportOptions(pictures="none" if self.no_pictures else faces)

    def _aligned(self) -> AlignedOptions:
        from mien.results.aligned import AlignedOptions

        return AlignedOptions(
            size=self.aligned_size,
            scale=self.aligned_scale,
            mask=not self.no_mask,
            gray=self.gray,
            picture_format=self.aligned_format,
            keep_failed=not self.found_only,
        )


def _groups(text: str | None) -> tuple[str, ...] | None:
    """Names of groups of columns; None means all."""
    return None if text is None else tuple(name.strip() for name in text.split(","))


def _further_formats(also: list[str] | None) -> Iterator[str]:
    """Endings of the further formats of a table."""
    from mien.analysis.targets import TABLE_SUFFIXES, need_table_format

    for name in ",".join(also or ()).split(",") if also else ():
        suffix = "." + name.strip().lower().removeprefix(".")
        if suffix not in TABLE_SUFFIXES:
            known = ", ".join(known[1:] for known in TABLE_SUFFIXES)
            got = suffix[1:] or "''"
            raise OptionError(f"--also: expected some of {known}, got {got}")
        need_table_format(Path(f"table{suffix}"))
        yield suffix


def place_meant(text: str | None) -> Path | None:
    """What -o says; a name with a slash at its end is a folder, which is made."""
    if text is None:
        return None
    if text.endswith(("/", os.sep)):
        from mien.analysis.targets import output_folder

        return output_folder(Path(text))
    return Path(text)

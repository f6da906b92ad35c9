"""Options that several commands have in common, in groups; a command takes a group as one parameter."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol, Unpack, get_type_hints

import typer

from mien.errors import OptionError
from mien.options import AnalysisOptions, OptionValues

if TYPE_CHECKING:
    from mien.analysis.outputs import OutputOptions
    from mien.report.options import ReportOptions
    from mien.results.aligned import AlignedOptions
    from mien.view.drawing import DrawingOptions

_FILES = "Columns and further files"
_FACES = "Several faces, and pictures"

_SKIPPED = {"action-units": "aus"}
"""What is left out, by the name of its columns."""

ModelsOption = Annotated[
    str | None, typer.Option(help="Model pack, openface or open; by default the first that is complete.")
]
QuietOption = Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")]


def grouped(function: Callable[..., None]) -> Callable[..., None]:
    """Let a command's function take groups of options, dataclasses whose fields are the options.

    Parameters
    ----------
    function
        Its parameters are options and arguments as Typer knows them, and groups.

    Returns
    -------
    callable
        The same with all options side by side, each group's in its place, for Typer.
    """
    hints = get_type_hints(function, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(function).parameters.items():
        if name in groups:
            parameters += _options(groups[name])
        else:
            keyword = inspect.Parameter.KEYWORD_ONLY
            parameters.append(parameter.replace(annotation=hints[name], kind=keyword))

    @wraps(function)
    def command(**values: Any) -> None:
        for name, group in groups.items():
            values[name] = group(**{field.name: values.pop(field.name) for field in fields(group)})
        function(**values)

    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return command


def _options(group: Any) -> list[inspect.Parameter]:
    """The parameters of a group's constructor; dataclasses make them keywords."""
    hints = get_type_hints(group, include_extras=True)
    return [
        parameter.replace(annotation=hints[name])
        for name, parameter in inspect.signature(group).parameters.items()
    ]


class OptionGroup(Protocol):
    """A group that says something about the analysis."""

    def values(self) -> OptionValues:
        """Options of an analysis."""
        ...


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
class ModelArguments:
    """Which models, and where they run."""

    models: ModelsOption = None
    landmarks: Annotated[
        str | None, typer.Option(help="Landmark model: clnf, ce-clm, or the path of a model's main file.")
    ] = None
    device: Annotated[
        str,
        typer.Option(
            help="Where networks run: cpu, cuda, tensorrt, coreml, directml, openvino, or auto, the first "
            "of them that starts."
        ),
    ] = "cpu"

    def values(self) -> OptionValues:
        """Options of an analysis."""
        return {"models": self.models, "landmarks": self.landmarks, "device": self.device}


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraArguments:
    """What is known of the camera."""

    intrinsics: Annotated[
        str | None,
        typer.Option(
            help="The camera's focal lengths and centre, px: FX,FY or FX,FY,CX,CY, or a file with them; by "
            "default usual ones for the picture's size."
        ),
    ] = None

    def values(self) -> OptionValues:
        """Options of an analysis."""
        if self.intrinsics is None:
            return {}
        from mien.geometry.intrinsics import read_intrinsics

        known = read_intrinsics(self.intrinsics)
        return {"focal_px": known.focal_px, "centre_px": known.centre_px}


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanArguments:
    """Which part of a video, and how its time is counted."""

    compat: Annotated[
        str | None, typer.Option(help="openface: time from the nominal frame rate, pictures not turned.")
    ] = None
    start: Annotated[float, typer.Option(help="First second to analyse.")] = 0.0
    end: Annotated[float | None, typer.Option(help="Stop before this second.")] = None

    def values(self) -> OptionValues:
        """Options of an analysis."""
        return {"compat": self.compat, "start_s": self.start, "end_s": self.end}


@dataclass(frozen=True, slots=True, kw_only=True)
class FitArguments:
    """What is left out or approximated, and how landmarks are fitted."""

    every: Annotated[
        int, typer.Option(help="Analyse every Nth frame and interpolate between: an approximation.")
    ] = 1
    skip: Annotated[
        list[str] | None, typer.Option(help="Leave out gaze, aus or parts; may be given several times.")
    ] = None
    fit: Annotated[
        str, typer.Option(help="openface, or exact: without its grids; docs/exact-fit.md says when.")
    ] = "openface"
    fast: Annotated[
        bool, typer.Option("--fast", help="Approximate the landmarks; docs/performance.md says the cost.")
    ] = False

    def values(self) -> OptionValues:
        """Options of an analysis."""
        names = [name.strip() for names in self.skip or () for name in names.split(",")]
        skip = tuple(_SKIPPED.get(name, name) for name in names)
        return {"every": self.every, "skip": skip, "fit": self.fit, "fast": self.fast}


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceArguments:
    """Several faces, and pictures."""

    faces: Annotated[
        str | None,
        typer.Option(
            help="one or many (everybody, under a number of their own); by default one of a video, all of a "
            "picture.",
            rich_help_panel=_FACES,
        ),
    ] = None
    most_faces: Annotated[
        int, typer.Option(help="Faces followed at the same time.", rich_help_panel=_FACES)
    ] = 16
    sequence: Annotated[
        bool,
        typer.Option("--sequence", help="Take the pictures of a folder for a video.", rich_help_panel=_FACES),
    ] = False
    fps: Annotated[
        float | None,
        typer.Option(
            help="Pictures per second of a sequence; without it all times are 0.", rich_help_panel=_FACES
        ),
    ] = None
    boxes: Annotated[
        Path | None,
        typer.Option(
            help="Folder with face boxes for pictures: NAME.txt, a line min_x min_y max_x max_y per face.",
            rich_help_panel=_FACES,
        ),
    ] = None
    multi_view: Annotated[
        bool,
        typer.Option(
            "--multi-view",
            help="Try eleven head orientations for every face of a picture.",
            rich_help_panel=_FACES,
        ),
    ] = False
    static_aus: Annotated[
        bool,
        typer.Option(
            "--static-aus",
            help="Action units without the person's neutral face, as for pictures.",
            rich_help_panel=_FACES,
        ),
    ] = False
    both_ways: Annotated[
        bool,
        typer.Option(
            "--both-ways",
            help="Action units as the mean over the face and its mirror image, which flipping cannot change.",
        ),
    ] = False

    def values(self) -> OptionValues:
        """Options of an analysis."""
        return {
            "both_ways": self.both_ways,
            "faces": self.faces,
            "most_faces": self.most_faces,
            "action_units": "static" if self.static_aus else "dynamic",
            "multi_view": self.multi_view,
            "sequence": self.sequence,
            "fps": self.fps,
            "boxes": self.boxes,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FileArguments:
    """Columns of the table, and further files."""

    columns: Annotated[
        str | None,
        typer.Option(
            help="Groups of columns, with commas between: gaze, pose, landmarks-2d, landmarks-3d, shape, "
            "action-units (or aus); by default all.",
            rich_help_panel=_FILES,
        ),
    ] = None
    extra: Annotated[
        str | None,
        typer.Option(
            help="Groups of mien's own columns, after OpenFace's, with commas between: measures, "
            "blendshapes, mesh, or all; by default none.",
            rich_help_panel=_FILES,
        ),
    ] = None
    csv_style: Annotated[
        str,
        typer.Option(
            help="Layout of CSV tables: openface-2.2, or openface-blank with a blank after each comma, as "
            "OpenFace 2.0 and its builds for Windows write.",
            rich_help_panel=_FILES,
        ),
    ] = "openface-2.2"
    also: Annotated[
        list[str] | None,
        typer.Option(help="A further format of the table: csv, parquet or jsonl.", rich_help_panel=_FILES),
    ] = None
    tracked: Annotated[
        bool,
        typer.Option(
            "--tracked",
            help="Read the video again and write NAME.tracked.mp4 with the results drawn over it.",
            rich_help_panel=_FILES,
        ),
    ] = False
    tracked_style: Annotated[
        str, typer.Option(help="How to draw: mien or openface.", rich_help_panel=_FILES)
    ] = "mien"
    anonymous: Annotated[
        str | None,
        typer.Option(
            help="Hide who is seen in --tracked and --report: blur (faces; in the report they are black) or "
            "black (landmarks on black).",
            rich_help_panel=_FILES,
        ),
    ] = None
    report: Annotated[
        bool,
        typer.Option(
            "--report",
            help="Write NAME.report.html: quality, time courses, moments and a summary in one page.",
            rich_help_panel=_FILES,
        ),
    ] = False
    no_pictures: Annotated[
        bool, typer.Option("--no-pictures", help="No face in the report.", rich_help_panel=_FILES)
    ] = False
    hog: Annotated[
        bool,
        typer.Option("--hog", help="Write the faces' descriptors, NAME.hog.", rich_help_panel=_FILES),
    ] = False
    aligned: Annotated[
        bool,
        typer.Option("--aligned", help="Write the aligned faces, NAME_aligned/.", rich_help_panel=_FILES),
    ] = False
    aligned_size: Annotated[int, typer.Option(help="Their width, px.", rich_help_panel=_FILES)] = 112
    aligned_scale: Annotated[
        float | None,
        typer.Option(
            help="Their scale, px per mm of the mean face; by default as large as the size allows.",
            rich_help_panel=_FILES,
        ),
    ] = None
    aligned_format: Annotated[
        str, typer.Option(help="Their format: bmp, png, jpg …", rich_help_panel=_FILES)
    ] = "bmp"
    no_mask: Annotated[
        bool,
        typer.Option("--no-mask", help="Keep what surrounds aligned faces.", rich_help_panel=_FILES),
    ] = False
    gray: Annotated[bool, typer.Option("--gray", help="Make aligned faces grey.", rich_help_panel=_FILES)] = (
        False
    )
    found_only: Annotated[
        bool,
        typer.Option(
            "--found-only", help="No aligned faces of frames without a face.", rich_help_panel=_FILES
        ),
    ] = False
    details: Annotated[
        bool,
        typer.Option("--details", help="Write OpenFace's NAME_of_details.txt.", rich_help_panel=_FILES),
    ] = False

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

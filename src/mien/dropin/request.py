"""What a command line of the original asks for, in mien's own terms."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path, PurePath
from typing import Any

from mien.analysis.outputs import OutputOptions
from mien.dropin.flags import SELECTIONS, Program
from mien.dropin.parsing import Arguments, parse
from mien.errors import OptionError
from mien.options import AnalysisOptions
from mien.results.aligned import AlignedOptions
from mien.results.columns import CsvStyle, Form, Group, chosen_groups
from mien.view.drawing import DrawingOptions

_GROUPS = {
    "-2Dfp": Group.LANDMARKS_2D,
    "-3Dfp": Group.LANDMARKS_3D,
    "-pdmparams": Group.SHAPE,
    "-pose": Group.POSE,
    "-aus": Group.ACTION_UNITS,
    "-gaze": Group.GAZE,
}
_WILD = {"-sigma", "-reg", "-w_reg", "-n_iter", "-multi_view"}
"""Flags that -wild overrides where they stand before it."""


class Source(StrEnum):
    """What an input is."""

    FILE = "file"
    FOLDER = "folder"
    CAMERA = "camera"


@dataclass(frozen=True, slots=True)
class Input:
    """One input.

    Attributes
    ----------
    kind
        What it is.
    path
        As the user gave it, below -inroot; of a camera its number.
    """

    kind: Source
    path: str

    @property
    def base(self) -> str:
        """A file's name without folder and last ending, a folder's own name, a camera's date and time."""
        if self.kind is Source.CAMERA:
            return f"webcam_{datetime.now():%Y-%m-%d-%H-%M}"
        path = Path(self.path)
        return path.resolve().name if self.kind is Source.FOLDER else path.stem


@dataclass(frozen=True, slots=True)
class Request:
    """A command line of the original.

    Attributes
    ----------
    program
        Whose it is.
    inputs
        In the order in which they are analysed.
    names
        Values of -of; each is for the input at the same position.
    outputs
        Which files are written of an input; their names are those of `outputs_of`.
    options
        How inputs are analysed; ``sequence`` is still to be set for each.
    landmarks
        Main file of the landmark model as it was given.
    camera_size
        Width and height of a camera's pictures.
    quiet
        Whether only errors and warnings are printed.
    warnings
        What was given and has no effect, and why.
    """

    program: Program
    inputs: tuple[Input, ...]
    names: tuple[str, ...]
    outputs: OutputOptions
    options: AnalysisOptions
    landmarks: str | None
    camera_size: tuple[int, int]
    quiet: bool
    warnings: tuple[str, ...]

    @property
    def groups(self) -> frozenset[Group]:
        """Groups of columns of the tables."""
        return chosen_groups(self.outputs.groups)

    def outputs_of(self, position: int, source: Input) -> OutputOptions:
        """Outputs of the input at a position, counted from 0 (docs/algorithms/output-table.md#names)."""
        folder, base = "", source.base
        if position < len(self.names):
            folder, last = os.path.split(self.names[position])
            base = Path(last).stem
        given = None if source.kind is Source.CAMERA else source.path
        return replace(self.outputs, folder=self.outputs.folder / folder, base=base, source=given)


def read_request(program: Program, words: Sequence[str]) -> Request:
    """Understand a command line.

    Parameters
    ----------
    program
        Whose it is.
    words
        Its words after the program's name.

    Raises
    ------
    OptionError
        There is no input, a value is missing or impossible, or a flag can't be honoured.
    """
    arguments = parse(program, words)
    warnings = list(arguments.warnings)
    pictures = program is Program.FACE_LANDMARK_IMG
    inputs = _pictures(arguments, warnings) if pictures else _videos(arguments, warnings)
    if not inputs:
        device = "" if pictures else ", or -device N"
        raise OptionError(f"expected an input: -f FILE or -fdir DIR{device}; {program} -help says more")
    outputs = _outputs(arguments)
    names = tuple(arguments.all("-of"))
    for name in names:
        if not PurePath(name).name or name.endswith(("/", os.sep)):
            raise OptionError(
                f"-of: expected the name of a file, got the folder {name!r}; -out_dir takes folders"
            )
    return Request(
        program=program,
        inputs=inputs,
        names=names,
        outputs=outputs,
        options=_options(arguments, outputs, warnings),
        landmarks=arguments.last("-mloc"),
        camera_size=(
            arguments.last("-cam_width", default=640),
            arguments.last("-cam_height", default=480),
        ),
        quiet="-q" in arguments,
        warnings=tuple(warnings),
    )


def _root(arguments: Arguments) -> str | None:
    root: str | None = arguments.last("-root", "-inroot")
    return root


def _below(root: str | None, path: str) -> str:
    """A path below -inroot; an absolute one stays as it is."""
    return path if root is None else os.path.join(root, path)


def _videos(arguments: Arguments, warnings: list[str]) -> tuple[Input, ...]:
    root, kinds = _root(arguments), {"-f": Source.FILE, "-fdir": Source.FOLDER}
    inputs = tuple(
        Input(kinds[name], _below(root, value)) for name, value in arguments.given if name in kinds
    )
    if "-device" not in arguments:
        return inputs
    if inputs:
        warnings.append("-f, -fdir: not read, as -device goes before them")
    return (Input(Source.CAMERA, str(arguments.last("-device"))),)


def _pictures(arguments: Arguments, warnings: list[str]) -> tuple[Input, ...]:
    root = _root(arguments)
    files = tuple(Input(Source.FILE, _below(root, path)) for path in arguments.all("-f"))
    folders = arguments.all("-fdir")
    if files and folders:
        warnings.append("-fdir: not read, as -f goes before it")
    elif len(folders) > 1:
        warnings.append(f"-fdir {' '.join(folders[1:])}: not read, as the first folder counts")
    if "-bboxdir" in arguments and (files or not folders):
        warnings.append("-bboxdir: no effect without -fdir, in OpenFace neither")
    return files or tuple(Input(Source.FOLDER, _below(root, path)) for path in folders[:1])


def _outputs(arguments: Arguments) -> OutputOptions:
    chosen = {name for name in SELECTIONS if name in arguments} or set(SELECTIONS)
    pictures = arguments.program is Program.FACE_LANDMARK_IMG
    aligned = AlignedOptions(
        size=arguments.last("-simsize", default=112),
        scale=arguments.last("-simscale"),
        mask="-nomask" not in arguments,
        gray="-g" in arguments,
        picture_format=arguments.last("-format_aligned", default="bmp"),
        keep_failed="-nobadaligned" not in arguments,
    )
    picture_format = arguments.last("-format_vis_image", default="jpg") if pictures else None
    drawing = DrawingOptions(style="openface", file_format=picture_format)
    return OutputOptions(
        folder=Path(arguments.last("-out_dir", default="processed")),
        groups=frozenset(group for name, group in _GROUPS.items() if name in chosen),
        style=arguments.last("--csv-style", default=CsvStyle.OPENFACE_22),
        form=Form.IMAGE if pictures else Form.SEQUENCE,
        hog="-hogalign" in chosen,
        aligned=aligned if "-simalign" in chosen else None,
        drawing=drawing if "-tracked" in chosen else None,
        details=True,
        # The original makes no table where it has no row.
        empty_tables=False,
        provenance=False,
        good_by="success" if arguments.program is Program.FEATURE_EXTRACTION else "valid",
    )


def _options(arguments: Arguments, outputs: OutputOptions, warnings: list[str]) -> AnalysisOptions:
    looks = outputs.needs_appearance or Group.ACTION_UNITS in chosen_groups(outputs.groups)
    pictures = arguments.program is Program.FACE_LANDMARK_IMG
    boxes = arguments.last("-bboxdir") if pictures and "-f" not in arguments else None
    return AnalysisOptions(
        models="openface",
        compat="openface",
        faces=None if arguments.program is Program.FEATURE_EXTRACTION else "many",
        action_units="static" if "-au_static" in arguments else "dynamic",
        skip=() if looks else ("aus",),
        boxes=None if boxes is None else _below(_root(arguments), boxes),
        focal_px=_pair(arguments, "-fx", "-fy", warnings),
        centre_px=_pair(arguments, "-cx", "-cy", warnings),
        **_fitting(arguments),
    )


def _pair(arguments: Arguments, first: str, second: str, warnings: list[str]) -> tuple[float, float] | None:
    """Both numbers where both are given.

    Of one alone the original makes no use, but for the first of a pair with a video, which it pairs with -1.
    """
    pair = arguments.last(first), arguments.last(second)
    if None not in pair:
        return pair
    if pair != (None, None):
        given, missing = (first, second) if pair[1] is None else (second, first)
        if given == first and arguments.program is not Program.FACE_LANDMARK_IMG:
            raise OptionError(f"{given}: expected {missing} with it; OpenFace would take -1 for it")
        warnings.append(f"{given}: no effect without {missing}, in OpenFace neither")
    return None


def _fitting(arguments: Arguments) -> dict[str, Any]:
    """Parameters of the fit; the last flag counts, and -wild is several of them."""
    given = list(arguments.given)
    wild = max((place for place, (name, _) in enumerate(given) if name == "-wild"), default=None)
    if wild is not None:
        before = [pair for pair in given[:wild] if pair[0] not in _WILD]
        given = [*before, ("-multi_view", True), *given[wild:]]
    last = dict(given)
    return {
        "wild": wild is not None,
        "sigma": last.get("-sigma"),
        "regularisation": last.get("-reg"),
        "weight_factor": last.get("-w_reg"),
        "iterations": last.get("-n_iter"),
        "multi_view": bool(last.get("-multi_view", False)),
        "validate": last.get("-validate_detections", True),
    }

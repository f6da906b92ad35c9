"""What a command line of the original asks for, in mien's own terms."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from mien.dropin.flags import SELECTIONS
from mien.dropin.parsing import Arguments, parse
from mien.dropin.places import Input, Places, Source, below
from mien.dropin.programs import Program
from mien.errors import OptionError
from mien.options import AnalysisOptions
from mien.results.aligned import AlignedOptions
from mien.results.columns import Group
from mien.results.csv_style import CsvStyle, chosen_style

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


@dataclass(frozen=True, slots=True)
class Outputs:
    """Which outputs are wanted.

    Attributes
    ----------
    groups
        Groups of columns of the table.
    hog, tracked
        Whether descriptors and drawn pictures are.
    aligned
        How aligned faces are written; None for not at all.
    picture_format
        Format of drawn pictures, where these are no video.
    style
        Layout of the table.
    """

    groups: frozenset[Group]
    hog: bool
    tracked: bool
    aligned: AlignedOptions | None
    picture_format: str
    style: CsvStyle = CsvStyle.OPENFACE_22


@dataclass(frozen=True, slots=True)
class Request:
    """A command line of the original.

    Attributes
    ----------
    program
        Whose it is.
    inputs
        In the order in which they are analysed.
    places
        Where their outputs go.
    outputs
        Which these are.
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
    places: Places
    outputs: Outputs
    options: AnalysisOptions
    landmarks: str | None
    camera_size: tuple[int, int]
    quiet: bool
    warnings: tuple[str, ...]


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
        places=Places(arguments.last("-out_dir", default="processed"), names),
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


def _videos(arguments: Arguments, warnings: list[str]) -> tuple[Input, ...]:
    root, kinds = _root(arguments), {"-f": Source.FILE, "-fdir": Source.FOLDER}
    inputs = tuple(Input(kinds[name], below(root, value)) for name, value in arguments.given if name in kinds)
    if "-device" not in arguments:
        return inputs
    if inputs:
        warnings.append("-f, -fdir: not read, as -device goes before them")
    return (Input(Source.CAMERA, str(arguments.last("-device"))),)


def _pictures(arguments: Arguments, warnings: list[str]) -> tuple[Input, ...]:
    root = _root(arguments)
    files = tuple(Input(Source.FILE, below(root, path)) for path in arguments.all("-f"))
    folders = arguments.all("-fdir")
    if files and folders:
        warnings.append("-fdir: not read, as -f goes before it")
    elif len(folders) > 1:
        warnings.append(f"-fdir {' '.join(folders[1:])}: not read, as the first folder counts")
    if "-bboxdir" in arguments and (files or not folders):
        warnings.append("-bboxdir: no effect without -fdir, in OpenFace neither")
    return files or tuple(Input(Source.FOLDER, below(root, path)) for path in folders[:1])


def _outputs(arguments: Arguments) -> Outputs:
    chosen = {name for name in SELECTIONS if name in arguments} or set(SELECTIONS)
    size = arguments.last("-simsize", default=112)
    aligned = AlignedOptions(
        size=size,
        scale=arguments.last("-simscale"),
        mask="-nomask" not in arguments,
        gray="-g" in arguments,
        picture_format=arguments.last("-format_aligned", default="bmp"),
        keep_failed="-nobadaligned" not in arguments,
    )
    return Outputs(
        groups=frozenset(group for name, group in _GROUPS.items() if name in chosen),
        hog="-hogalign" in chosen,
        tracked="-tracked" in chosen,
        aligned=aligned if "-simalign" in chosen else None,
        picture_format=arguments.last("-format_vis_image", default="jpg"),
        style=chosen_style(arguments.last("--csv-style", default=CsvStyle.OPENFACE_22)),
    )


def _options(arguments: Arguments, outputs: Outputs, warnings: list[str]) -> AnalysisOptions:
    looks = outputs.hog or outputs.aligned is not None or Group.ACTION_UNITS in outputs.groups
    pictures = arguments.program is Program.FACE_LANDMARK_IMG
    boxes = arguments.last("-bboxdir") if pictures and "-f" not in arguments else None
    return AnalysisOptions(
        models="openface",
        compat="openface",
        faces=None if arguments.program is Program.FEATURE_EXTRACTION else "many",
        action_units="static" if "-au_static" in arguments else "dynamic",
        skip=() if looks else ("aus",),
        boxes=None if boxes is None else below(_root(arguments), boxes),
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

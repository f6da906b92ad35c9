"""Intrinsics of a pinhole camera: those of an unknown one, and known ones as users write them down."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mien.datatypes import Camera
from mien.errors import OptionError
from mien.storage.regular_file import read_text

_MOST_BYTES = 1 << 20

_FORMS = (
    "FX,FY or FX,FY,CX,CY in pixels, or a file with these numbers, with the nine of a camera matrix, or with "
    'JSON, {"fx": …, "fy": …, "cx": …, "cy": …} or {"camera_matrix": [[…], […], […]]}'
)


def default_camera(
    width: int,
    height: int,
    *,
    fx: float | None = None,
    fy: float | None = None,
    cx: float | None = None,
    cy: float | None = None,
) -> Camera:
    """Camera of a picture whose real camera is unknown (docs/algorithms/head-pose.md#camera).

    Parameters
    ----------
    width, height
        Size of the frames in px.
    fx, fy
        Focal lengths in px where they are known; give both. By default both are the mean of
        500 width / 640 and 500 height / 480, a field of view usual for webcams.
    cx, cy
        Principal point in px where it is known; give both. By default the middle of the frame.

    Returns
    -------
    Camera

    Raises
    ------
    OptionError
        A size or focal length is not positive, or one of a pair is missing.
    """
    if width <= 0 or height <= 0:
        raise OptionError(f"expected a frame of at least 1x1 px, got {width}x{height}")
    for names, pair in ((("fx", "fy"), (fx, fy)), (("cx", "cy"), (cx, cy))):
        if (pair[0] is None) != (pair[1] is None):
            missing = names[0] if pair[0] is None else names[1]
            raise OptionError(f"expected {names[0]} and {names[1]} together, got one; give {missing} as well")
    if fx is None or fy is None:
        fx = fy = (500.0 * width / 640.0 + 500.0 * height / 480.0) / 2.0
    if not (fx > 0 and fy > 0 and np.isfinite((fx, fy)).all()):
        raise OptionError(f"expected positive focal lengths in px, got fx={fx}, fy={fy}")
    if cx is None or cy is None:
        cx, cy = width / 2.0, height / 2.0
    return Camera(fx=float(fx), fy=float(fy), cx=float(cx), cy=float(cy))


@dataclass(frozen=True, slots=True)
class Intrinsics:
    """What is known of a camera.

    Attributes
    ----------
    focal_px
        Focal lengths fx, fy.
    centre_px
        Principal point cx, cy; None where only the focal lengths are known.
    """

    focal_px: tuple[float, float]
    centre_px: tuple[float, float] | None


def read_intrinsics(text: str) -> Intrinsics:
    """Understand intrinsics, or read them from a file.

    Parameters
    ----------
    text
        Two or four numbers with commas between, or the name of a file: JSON with fx, fy and perhaps cx, cy,
        or with a 3 x 3 ``camera_matrix``; or two, four or nine plain numbers.

    Returns
    -------
    Intrinsics

    Raises
    ------
    OptionError
        It is none of these, or the numbers can't be a camera's.
    """
    path = Path(text)
    content = text
    if not re.fullmatch(r"[-+0-9.,eE\s]+", text):
        try:
            content = read_text(path, _MOST_BYTES)
        except OSError as error:
            raise OptionError(f"intrinsics: {text}: {error.strerror}; expected {_FORMS}") from error
    return _checked(_numbers(content, text), text)


def _numbers(content: str, name: str) -> list[float]:
    """fx, fy, or fx, fy, cx, cy."""
    try:
        if content.lstrip().startswith("{"):
            return _from_json(json.loads(content))
        values = [float(word) for word in re.split(r"[\s,;]+", content.strip())]
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError) as error:
        raise OptionError(f"intrinsics: expected {_FORMS}, got {name}") from error
    return _from_matrix([values[0:3], values[3:6], values[6:9]]) if len(values) == 9 else values


def _from_json(data: Any) -> list[float]:
    if "camera_matrix" in data:
        return _from_matrix(data["camera_matrix"])
    values = [float(data["fx"]), float(data["fy"])]
    if "cx" in data or "cy" in data:
        values += [float(data["cx"]), float(data["cy"])]
    return values


def _from_matrix(matrix: Any) -> list[float]:
    return [float(matrix[row][column]) for row, column in ((0, 0), (1, 1), (0, 2), (1, 2))]


def _checked(values: list[float], name: str) -> Intrinsics:
    if len(values) not in (2, 4) or not all(map(math.isfinite, values)) or min(values[:2]) <= 0:
        raise OptionError(f"intrinsics: expected {_FORMS}, focal lengths above 0, got {name}: {values}")
    fx, fy, *centre = values
    return Intrinsics((fx, fy), (centre[0], centre[1]) if centre else None)

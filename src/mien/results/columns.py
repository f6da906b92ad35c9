"""The columns of OpenFace's tables: names, groups, order, decimals (docs/algorithms/output-table.md#columns).

Nothing else in the package writes these names down, but for those of the action units.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from mien.action_units.catalogue import INTENSITY_NAMES, PRESENCE_NAMES
from mien.errors import OptionError

LANDMARKS = 68
EYE_LANDMARKS = 56
MODES = 34
MESH_POINTS = 478

INTENSITY_UNITS, PRESENCE_UNITS = INTENSITY_NAMES, PRESENCE_NAMES

FILE = "file"
"""Name of the picture; the only column of text."""
FRAME, FACE_ID, TIMESTAMP, CONFIDENCE, SUCCESS = "frame", "face_id", "timestamp", "confidence", "success"
FACE = "face"


SHORT_ACTION_UNITS = "aus"


class Group(StrEnum):
    """OpenFace's columns that are chosen together, in the table's order; `mien.results.extra` has others."""

    GAZE = "gaze"
    POSE = "pose"
    LANDMARKS_2D = "landmarks-2d"
    LANDMARKS_3D = "landmarks-3d"
    SHAPE = "shape"
    ACTION_UNITS = "action-units"

    @classmethod
    def _missing_(cls, value: object) -> Group | None:
        """The group that an option which leaves out stages calls by a shorter name."""
        return cls.ACTION_UNITS if value == SHORT_ACTION_UNITS else None


class Form(StrEnum):
    """Tables of videos begin with frame and time, those of single images with the number of the face."""

    SEQUENCE = "sequence"
    IMAGE = "image"


class CsvStyle(StrEnum):
    """Layout of a CSV table; names, order and decimals are the same in all."""

    OPENFACE_22 = "openface-2.2"
    """A comma alone between cells, as OpenFace 2.2 writes on Linux and macOS."""
    OPENFACE_BLANK = "openface-blank"
    """A comma and a blank, as OpenFace 2.0 and the builds for Windows write: names have a leading blank."""

    @property
    def separator(self) -> str:
        """What stands between two cells."""
        return ", " if self is CsvStyle.OPENFACE_BLANK else ","


@dataclass(frozen=True, slots=True)
class Columns:
    """Neighbouring columns that are printed with the same number of decimals.

    Attributes
    ----------
    names
        Their names.
    decimals
        With how many decimals they are printed.
    unit
        Unit of all of them, or one unit each; empty where a number has none.
    """

    names: tuple[str, ...]
    decimals: int
    unit: str | tuple[str, ...] = ""

    @property
    def units(self) -> tuple[str, ...]:
        """Unit of each column."""
        return (self.unit,) * len(self.names) if isinstance(self.unit, str) else self.unit


def _numbered(prefixes: tuple[str, ...], count: int) -> tuple[str, ...]:
    return tuple(f"{prefix}_{index}" for prefix in prefixes for index in range(count))


SEQUENCE_COLUMNS = (
    Columns((FRAME, FACE_ID), 0),
    Columns((TIMESTAMP,), 3, "s"),
    Columns((CONFIDENCE,), 2),
    Columns((SUCCESS,), 0),
)
FILES = Columns((FILE,), 0)
IMAGE_COLUMNS = (Columns((FACE,), 0), Columns((CONFIDENCE,), 3))

GAZE_DIRECTION = Columns(tuple(f"gaze_{eye}_{axis}" for eye in (0, 1) for axis in "xyz"), 6)
GAZE_ANGLE = Columns(("gaze_angle_x", "gaze_angle_y"), 3, "rad")
EYES_2D = Columns(_numbered(("eye_lmk_x", "eye_lmk_y"), EYE_LANDMARKS), 1, "px")
EYES_3D = Columns(_numbered(("eye_lmk_X", "eye_lmk_Y", "eye_lmk_Z"), EYE_LANDMARKS), 1, "mm")
POSE_TRANSLATION = Columns(("pose_Tx", "pose_Ty", "pose_Tz"), 1, "mm")
POSE_ROTATION = Columns(("pose_Rx", "pose_Ry", "pose_Rz"), 3, "rad")
POINTS_2D = Columns(_numbered(("x", "y"), LANDMARKS), 1, "px")
POINTS_3D = Columns(_numbered(("X", "Y", "Z"), LANDMARKS), 1, "mm")
SHAPE_GLOBAL = Columns(
    ("p_scale", "p_rx", "p_ry", "p_rz", "p_tx", "p_ty"), 3, ("px/mm", "rad", "rad", "rad", "px", "px")
)
MESH = Columns(_numbered(("mesh_x", "mesh_y", "mesh_z"), MESH_POINTS), 2, "px")
MEASURE_DECIMALS = 4


def shape_local(modes: int = MODES) -> Columns:
    """Coefficients of the shape model's modes."""
    return Columns(_numbered(("p",), modes), 3)


def intensity(units: tuple[str, ...] = INTENSITY_UNITS) -> Columns:
    """Intensities of action units."""
    return Columns(tuple(f"{unit}_r" for unit in units), 2)


def presence(units: tuple[str, ...] = PRESENCE_UNITS, *, post_processed: bool = True) -> Columns:
    """Presences of action units; live values have one decimal, post-processed ones two."""
    return Columns(tuple(f"{unit}_c" for unit in units), 2 if post_processed else 1)


def unit_of(column: str) -> str:
    """Action unit that a column of `intensity` or `presence` is about."""
    return column[:-2]


def full_sequence() -> tuple[str, ...]:
    """All 714 columns of OpenFace's table of a video, in order."""
    blocks = (
        *SEQUENCE_COLUMNS,
        GAZE_DIRECTION,
        GAZE_ANGLE,
        EYES_2D,
        EYES_3D,
        POSE_TRANSLATION,
        POSE_ROTATION,
        POINTS_2D,
        POINTS_3D,
        SHAPE_GLOBAL,
        shape_local(),
        intensity(),
        presence(),
    )
    return tuple(name for block in blocks for name in block.names)


GroupChoice = Iterable[str] | str | None
"""Names of groups, also in one text with commas between, or None for all of them."""


def names_in(choice: Iterable[str] | str | None) -> list[str]:
    """Single names of a choice."""
    if choice is None:
        return []
    return [name.strip() for name in choice.split(",")] if isinstance(choice, str) else list(choice)


def chosen_groups(groups: GroupChoice) -> frozenset[Group]:
    """Groups of OpenFace's columns from their names; None means all.

    Raises
    ------
    OptionError
        A name is unknown.
    """
    if groups is None:
        return frozenset(Group)
    names = names_in(groups)
    unknown = [str(name) or "''" for name in names if name not in (*Group, SHORT_ACTION_UNITS)]
    if unknown:
        raise OptionError(
            f"unknown columns {', '.join(unknown)}: expected some of {', '.join(Group)}; mien's own columns "
            "are asked for as extra"
        )
    return frozenset(Group(name) for name in names)


def chosen_style(name: CsvStyle | str) -> CsvStyle:
    """A style from its name.

    Raises
    ------
    OptionError
        The name is unknown.
    """
    if name not in tuple(CsvStyle):
        raise OptionError(f"CSV style: expected {' or '.join(CsvStyle)}, got {str(name)!r}")
    return CsvStyle(name)

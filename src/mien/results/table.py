"""Results as one table of numbers in OpenFace's columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unicodedata import category

import numpy as np
from numpy.typing import NDArray

from mien.results import columns
from mien.results.columns import Columns, Form, Group, GroupChoice
from mien.results.extra import ExtraChoice, ExtraGroup, chosen_extra

if TYPE_CHECKING:
    from mien.results.video_result import VideoResult


_UNSEEN = ("Cc", "Cs", "Zl", "Zp")
"""Unicode's categories of control codes, surrogates and separators of lines."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of numbers under names.

    Attributes
    ----------
    names
        C names of columns, in order.
    values
        (N, C) float64; NaN where a cell is empty.
    decimals
        (C,) int64: with how many decimals each column is printed; -1 where that is not known.
    texts
        Columns of text, which stand before the others: N texts each under its name.
    """

    names: tuple[str, ...]
    values: NDArray[np.float64]
    decimals: NDArray[np.int64]
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    _position: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[1] != len(self.names):
            raise ValueError(f"expected values (N, {len(self.names)}), got {self.values.shape}")
        if self.decimals.shape != (len(self.names),):
            raise ValueError(f"expected decimals ({len(self.names)},), got {self.decimals.shape}")
        for name, texts in self.texts.items():
            if len(texts) != len(self.values):
                raise ValueError(f"{name}: expected {len(self.values)} texts, got {len(texts)}")
        object.__setattr__(self, "_position", {name: index for index, name in enumerate(self.names)})

    def __len__(self) -> int:
        return len(self.values)

    def __contains__(self, name: object) -> bool:
        return name in self._position

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        """One column, (N,) float64."""
        return self.values[:, self._position[name]]

    def __repr__(self) -> str:
        return f"Table({len(self)} rows, {len(self.texts) + len(self.names)} columns)"

    def has(self, names: Iterable[str]) -> bool:
        """Whether all these columns exist."""
        return all(name in self._position for name in names)

    def select(self, names: Iterable[str]) -> NDArray[np.float64]:
        """These columns, (N, k) float64, in the given order."""
        return self.values[:, [self._position[name] for name in names]]

    def to_pandas(self) -> Any:
        """The same as a pandas.DataFrame, texts first, then float64 columns; rows are counted from 0."""
        import pandas as pd

        frame = pd.DataFrame(self.values, columns=list(self.names))
        for place, (name, texts) in enumerate(self.texts.items()):
            frame.insert(place, name, list(texts))
        return frame


@dataclass(frozen=True, slots=True)
class Block:
    """Columns of a result with their values, (N,) or (N, k) of any type, texts as objects."""

    columns: Columns
    values: NDArray[Any]

    @property
    def is_text(self) -> bool:
        """Whether it holds texts."""
        return self.values.dtype == object


def blocks(
    result: VideoResult,
    groups: GroupChoice = None,
    form: Form | str = Form.SEQUENCE,
    extra: ExtraChoice = None,
) -> list[Block]:
    """Columns of a result, in OpenFace's order; mien's own follow, a column of pictures' names goes before.

    Parameters
    ----------
    result
        The result, or some of its rows.
    groups
        Names of the `Group` s wanted; None means all that the result has.
    form
        Which columns come first, see `Form`.
    extra
        Names of the groups of mien's own columns wanted, see `mien.results.extra`; None means none.

    Raises
    ------
    OptionError
        A group is unknown.
    """
    wanted, further = columns.chosen_groups(groups), chosen_extra(extra)
    found = [*_files(result), *_first(result, Form(form))]
    for group, names, values in _openface(result):
        if group in wanted and values is not None:
            found.append(Block(names, values))
    for own in further:
        found += _extra(result, own)
    return found


def tabulate(
    result: VideoResult,
    groups: GroupChoice = None,
    form: Form | str = Form.SEQUENCE,
    extra: ExtraChoice = None,
) -> Table:
    """One table of a result; parameters as in `blocks`."""
    every = blocks(result, groups, form, extra)
    texts = {part.columns.names[0]: tuple(part.values.tolist()) for part in every if part.is_text}
    parts = [part for part in every if not part.is_text]
    names = tuple(name for part in parts for name in part.columns.names)
    values = np.empty((len(result), len(names)), np.float64)
    decimals = np.empty(len(names), np.int64)
    start = 0
    for part in parts:
        end = start + len(part.columns.names)
        values[:, start:end] = part.values.reshape(len(result), end - start)
        decimals[start:end] = part.columns.decimals
        start = end
    return Table(names, values, decimals, texts)


def _files(result: VideoResult) -> list[Block]:
    if not result.pictures:
        return []
    names = np.array([readable(name) for name in result.pictures], object)
    return [Block(columns.FILES, names[result.frame])]


def readable(name: str) -> str:
    r"""A file's name as one line of UTF-8: bytes that are no text, and control codes, become ``\xNN``."""
    return "".join(_shown(sign) if category(sign) in _UNSEEN else sign for sign in name)


def _shown(sign: str) -> str:
    # Python keeps a byte that is no text as the code 0xDC00 + byte (PEP 383)
    byte = ord(sign) - 0xDC00
    return f"\\x{byte:02x}" if 0x80 <= byte <= 0xFF else sign.encode("unicode_escape").decode()


def _first(result: VideoResult, form: Form) -> list[Block]:
    if form is Form.IMAGE:
        face, confidence = columns.IMAGE_COLUMNS
        return [Block(face, result.face_id), Block(confidence, result.confidence)]
    numbers, time, confidence, success = columns.SEQUENCE_COLUMNS
    return [
        # OpenFace counts frames from 1
        Block(numbers, np.stack([result.frame + 1, result.face_id], axis=1)),
        Block(time, result.time_s),
        Block(confidence, result.confidence),
        Block(success, result.success),
    ]


def _by_axis(points: NDArray[Any] | None) -> NDArray[Any] | None:
    """All x, then all y (then all z), as the table has them."""
    return None if points is None else np.swapaxes(points, 1, 2)


def _openface(result: VideoResult) -> tuple[tuple[Group, Columns, NDArray[Any] | None], ...]:
    """OpenFace's columns in order, each with its group and its values, where there are any."""
    local = columns.shape_local(result.local_params.shape[1])
    intensity = columns.intensity(result.au_intensity_names)
    presence = columns.presence(result.au_presence_names, post_processed=result.au_post_processed)
    return (
        (Group.GAZE, columns.GAZE_DIRECTION, result.gaze_directions),
        (Group.GAZE, columns.GAZE_ANGLE, result.gaze_angle_rad),
        (Group.GAZE, columns.EYES_2D, _by_axis(result.eye_landmarks)),
        (Group.GAZE, columns.EYES_3D, _by_axis(result.eye_landmarks_3d)),
        (Group.POSE, columns.POSE_TRANSLATION, result.pose_translation_mm),
        (Group.POSE, columns.POSE_ROTATION, result.pose_rotation_rad),
        (Group.LANDMARKS_2D, columns.POINTS_2D, _by_axis(result.landmarks)),
        (Group.LANDMARKS_3D, columns.POINTS_3D, _by_axis(result.landmarks_3d)),
        (Group.SHAPE, columns.SHAPE_GLOBAL, result.global_params),
        (Group.SHAPE, local, result.local_params),
        (Group.ACTION_UNITS, intensity, result.au_intensity),
        (Group.ACTION_UNITS, presence, result.au_presence),
    )


def _extra(result: VideoResult, group: ExtraGroup) -> list[Block]:
    found = [
        Block(group.column_of(name), values) for name, values in result.measures.items() if group.owns(name)
    ]
    for name, names in group.arrays:
        array = getattr(result, name)
        if array is not None:
            found.append(Block(names, np.swapaxes(array, 1, 2) if array.ndim == 3 else array))
    return found

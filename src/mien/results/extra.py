"""mien's own columns, in groups: they follow OpenFace's where they are asked for.

A group takes named measures of a result, whole arrays of it, or both. To add one, add it to `EXTRA_GROUPS`:
tables in every format, ``--extra`` and the documentation of the option follow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mien.datatypes import BLENDSHAPE_NAMES
from mien.errors import OptionError
from mien.results import columns
from mien.results.columns import Columns

ALL = "all"

ExtraChoice = Iterable[str] | str | None
"""Names of groups, also in one text with commas between; "all" for all; None for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraGroup:
    """Columns that are chosen together.

    Attributes
    ----------
    name
        What it is asked for by.
    meaning
        What it holds, in a few words.
    packs
        Model packs that measure it.
    owns
        Whether a named measure of a result belongs to it. A measure that no other group owns belongs to
        `MEASURES`.
    arrays
        Further arrays of `VideoResult`, by name, (N, k) or (N, points, axes), and their columns.
    decimals
        With how many decimals measures are printed.
    """

    name: str
    meaning: str
    packs: tuple[str, ...]
    owns: Callable[[str], bool] = lambda measure: False
    arrays: tuple[tuple[str, Columns], ...] = ()
    decimals: int = columns.MEASURE_DECIMALS

    def column_of(self, measure: str) -> Columns:
        """The column of a measure."""
        in_cm = measure.removesuffix("_change").endswith("_cm")
        return Columns((measure,), self.decimals, "cm" if in_cm else "")


def _owned_by_no_other(measure: str) -> bool:
    return not any(group.owns(measure) for group in EXTRA_GROUPS if group is not MEASURES)


MEASURES = ExtraGroup(
    name="measures",
    meaning="measures of the expression, such as mouth_width_cm",
    packs=("open",),
    owns=_owned_by_no_other,
)
MESH = ExtraGroup(
    name="mesh",
    meaning="478 points of a dense mesh",
    packs=("open",),
    arrays=(("mesh", columns.MESH),),
)
_SHAPE_COLUMNS = tuple(f"blendshape_{name.removeprefix('_')}" for name in BLENDSHAPE_NAMES)
BLENDSHAPES = ExtraGroup(
    name="blendshapes",
    meaning="how much of 52 expressions a face shows, 0 to 1, and the same as logits",
    packs=("open",),
    arrays=(
        ("blendshapes", Columns(_SHAPE_COLUMNS, 5)),
        ("blendshape_logits", Columns(tuple(f"{name}_logit" for name in _SHAPE_COLUMNS), 3)),
    ),
)
EXTRA_GROUPS: tuple[ExtraGroup, ...] = (MEASURES, BLENDSHAPES, MESH)
"""All groups, in the order of the table."""
EXTRA_NAMES = tuple(group.name for group in EXTRA_GROUPS)


def chosen_extra(choice: ExtraChoice) -> tuple[ExtraGroup, ...]:
    """Groups from their names, in the order of the table.

    Raises
    ------
    OptionError
        A name is unknown.
    """
    names = set(columns.names_in(choice))
    unknown = [name or "''" for name in sorted(names - {ALL, *EXTRA_NAMES})]
    if unknown:
        raise OptionError(
            f"unknown extra columns {', '.join(unknown)}: expected some of {', '.join(EXTRA_NAMES)}, or {ALL}"
        )
    return tuple(group for group in EXTRA_GROUPS if ALL in names or group.name in names)

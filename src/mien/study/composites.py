"""Action units that occur together, under the names that the literature gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.study.series import FaceSeries

Floats = NDArray[np.float64]

WARNING = (
    "A pattern of movements, not a feeling: people show these patterns without the emotion they are named "
    "after, and feel it without showing them (Barrett et al. 2019, doi:10.1177/1529100619832930)."
)
"""Goes with every column and event of a composite."""


@dataclass(frozen=True, slots=True)
class Composite:
    """A pattern of action units.

    Attributes
    ----------
    name
        Its name in columns and events, which says what it is made of.
    label
        What it is, for people.
    units
        All of these are needed; of several in one group, one.
    reference
        Who described it.
    """

    name: str
    label: str
    units: tuple[tuple[str, ...], ...]
    reference: str

    def intensity(self, series: FaceSeries) -> Floats | None:
        """(N,) intensity of its weakest part, 0 to 5; None where a part was not measured at all."""
        parts = [_strongest(group, series.intensity) for group in self.units]
        return _weakest(parts)

    def presence(self, series: FaceSeries) -> Floats | None:
        """(N,) 1 where all parts are present, else 0; None where a part was not measured at all."""
        parts = [_strongest(group, series.presence) for group in self.units]
        return _weakest(parts)


def _strongest(group: tuple[str, ...], values: Mapping[str, Floats]) -> Floats | None:
    found = [values[name] for name in group if name in values and not np.isnan(values[name]).all()]
    return np.asarray(np.fmax.reduce(found)) if found else None


def _weakest(parts: list[Floats | None]) -> Floats | None:
    known = [part for part in parts if part is not None]
    return np.asarray(np.minimum.reduce(known)) if len(known) == len(parts) else None


_INVESTIGATORS_GUIDE = "Ekman, Friesen & Hager 2002, FACS Investigator's Guide, table of emotion prototypes"


def _prototype(emotion: str, *units: tuple[str, ...]) -> Composite:
    parts = "_".join("or".join(group) for group in units)
    shown = "+".join(" or ".join(group) for group in units)
    return Composite(
        f"emfacs_{emotion}_{parts}",
        f"EMFACS prototype of {emotion} ({shown})",
        tuple(tuple(f"AU{unit}" for unit in group) for group in units),
        _INVESTIGATORS_GUIDE,
    )


COMPOSITES: tuple[Composite, ...] = (
    Composite(
        "duchenne_06_12",
        "Duchenne smile (06+12), also the EMFACS prototype of happiness",
        (("AU06",), ("AU12",)),
        "Ekman, Davidson & Friesen 1990, doi:10.1037/0022-3514.58.2.342; that it can be put on at will: "
        "Krumhuber & Manstead 2009, doi:10.1037/a0017844",
    ),
    _prototype("surprise", ("01",), ("02",), ("05",), ("25", "26")),
    _prototype("fear", ("01",), ("02",), ("04",), ("05",), ("20",), ("25", "26")),
    _prototype("sadness", ("01",), ("04",), ("15",)),
    _prototype("disgust", ("09",), ("17",)),
    _prototype("anger", ("04",), ("05",), ("07",), ("23",)),
)
"""One prototype each, of units that OpenFace measures; contempt shows on one side, and is left out."""

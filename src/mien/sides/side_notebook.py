"""Both sides of a face as a notebook shows them: means of what was measured, left and right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mien.action_units.catalogue import INTENSITY_NAMES
from mien.results.notebook import number, sentence, table
from mien.sides.measures import SIDE_MEASURES

if TYPE_CHECKING:
    from mien.sides.result import SidesResult

_HEAD = ("mean of usable rows", "left", "right", "left − right", "rows")


def to_html(result: SidesResult) -> str:
    """A result as a piece of HTML without scripts; every text in it is escaped."""
    source = result.video.source
    said = [] if source is None else [source.name]
    said += [f"{len(result)} rows", f"{int(result.usable.sum())} usable", "left and right are the subject's"]
    rows = [row for row in _rows(result) if row[-1]]
    shown = table(_HEAD, rows) if rows else ""
    return (
        f'<div class="mien-sides"><p>{sentence(said)}</p>{shown}'
        "<p>A research measure, not a diagnosis.</p></div>"
    )


def _rows(result: SidesResult) -> Iterator[tuple[str | int, ...]]:
    if result.intensity is not None:
        for unit, name in enumerate(INTENSITY_NAMES):
            yield _row(name, result.intensity[..., unit], result.usable)
    for measure in SIDE_MEASURES:
        name = f"{measure.name.replace('_', ' ')}, {measure.unit}"
        yield _row(name, result.measures[measure.name], result.usable)


def _row(name: str, values: NDArray[np.float64], usable: NDArray[np.bool_]) -> tuple[str | int, ...]:
    """Means over the usable rows in which both sides (2, N) were measured."""
    known = values[:, usable & np.isfinite(values).all(axis=0)]
    left, right = known.mean(axis=1) if known.size else (np.nan, np.nan)
    return name, number(left), number(right), number(left - right), known.shape[1]

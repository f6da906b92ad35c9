"""Both sides of a face over a video, as arrays and as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mien.action_units.catalogue import INTENSITY_NAMES, PRESENCE_NAMES
from mien.results import VideoResult, write_provenance
from mien.results.table import Table
from mien.shape.mirror import SIDES
from mien.sides.measures import (
    MIDLINE_MEASURES,
    SIDE_MEASURES,
    in_mm,
    midline_measures,
    scale_from_irises,
    side_measures,
)
from mien.sides.observer import Layout
from mien.sides.relative import BothSeries
from mien.sides.side_tables import write_cells, write_table

if TYPE_CHECKING:
    from mien.sides.actions import ActionTable
    from mien.sides.epochs import Epoch

_OPENFACE_LIKE = {"left": "left_mirrored", "right": "right_mirrored"}


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class SidesResult:
    """Both sides of a face: row i of every array is the same face in the same frame.

    N rows. Sides come in the order left, right: the subject's. NaN means "not measured".

    Attributes
    ----------
    video
        The whole face, as `mien.analyze` gives it.
    usable
        (N,) bool: the face was found, whole in the picture, and not turned further than asked for.
    yaw_rad, nod_rad, tilt_rad
        (N,) float64: how the plane of symmetry lies, see `mien.sides.midplane.Midplane`.
    mm_per_px
        (N,) float64, from the size of the irises (±4 % from person to person).
    iris_px
        (N,) float64: mean radius of the irises, px.
    intensity, static_intensity, presence
        (2, N, 17), (2, N, 17) and (2, N, 18) float64, see `mien.sides.relative.BothSeries`; None without
        OpenFace's models.
    measures
        (2, N) float64 by name, see `mien.sides.measures.SIDE_MEASURES`.
    midline
        (N,) float64 by name, see `mien.sides.measures.MIDLINE_MEASURES`.
    closure
        (2, N) float64, %: how far the eye is closed, against the fissure at rest.
    network
        (N,) float64 by name: action units that a model gives for single sides by itself.
    provenance
        How the result was made.
    """

    video: VideoResult
    usable: NDArray[np.bool_]
    yaw_rad: NDArray[np.float64]
    nod_rad: NDArray[np.float64]
    tilt_rad: NDArray[np.float64]
    mm_per_px: NDArray[np.float64]
    iris_px: NDArray[np.float64]
    intensity: NDArray[np.float64] | None
    static_intensity: NDArray[np.float64] | None
    presence: NDArray[np.float64] | None
    measures: Mapping[str, NDArray[np.float64]]
    midline: Mapping[str, NDArray[np.float64]]
    closure: NDArray[np.float64]
    network: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.video)

    def __repr__(self) -> str:
        units = "no action units" if self.intensity is None else "action units"
        return f"SidesResult({len(self)} rows, {int(self.usable.sum())} usable, {units})"

    def _repr_html_(self) -> str:
        """What notebooks show."""
        from mien.sides.side_notebook import to_html

        return to_html(self)

    def unusable(self, max_yaw_deg: float) -> tuple[int, int, int]:
        """Rows that are not usable: without a face, turned further than that, not whole in the picture."""
        found = self.video.success.astype(np.bool_)
        turned = found & (np.abs(self.yaw_rad) > np.radians(max_yaw_deg))
        return int((~found).sum()), int(turned.sum()), int((found & ~turned & ~self.usable).sum())

    def actions(self, epochs: Sequence[Epoch]) -> ActionTable:
        """Sum up coded actions; see `mien.sides.actions.summarise`."""
        from mien.sides.actions import summarise

        return summarise(self, epochs)

    def to_table(self) -> Table:
        """All numbers as one table, unrounded: the columns of docs/sides.md."""
        names, columns, decimals = zip(*self._columns(), strict=True)
        return Table(tuple(names), np.column_stack(columns), np.array(decimals))

    def to_pandas(self) -> Any:
        """The same as a pandas.DataFrame."""
        return self.to_table().to_pandas()

    def save(self, path: str | Path) -> None:
        """Write the table as CSV, and beside it NAME.provenance.json.

        Raises
        ------
        OutputError
            It can't be written there.
        """
        write_table(self.to_table(), Path(path))
        if self.provenance:
            write_provenance(self.provenance, path)

    def save_split(self, folder: Path, stem: str, actions: Sequence[str] | None = None) -> list[Path]:
        """Write one table per side in OpenFace's columns, as the published procedure leaves them.

        Parameters
        ----------
        folder, stem
            The tables are folder/STEM_left_mirrored.csv and folder/STEM_right_mirrored.csv.
        actions
            (N,) name of the action in every frame, empty for none; adds the column ``action``.

        Returns
        -------
        list of Path
            The tables.
        """
        if self.intensity is None or self.presence is None:
            return []
        written = []
        for side, name in enumerate(SIDES):
            table = _openface_table(self.video, self.intensity[side], self.presence[side])
            path = folder / f"{stem}_{_OPENFACE_LIKE[name]}.csv"
            extra = None if actions is None else {"action": list(actions)}
            write_cells(table, path, extra)
            written.append(path)
        return written

    def _columns(self) -> list[tuple[str, NDArray[Any], int]]:
        video = self.video
        found: list[tuple[str, NDArray[Any], int]] = [
            ("frame", video.frame + 1, 0),
            ("face_id", video.face_id, 0),
            ("timestamp", video.time_s, 3),
            ("confidence", video.confidence, 2),
            ("success", video.success, 0),
            ("usable", self.usable, 0),
            ("yaw", self.yaw_rad, 3),
            ("pitch", self.nod_rad, 3),
            ("roll", self.tilt_rad, 3),
            ("mm_per_px", self.mm_per_px, 4),
            ("iris_px", self.iris_px, 2),
        ]
        found += self._unit_columns()
        for measure in SIDE_MEASURES:
            values = self.measures[measure.name]
            found += [(f"{measure.name}_{measure.unit}_{side}", values[s], 2) for s, side in enumerate(SIDES)]
            if measure.unit != "deg":
                found += [
                    (f"{measure.name}_pct_{side}", percent_of(values[s], values[1 - s]), 1)
                    for s, side in enumerate(SIDES)
                ]
        found += [(f"closure_pct_{side}", self.closure[s], 1) for s, side in enumerate(SIDES)]
        found += [(f"{measure.name}_mm", self.midline[measure.name], 2) for measure in MIDLINE_MEASURES]
        return found + [(name, values, 2) for name, values in self.network.items()]

    def _unit_columns(self) -> list[tuple[str, NDArray[Any], int]]:
        if self.intensity is None or self.static_intensity is None or self.presence is None:
            return []
        found: list[tuple[str, NDArray[Any], int]] = []
        whole, classes = self.video.au_intensity, self.video.au_presence
        for unit, name in enumerate(INTENSITY_NAMES):
            found += [(f"{name}_r_{side}", self.intensity[s, :, unit], 2) for s, side in enumerate(SIDES)]
            if whole is not None:
                found.append((f"{name}_r_full", whole[:, unit], 2))
            found += [
                (f"{name}_r_static_{side}", self.static_intensity[s, :, unit], 2)
                for s, side in enumerate(SIDES)
            ]
        for unit, name in enumerate(PRESENCE_NAMES):
            found += [(f"{name}_c_{side}", self.presence[s, :, unit], 0) for s, side in enumerate(SIDES)]
            if classes is not None:
                found.append((f"{name}_c_full", classes[:, unit], 0))
        return found


def percent_of(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """One side in % of the other; NaN where the other is not positive."""
    result: NDArray[np.float64] = np.full(len(one), np.nan)
    np.divide(100 * one, other, out=result, where=other > 0)
    return result


def assemble(
    video: VideoResult,
    layout: Layout,
    series: BothSeries | None,
    *,
    max_yaw_rad: float,
    at_rest: NDArray[np.bool_] | None = None,
    selfie: bool = False,
    one_person: bool = True,
) -> SidesResult:
    """Put together what was measured.

    Parameters
    ----------
    video
        The whole face.
    layout, series
        How the face lay, and the action units of its sides.
    max_yaw_rad
        Frames in which the face is turned further are not usable.
    at_rest
        (N,) frames in which eyes are open as at rest; by default all usable ones, whose median counts.
    selfie
        Whether the pictures are mirrored, so that the image's left is the subject's left.
    one_person
        Whether all rows are one person's, whose irises are of one size; else every row stands for itself.

    Returns
    -------
    SidesResult
    """
    usable = layout.found & video.success & (np.abs(layout.yaw_rad) <= max_yaw_rad) & layout.inside
    if one_person:
        chosen = layout.iris_radius[usable if usable.any() else layout.found]
        mm: Any = scale_from_irises(chosen)
    else:
        mm = np.array([scale_from_irises(layout.iris_radius[i : i + 1]) for i in range(len(video))])
    sides = in_mm(side_measures(layout.face, layout.irises), mm)
    result = SidesResult(
        video=video,
        usable=usable,
        yaw_rad=layout.yaw_rad,
        nod_rad=layout.nod_rad,
        tilt_rad=layout.tilt_rad,
        mm_per_px=mm / layout.scale,
        iris_px=layout.iris_radius * layout.scale,
        intensity=None if series is None else series.intensity,
        static_intensity=None if series is None else series.static,
        presence=None if series is None else series.presence,
        measures=sides,
        midline=in_mm(midline_measures(layout.face), mm),
        closure=_closure(sides["fissure_height"], usable if at_rest is None else usable & at_rest),
        network={
            name: values
            for name, values in video.measures.items()
            if name.startswith("AU") and name.endswith(SIDES)
        },
        provenance=dict(video.provenance),
    )
    return _swapped(result) if selfie else result


def _closure(fissure: NDArray[np.float64], at_rest: NDArray[np.bool_]) -> NDArray[np.float64]:
    if not at_rest.any():
        return np.full_like(fissure, np.nan)
    rest = np.median(fissure[:, at_rest], axis=1, keepdims=True)
    return np.asarray(100 * (1 - fissure / rest))


def _swapped(result: SidesResult) -> SidesResult:
    """The same for pictures that show their subject as a mirror does."""

    def swap(values: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
        return None if values is None else values[::-1]

    return replace(
        result,
        yaw_rad=-result.yaw_rad,
        tilt_rad=-result.tilt_rad,
        intensity=swap(result.intensity),
        static_intensity=swap(result.static_intensity),
        presence=swap(result.presence),
        measures={name: values[::-1] for name, values in result.measures.items()},
        midline={name: -values for name, values in result.midline.items()},
        closure=result.closure[::-1],
        network={_other_side(name): values for name, values in result.network.items()},
    )


def _other_side(name: str) -> str:
    left, right = SIDES
    return name.removesuffix(left) + right if name.endswith(left) else name.removesuffix(right) + left


def _openface_table(
    video: VideoResult, intensity: NDArray[np.float64], presence: NDArray[np.float64]
) -> Table:
    names = ["frame", "face_id", "timestamp", "confidence", "success"]
    names += [f"{name}_r" for name in INTENSITY_NAMES] + [f"{name}_c" for name in PRESENCE_NAMES]
    first = (video.frame + 1, video.face_id, video.time_s, video.confidence, video.success)
    decimals = [0, 0, 3, 2, 0] + [2] * intensity.shape[1] + [0] * presence.shape[1]
    values = np.column_stack([*first, np.nan_to_num(intensity), np.nan_to_num(presence)])
    return Table(tuple(names), values, np.array(decimals))

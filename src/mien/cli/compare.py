"""``mien compare``: how far two tables agree."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.arguments import OptionGroup, grouped
from mien.errors import OptionError

if TYPE_CHECKING:
    from mien.results.compare import Comparison, Limits

_FIGURES = (
    ("success_percent", "min_success", "success equal", "%", 2),
    ("landmark_mean_px", "max_landmark_mean", "landmarks, mean distance", "px", 3),
    ("landmark_p99_px", "max_landmark_p99", "landmarks, 99th percentile", "px", 3),
    ("intensity_r_mean", "min_au_r", "AU intensity, mean r", "", 4),
    ("intensity_r_lowest", "min_au_r_lowest", "AU intensity, lowest r", "", 4),
    ("intensity_difference", "max_au_difference", "AU intensity, mean |Δ|", "", 4),
    ("presence_percent", "min_au_presence", "AU presence equal, mean", "%", 2),
    ("pose_deg", "max_pose_deg", "head angles, mean |Δ|", "°", 3),
    ("pose_mm", "max_pose_mm", "head position, mean |Δ|", "mm", 3),
    ("gaze_deg", "max_gaze_deg", "gaze angles, mean |Δ|", "°", 3),
    ("eye_px", "max_eye", "eye landmarks, mean |Δ|", "px", 3),
)
"""Of every figure its name, the option that limits it, and how it is shown: title, unit, decimals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitArguments(OptionGroup):
    """Limits of the figures."""

    panel = "Limits"

    limits: Annotated[
        str | None,
        "A set of limits: openface (about OpenFace's own noise) or openface-lost (the same for videos in "
        "which the face is lost and found again). Options below replace single limits.",
    ] = None
    same_rows: Annotated[
        bool | None,
        typer.Option(
            "--same-rows/--any-rows", help="Fail if frames or faces differ.", rich_help_panel="Limits"
        ),
    ] = None
    min_success: Annotated[float | None, "Fail if success is equal in fewer % of rows."] = None
    max_landmark_mean: Annotated[float | None, "Fail if it is more, px."] = None
    max_landmark_p99: Annotated[float | None, "Fail if it is more, px."] = None
    min_au_r: Annotated[float | None, "Fail if the mean r is less."] = None
    min_au_r_lowest: Annotated[float | None, "Fail if the lowest r is less."] = None
    max_au_difference: Annotated[float | None, "Fail if mean |Δ| is more."] = None
    min_au_presence: Annotated[float | None, "Fail if fewer % are equal."] = None
    max_pose_deg: Annotated[float | None, "Fail if it is more, °."] = None
    max_pose_mm: Annotated[float | None, "Fail if it is more, mm."] = None
    max_gaze_deg: Annotated[float | None, "Fail if it is more, °."] = None
    max_eye: Annotated[float | None, "Fail if it is more, px."] = None

    def chosen(self) -> Limits:
        """The set of limits, single ones replaced."""
        from mien.results.compare import PRESETS, Limits

        if self.limits is not None and self.limits not in PRESETS:
            raise OptionError(f"limits: expected one of {', '.join(PRESETS)}, got {self.limits!r}")
        base = Limits() if self.limits is None else PRESETS[self.limits]
        single = {name: getattr(self, option) for name, option, *_ in _FIGURES} | {
            "same_rows": self.same_rows
        }
        return replace(base, **{name: value for name, value in single.items() if value is not None})


@grouped
def compare(
    a: Annotated[
        Path, typer.Argument(metavar="A.csv", help="A table of mien or OpenFace.", show_default=False)
    ],
    b: Annotated[
        Path, typer.Argument(metavar="B.csv", help="The table to compare it with.", show_default=False)
    ],
    *,
    details: Annotated[bool, "Show every action unit."] = False,
    limits: LimitArguments,
) -> None:
    """Compare two tables of the same video, row by row, and check them against limits.

    Landmarks, pose, gaze and eyes are compared on rows that succeeded in both tables, action units on all
    rows that both have. An action unit that is constant in both tables has no correlation: it is left out of
    r and named; one that is constant in only one of them counts as r = 0. Exit code 1 if a limit is exceeded.
    """
    from mien.results.compare import compare_tables

    chosen = limits.chosen()
    comparison = compare_tables(a, b)
    exceeded = chosen.exceeded(comparison)
    for line in _report(comparison, chosen, exceeded):
        typer.echo(line)
    if details:
        for line in _unit_lines(comparison):
            typer.echo(line)
    if exceeded:
        typer.echo(f"{len(exceeded)} limit{'s' if len(exceeded) > 1 else ''} exceeded", err=True)
        raise typer.Exit(1)


def _report(comparison: Comparison, limits: Limits, exceeded: tuple[str, ...]) -> list[str]:
    from mien.results.compare import AT_LEAST

    rows_a, rows_b = comparison.rows
    same = "the same frames and faces" if comparison.same_rows else "frames or faces differ"
    mark = "  <- exceeded" if "same_rows" in exceeded else ""
    lines = [
        f"rows: {rows_a} and {rows_b}; {same}{mark}",
        f"compared: {comparison.matched} rows in both, {comparison.compared} with success in both",
    ]
    for name, _, title, unit, places in _FIGURES:
        limit = getattr(limits, name)
        bound = "" if limit is None else f"  ({'≥' if name in AT_LEAST else '≤'} {limit:g})"
        mark = "  <- exceeded" if name in exceeded else ""
        lines.append(
            f"{title:<28}{_text(getattr(comparison, name), places):>10} {unit:<3}{bound}{mark}".rstrip()
        )
    if comparison.constant_units:
        lines.append(f"without r, constant in both tables: {', '.join(comparison.constant_units)}")
    return lines


def _unit_lines(comparison: Comparison) -> list[str]:
    lines = ["", f"{'action unit':<12}{'r':>8}{'mean |Δ|':>10}{'presence equal, %':>20}"]
    for unit in comparison.units:
        cells = _text(unit.r, 4), _text(unit.mean_difference, 4), _text(unit.presence_percent, 2)
        lines.append(f"{unit.name:<12}{cells[0]:>8}{cells[1]:>10}{cells[2]:>20}")
    return lines


def _text(value: float, places: int) -> str:
    return "–" if math.isnan(value) else f"{value:.{places}f}"

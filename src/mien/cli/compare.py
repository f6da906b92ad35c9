"""``mien compare``: how far two tables agree."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.errors import OptionError

if TYPE_CHECKING:
    from mien.results.compare import Comparison, Limits

_FIGURES = (
    ("success_percent", "success equal", "%", 2),
    ("landmark_mean_px", "landmarks, mean distance", "px", 3),
    ("landmark_p99_px", "landmarks, 99th percentile", "px", 3),
    ("intensity_r_mean", "AU intensity, mean r", "", 4),
    ("intensity_r_lowest", "AU intensity, lowest r", "", 4),
    ("intensity_difference", "AU intensity, mean |Δ|", "", 4),
    ("presence_percent", "AU presence equal, mean", "%", 2),
    ("pose_deg", "head angles, mean |Δ|", "°", 3),
    ("pose_mm", "head position, mean |Δ|", "mm", 3),
    ("gaze_deg", "gaze angles, mean |Δ|", "°", 3),
    ("eye_px", "eye landmarks, mean |Δ|", "px", 3),
)


def _limit(flag: str, what: str) -> Any:
    return typer.Option(flag, help=f"Fail if {what}.", show_default=False, rich_help_panel="Limits")


def compare(
    a: Annotated[
        Path, typer.Argument(metavar="A.csv", help="A table of mien or OpenFace.", show_default=False)
    ],
    b: Annotated[
        Path, typer.Argument(metavar="B.csv", help="The table to compare it with.", show_default=False)
    ],
    details: Annotated[bool, typer.Option("--details", help="Show every action unit.")] = False,
    limits: Annotated[
        str | None,
        typer.Option(
            help="A set of limits: openface (about OpenFace's own noise) or openface-lost (the same for "
            "videos in which the face is lost and found again). Options below replace single limits.",
            rich_help_panel="Limits",
        ),
    ] = None,
    same_rows: Annotated[bool | None, _limit("--same-rows/--any-rows", "frames or faces differ")] = None,
    min_success: Annotated[
        float | None, _limit("--min-success", "success is equal in fewer % of rows")
    ] = None,
    max_landmark_mean: Annotated[float | None, _limit("--max-landmark-mean", "it is more, px")] = None,
    max_landmark_p99: Annotated[float | None, _limit("--max-landmark-p99", "it is more, px")] = None,
    min_au_r: Annotated[float | None, _limit("--min-au-r", "the mean r is less")] = None,
    min_au_r_lowest: Annotated[float | None, _limit("--min-au-r-lowest", "the lowest r is less")] = None,
    max_au_difference: Annotated[float | None, _limit("--max-au-difference", "mean |Δ| is more")] = None,
    min_au_presence: Annotated[float | None, _limit("--min-au-presence", "fewer % are equal")] = None,
    max_pose_deg: Annotated[float | None, _limit("--max-pose-deg", "it is more, °")] = None,
    max_pose_mm: Annotated[float | None, _limit("--max-pose-mm", "it is more, mm")] = None,
    max_gaze_deg: Annotated[float | None, _limit("--max-gaze-deg", "it is more, °")] = None,
    max_eye: Annotated[float | None, _limit("--max-eye", "it is more, px")] = None,
) -> None:
    """Compare two tables of the same video, row by row, and check them against limits.

    Landmarks, pose, gaze and eyes are compared on rows that succeeded in both tables, action units on all
    rows that both have. An action unit that is constant in both tables has no correlation: it is left out of
    r and named; one that is constant in only one of them counts as r = 0. Exit code 1 if a limit is exceeded.
    """
    from mien.results.compare import compare_tables

    chosen = _limits(
        limits,
        same_rows=same_rows,
        success_percent=min_success,
        landmark_mean_px=max_landmark_mean,
        landmark_p99_px=max_landmark_p99,
        intensity_r_mean=min_au_r,
        intensity_r_lowest=min_au_r_lowest,
        intensity_difference=max_au_difference,
        presence_percent=min_au_presence,
        pose_deg=max_pose_deg,
        pose_mm=max_pose_mm,
        gaze_deg=max_gaze_deg,
        eye_px=max_eye,
    )
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


def _limits(preset: str | None, **values: Any) -> Limits:
    from mien.results.compare import PRESETS, Limits

    if preset is not None and preset not in PRESETS:
        raise OptionError(f"limits: expected one of {', '.join(PRESETS)}, got {preset!r}")
    base = Limits() if preset is None else PRESETS[preset]
    return replace(base, **{name: value for name, value in values.items() if value is not None})


def _report(comparison: Comparison, limits: Limits, exceeded: tuple[str, ...]) -> list[str]:
    from mien.results.compare import AT_LEAST

    rows_a, rows_b = comparison.rows
    same = "the same frames and faces" if comparison.same_rows else "frames or faces differ"
    mark = "  <- exceeded" if "same_rows" in exceeded else ""
    lines = [
        f"rows: {rows_a} and {rows_b}; {same}{mark}",
        f"compared: {comparison.matched} rows in both, {comparison.compared} with success in both",
    ]
    for name, title, unit, places in _FIGURES:
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

"""The numbers of a live analysis in the terminal."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from mien.action_units.catalogue import DESCRIPTIONS, INTENSITY_NAMES, PRESENCE_NAMES
from mien.live.session import LiveFace

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mien.datatypes import FaceResult

_REFRESH_HZ = 8
_BAR = 20
_NAMES = 26
_NARROW = 58
"""Columns of a terminal below which action units have no description and a shorter bar."""
_BESIDE_A_BAR = 20
"""Columns that a short name, presence and number take."""
_SAY_EVERY_S = 5.0


class Quiet:
    """No display; tells of dropped frames on lines of their own, at most every five seconds.

    Parameters
    ----------
    tell
        Prints a line.
    clock
        Seconds of a monotonic clock.
    """

    def __init__(self, tell: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._tell = tell
        self._clock = clock
        self._told = 0
        self._next_s = -math.inf

    def show(self, result: LiveFace) -> None:
        """Take note of a result."""
        if result.dropped > self._told and self._clock() >= self._next_s:
            self._tell(f"mien: {result.dropped} frames dropped so far: too slow for this source")
            self._told = result.dropped
            self._next_s = self._clock() + _SAY_EVERY_S

    def __enter__(self) -> Quiet:
        return self

    def __exit__(self, *error: object) -> None:
        pass


class Display(Quiet):
    """A table on standard error that is drawn anew eight times a second.

    Parameters
    ----------
    title
        What is analysed.
    console
        Where it is drawn; by default standard error.
    """

    def __init__(self, title: str, console: Console | None = None) -> None:
        self._title = title
        self._latest: LiveFace | None = None
        self._live = Live(
            get_renderable=self._render,
            console=console or Console(stderr=True),
            refresh_per_second=_REFRESH_HZ,
            transient=True,
        )

    def show(self, result: LiveFace) -> None:
        """Draw this result at the next occasion."""
        self._latest = result

    def _render(self) -> RenderableType:
        if self._latest is None:
            return Text(f"{self._title}: getting ready …")
        width, height = self._live.console.size
        return picture_of(self._title, self._latest, width, height)

    def __enter__(self) -> Display:
        self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()


def picture_of(title: str, result: LiveFace, width: int = 80, height: int = 50) -> RenderableType:
    """All numbers of a result that there is room for, to be drawn in a terminal of this size."""
    narrow = width < _NARROW
    measurements = _measurements(result.face, narrow=narrow)
    units = _units(result.face, width, max(0, height - measurements.row_count - 2))
    return Group(_status(title, result), measurements, units)


def _status(title: str, result: LiveFace) -> Text:
    dropped = Text(f"{result.dropped} dropped  ", style="bold red" if result.dropped else "not bold dim")
    speed = f"{_number(result.fps, 0)} frames/s  latency {1e3 * result.latency_s:.0f} ms  "
    text = Text(speed, no_wrap=True, overflow="ellipsis")
    return text.append(dropped).append(title, style="bold")


def _measurements(face: FaceResult, *, narrow: bool) -> Table:
    table = _grid(narrow=narrow)
    landmarks = face.landmarks
    found = "face" if landmarks.success else "no face"
    table.add_row("confidence", f"{_number(landmarks.confidence, 2)}  {found}")
    table.add_row("head, mm", _numbers(face.pose.translation_mm, 0))
    table.add_row("head, °", _numbers(np.degrees(face.pose.rotation_rad), 1))
    if face.gaze is not None:
        table.add_row("gaze, °", _numbers(np.degrees(face.gaze.angle_rad), 1))
    return table


def _units(face: FaceResult, width: int, most: int) -> Table:
    """A row for each action unit, at most so many."""
    narrow = width < _NARROW
    table = _grid(narrow=narrow)
    if face.action_units is None:
        return table
    bar = max(0, min(_BAR, width - _BESIDE_A_BAR))
    mark = " " if face.landmarks.mesh is None else "~"
    presence = dict(zip(PRESENCE_NAMES, face.action_units.presence, strict=True))
    for name, intensity in zip(INTENSITY_NAMES, face.action_units.intensity, strict=True):
        if not math.isnan(intensity) and table.row_count < most:
            present = "●" if presence[name] == 1 else " "
            label = name if narrow else f"{name} {DESCRIPTIONS[name]}"
            table.add_row(label, f"{present} {_bar(float(intensity), bar)} {mark}{intensity:4.2f}")
    return table


def _grid(*, narrow: bool) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=10 if narrow else _NAMES, no_wrap=True)
    table.add_column(no_wrap=True)
    return table


def _bar(intensity: float, length: int) -> str:
    filled = round(length * min(max(intensity, 0.0), 5.0) / 5.0)
    return "█" * filled + "·" * (length - filled)


def _number(value: float, decimals: int) -> str:
    return "–" if math.isnan(value) else f"{value:.{decimals}f}"


def _numbers(values: Any, decimals: int) -> str:
    return "  ".join(f"{_number(float(value), decimals):>7}" for value in values)


def live_display(title: str, *, terminal: bool, quiet: bool, clock: Callable[[], float]) -> Quiet:
    """A display where there is a terminal, else lines about dropped frames, or nothing."""
    if quiet:
        return Quiet(lambda text: None, clock)
    return Display(title) if terminal else Quiet(lambda text: typer.echo(text, err=True), clock)

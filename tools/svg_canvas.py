"""A sheet of SVG: lines, shapes and words, and a plot's axes. Small enough to read the files it writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

INK, SOFT, PALE = "#222", "#777", "#dfe5ea"
BLUE, RED, GREEN, GOLD = "#2b6cb0", "#c0392b", "#2f855a", "#b7791f"

Point = tuple[float, float]


class Sheet:
    """A white sheet of ``width`` by ``height`` px, y down."""

    def __init__(self, width: int, height: int, title: str) -> None:
        self._size = width, height
        self._title = title
        self._items: list[str] = []

    def line(self, a: Point, b: Point, colour: str = INK, width: float = 1.5, dash: str = "") -> None:
        """A straight line."""
        self._items.append(
            f'<line x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}" '
            f'stroke="{colour}" stroke-width="{width}"{_dash(dash)}/>'
        )

    def arrow(self, a: Point, b: Point, colour: str = INK, width: float = 1.5, dash: str = "") -> None:
        """A line with a head at ``b``."""
        length = ((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2) ** 0.5 or 1.0
        ux, uy = (b[0] - a[0]) / length, (b[1] - a[1]) / length
        base = b[0] - 8 * ux, b[1] - 8 * uy
        self.line(a, base, colour, width, dash)
        self.polygon(
            [b, (base[0] - 4 * uy, base[1] + 4 * ux), (base[0] + 4 * uy, base[1] - 4 * ux)], colour, colour
        )

    def path(
        self,
        points: Iterable[Point],
        colour: str = INK,
        width: float = 1.5,
        dash: str = "",
        fill: str = "none",
    ) -> None:
        """Straight lines through points."""
        text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._items.append(
            f'<polyline points="{text}" fill="{fill}" stroke="{colour}" stroke-width="{width}"{_dash(dash)}/>'
        )

    def polygon(
        self, points: Iterable[Point], fill: str = "none", colour: str = INK, width: float = 1
    ) -> None:
        """A closed outline."""
        text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._items.append(
            f'<polygon points="{text}" fill="{fill}" stroke="{colour}" stroke-width="{width}"/>'
        )

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: str = "white",
        colour: str = INK,
        line: float = 1.2,
        corner: float = 0,
    ) -> None:
        """A rectangle."""
        self._items.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{corner}" '
            f'fill="{fill}" stroke="{colour}" stroke-width="{line}"/>'
        )

    def circle(
        self, at: Point, radius: float, fill: str = INK, colour: str = "none", line: float = 1.5
    ) -> None:
        """A circle."""
        self._items.append(
            f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{radius}" fill="{fill}" stroke="{colour}" '
            f'stroke-width="{line}"/>'
        )

    def text(
        self,
        at: Point,
        words: str,
        size: int = 13,
        colour: str = INK,
        anchor: str = "start",
        weight: str = "normal",
    ) -> None:
        """Words; ``at`` is the start, middle or end of their base line."""
        self._items.append(
            f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" font-size="{size}" fill="{colour}" '
            f'text-anchor="{anchor}" font-weight="{weight}">{escape(words)}</text>'
        )

    def step(self, x: float, y: float, width: float, title: str, *notes: str, fill: str = "#f4f7fa") -> None:
        """A box with a title and smaller lines below it."""
        self.box(x, y, width, 24 + 16 * len(notes), fill, SOFT, 1, 5)
        self.text((x + width / 2, y + 17), title, 13, INK, "middle", "bold")
        for number, note in enumerate(notes):
            self.text((x + width / 2, y + 34 + 16 * number), note, 11, SOFT, "middle")

    def write(self, path: Path) -> None:
        """Write the sheet."""
        width, height = self._size
        items = "\n".join(self._items)
        path.write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'font-family="Helvetica, Arial, sans-serif">\n<title>{escape(self._title)}</title>\n'
            f'<rect width="{width}" height="{height}" fill="white"/>\n{items}\n</svg>\n',
            encoding="utf-8",
        )


class Plot:
    """Axes on a sheet: data to px."""

    def __init__(
        self, sheet: Sheet, box: tuple[float, float, float, float], x: Sequence[float], y: Sequence[float]
    ) -> None:
        self._sheet, self._box, self._x, self._y = sheet, box, x, y
        left, top, width, height = box
        sheet.path([(left, top), (left, top + height), (left + width, top + height)], SOFT, 1)

    def at(self, x: float, y: float) -> Point:
        """Where a value lies on the sheet."""
        left, top, width, height = self._box
        across = (x - self._x[0]) / (self._x[1] - self._x[0])
        up = (y - self._y[0]) / (self._y[1] - self._y[0])
        return left + width * across, top + height * (1 - up)

    def curve(
        self, xs: Iterable[float], ys: Iterable[float], colour: str, width: float = 1.8, dash: str = ""
    ) -> None:
        """A line through values."""
        self._sheet.path([self.at(x, y) for x, y in zip(xs, ys, strict=True)], colour, width, dash)

    def ticks(self, xs: Iterable[tuple[float, str]], ys: Iterable[tuple[float, str]]) -> None:
        """Labels at values of both axes."""
        left, top, _, height = self._box
        for value, label in xs:
            x, _ = self.at(value, self._y[0])
            self._sheet.line((x, top + height), (x, top + height + 4), SOFT, 1)
            self._sheet.text((x, top + height + 17), label, 11, SOFT, "middle")
        for value, label in ys:
            _, y = self.at(self._x[0], value)
            self._sheet.line((left - 4, y), (left, y), SOFT, 1)
            self._sheet.text((left - 7, y + 4), label, 11, SOFT, "end")


def _dash(pattern: str) -> str:
    return f' stroke-dasharray="{pattern}"' if pattern else ""

"""An overview of many recordings: one row each, the least usable first, with links to their reports."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from mien.report.document import document
from mien.report.face_rows import faces_in, runs
from mien.report.html import Html, element, join
from mien.report.options import ReportOptions
from mien.report.quality import Quality, quality_of
from mien.report.report_page import SIGNS, clock, number, percent, strip
from mien.results.files import whole_file
from mien.results.video_result import VideoResult

_STRIP_SPANS = 300
_HEADS = ("recording", "quality", "usable", "confidence", "turned", "length", "faces", "lost stretches")


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewRow:
    """One recording.

    Attributes
    ----------
    name
        What it is called.
    report
        Its report, where there is one.
    quality
        Of the face that can be used most; None where there is no row.
    faces
        Number of faces.
    in_seconds
        Whether lengths are in seconds, or in frames.
    strip
        Lost stretches as a picture.
    known
        What is known of the recording besides, such as person and condition.
    failure
        Why there is no report.
    """

    name: str
    report: Path | None = None
    quality: Quality | None = None
    faces: int = 0
    in_seconds: bool = True
    strip: Html | None = None
    known: Mapping[str, str] = field(default_factory=dict)
    failure: str = ""

    @property
    def order(self) -> tuple[float, str]:
        """What failed first, then the least usable."""
        if self.quality is None or not self.quality.rows:
            return (-2.0 if self.failure else -1.0), self.name
        return self.quality.usable_share, self.name


def overview_row(
    name: str,
    result: VideoResult,
    report: Path,
    options: ReportOptions,
    known: Mapping[str, str] | None = None,
) -> OverviewRow:
    """The row of a recording whose report was written.

    Parameters
    ----------
    name, result, report
        What it is called, what was measured, and where its report is.
    options
        With which its report was made.
    known
        What is known of it besides.
    """
    faces = faces_in(result, options.min_confidence)
    if not faces:
        return OverviewRow(name=name, report=report, known=known or {})
    face = faces[0]
    shown = runs(~face.usable, face.x)[:_STRIP_SPANS] if face.unit != "face" else []
    return OverviewRow(
        name=name,
        report=report,
        quality=quality_of(face, options.turned_deg),
        faces=len(faces),
        in_seconds=face.unit == "s",
        strip=strip(face, shown),
        known=known or {},
    )


def write_overview(
    rows: Sequence[OverviewRow], path: str | Path, *, title: str = "Overview", turned_deg: float = 30.0
) -> None:
    """Write an overview: one HTML file without any script, which links to the reports.

    Parameters
    ----------
    rows
        The recordings; the least usable come first, before them those that failed.
    path
        The overview; links are relative to its folder.
    title
        Headline.
    turned_deg
        From which angle a head counted as turned too far.

    Raises
    ------
    OutputError
        It can't be written there.
    """
    path = Path(path)
    with whole_file(path) as file:
        file.write(overview_text(rows, path.parent, title, turned_deg).encode("utf-8"))


def overview_text(rows: Sequence[OverviewRow], folder: Path, title: str, turned_deg: float) -> str:
    """The overview as text; ``folder`` is what links are relative to."""
    ordered = sorted(rows, key=lambda row: row.order)
    columns = list(dict.fromkeys(name for row in ordered for name in row.known))
    heads = (_HEADS[0], *columns, *_HEADS[1:])
    table = element(
        "table",
        element("caption", "One row for each recording; of several faces, the one with most usable rows."),
        element("thead", element("tr", *(element("th", head, scope="col") for head in heads))),
        element("tbody", *(_row(row, columns, folder) for row in ordered)),
    )
    failed = sum(bool(row.failure) for row in rows)
    words = f"{len(rows)} recordings{f', {failed} failed' if failed else ''}. The least usable come first."
    turned = (
        f"Turned: share of usable rows with the head turned by {turned_deg:g}° or more, up, down or aside."
    )
    body = join(
        element("header", element("h1", title), element("p", words, _class="what")),
        element(
            "main",
            element("div", table, _class="wide", tabindex="0", role="region", aria_label="Recordings"),
            element("p", turned, _class="rule"),
        ),
        element("footer", element("p", "A report of mien. It needs nothing but the files that it links to.")),
    )
    return document(title, body)


def _row(row: OverviewRow, columns: Sequence[str], folder: Path) -> Html:
    name: Html | str = row.name
    if row.report is not None:
        name = element("a", row.name, href=link(row.report, folder))
    known = [element("td", row.known.get(column, ""), _class="text") for column in columns]
    cells = list(_cells(row)) if not row.failure else [_failed(row)]
    return element("tr", element("th", name, scope="row"), *known, *cells)


def _failed(row: OverviewRow) -> Html:
    return element(
        "td",
        element("span", "✘ failed: ", _class="failed"),
        row.failure,
        _class="text",
        colspan=len(_HEADS) - 1,
    )


def _cells(row: OverviewRow) -> Iterator[Html]:
    quality = row.quality
    if quality is None:
        yield element("td", f"{SIGNS['no face']} no face", _class="text no-face", colspan=len(_HEADS) - 1)
        return
    verdict = quality.verdict
    yield element("td", f"{SIGNS[verdict]} {verdict}", _class=f"text {verdict.replace(' ', '-')}")
    yield element("td", percent(quality.usable_share))
    yield element("td", number(quality.mean_confidence))
    yield element("td", percent(quality.turned_share))
    yield element("td", clock(quality.length) if row.in_seconds else f"{quality.rows} rows")
    yield element("td", str(row.faces))
    yield element("td", row.strip, _class="text")


def link(report: Path, folder: Path) -> str:
    """Where a report is, seen from a folder, as an address in a page."""
    try:
        parts = Path(os.path.relpath(report.absolute(), folder.absolute())).parts
    except ValueError:  # another drive of Windows
        return report.absolute().as_uri()
    return "./" + "/".join(quote(part.encode("utf-8", "surrogateescape"), safe="") for part in parts)

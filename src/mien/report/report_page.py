"""The report of one recording as a document: all that is read, and what the script draws."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from mien.report.courses import courses_of, encode, unit_label
from mien.report.document import document
from mien.report.face_rows import Face, Span, faces_in, is_of_pictures
from mien.report.html import Html, element, join
from mien.report.marks import EventLike, strongest
from mien.report.options import ReportOptions
from mien.report.payload import Payload
from mien.report.peaks import Peak
from mien.report.provenance_words import notes, words
from mien.report.quality import Quality, quality_of
from mien.results.summary import ResultSummary, UnitSummary, summarise
from mien.results.table import readable
from mien.results.video_result import VideoResult

MOST_ROWS = 108_000
"""Rows that are drawn one by one, of all faces together: an hour at 30 frames/s."""
_FEWEST_POINTS = 2000
_DRAWN_FACES, _LISTED_SPANS, _STRIP_SPANS = 16, 12, 5000
_MISSING = "–"
SIGNS = {"good": "✔", "fair": "◐", "poor": "✘", "no face": "✘"}
_SHORT_MINUTE_S = 120


@dataclass(frozen=True, slots=True)
class AddedTable:
    """A table that a page shows besides its own.

    Attributes
    ----------
    heading
        Section in which it stands, with others of the same heading.
    caption, heads
        Its caption and the names of its columns.
    rows
        Cells: words, or numbers, of which two decimals are shown.
    note
        A sentence under the section's headline.
    """

    heading: str
    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str | float]]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a report is made from.

    Attributes
    ----------
    title
        Headline.
    result
        Of the whole recording.
    peaks, pictures
        Moments, and a picture ("data:…") of each or None.
    why_no_pictures
        A sentence, where there are none although they were wanted.
    events
        Of all faces.
    options
        How the report is made.
    tables
        Shown besides, after the summary.
    """

    title: str
    result: VideoResult
    peaks: Sequence[Peak]
    pictures: Sequence[str | None]
    why_no_pictures: str
    events: Sequence[EventLike]
    options: ReportOptions
    tables: Sequence[AddedTable] = ()


def page(contents: Contents) -> str:
    """The document."""
    result, options = contents.result, contents.options
    faces = faces_in(result, options.min_confidence)
    quality = [quality_of(face, options.turned_deg) for face in faces]
    body = join(
        element("a", "Skip to the time courses", href="#courses", _class="skip"),
        element("header", element("h1", contents.title), _what(result, faces)),
        element(
            "main",
            _quality_section(result, faces, quality, options),
            _course_section(faces),
            _moment_section(contents),
            _summary_section(faces, contents.events, options),
            *_added_sections(contents.tables),
            _how_section(result),
        ),
        element(
            "footer",
            element("p", "A report of mien. Everything is in this file; it asks no server for anything."),
        ),
    )
    payload = Payload()
    data = _data(faces, contents, payload)
    return document(f"{contents.title} – report", body, data=data, columns=payload.text())


def _data(faces: Sequence[Face], contents: Contents, payload: Payload) -> dict[str, Any]:
    drawn = faces[:_DRAWN_FACES]
    rows = sum(map(len, drawn)) or 1
    events = strongest(contents.events)
    described = []
    for face in drawn:
        share = max(_FEWEST_POINTS, round(MOST_ROWS * len(face) / rows))
        own = [event for event in events if event.face_id == face.face_id]
        courses = courses_of(face, contents.options.turned_deg)
        # a few rows more than the limit are no reason to bundle all
        most = share if rows > MOST_ROWS else 2 * len(face) + 2
        described.append({"label": face_label(face), **encode(face, courses, own, payload, most)})
    return {"faces": described, "columns": payload.described()}


def face_label(face: Face) -> str:
    """What a face is called."""
    return "all faces" if face.unit == "face" else f"face {face.face_id}"


def _what(result: VideoResult, faces: Sequence[Face]) -> Html:
    """One line: size, length, models."""
    source = result.source
    pieces = []
    if source is not None and source.width:
        pieces.append(f"{source.width} × {source.height} px")
    if source is not None and source.fps > 0 and not is_of_pictures(result):
        pieces.append(f"{source.fps:.4g} frames/s")
    pieces.append(f"{len(result)} rows")
    if len(faces) > 1:
        pieces.append(f"{len(faces)} faces")
    timed = [face for face in faces if face.unit == "s"]
    if timed:
        begin, end = min(face.x[0] for face in timed), max(face.x[-1] for face in timed)
        pieces.append(f"{clock(begin, end)} to {clock(end)}")
    models = result.provenance.get("models")
    if isinstance(models, dict) and models.get("pack"):
        pieces.append(f"models {models['pack']}")
    return element("p", " · ".join(pieces), _class="what")


def _quality_section(
    result: VideoResult, faces: Sequence[Face], quality: Sequence[Quality], options: ReportOptions
) -> Html:
    remarks = [element("li", note) for note in notes(result)]
    parts: list[Html] = []
    if not faces:
        parts.append(element("p", f"{SIGNS['no face']} No face: the table has no row.", _class="verdict"))
    for face, each in list(zip(faces, quality, strict=True))[:_DRAWN_FACES]:
        if len(faces) > 1:
            parts.append(element("h3", face_label(face).capitalize()))
        parts += _one_quality(face, each, options)
    if len(faces) > _DRAWN_FACES:
        parts.append(
            element("p", f"{len(faces) - _DRAWN_FACES} more faces, with fewer usable rows, are not shown.")
        )
    rule = (
        "A row counts as usable where tracking succeeded with a confidence of at least "
        f"{options.min_confidence:g}. Only usable rows are drawn and summed up below."
    )
    return element(
        "section",
        element("h2", "Quality", id="quality"),
        *parts,
        element("ul", *remarks, _class="notes") if remarks else None,
        element("p", rule, _class="rule"),
        aria_labelledby="quality",
    )


def _one_quality(face: Face, quality: Quality, options: ReportOptions) -> Iterator[Html]:
    verdict = quality.verdict
    words_of = {
        "good": "Good: nearly all rows can be used.",
        "fair": "Fair: a part of the rows can't be used.",
        "poor": "Poor: much of the recording can't be used; look at why before using its numbers.",
        "no face": "No usable face.",
    }
    said = words_of[verdict]
    if verdict == "fair" and quality.mostly_turned:
        said = "Fair: the head is turned far in much of it, where action units are less certain."
    yield element("p", f"{SIGNS[verdict]} {said}", _class=f"verdict {verdict.replace(' ', '-')}")
    figures = [
        ("Usable rows", f"{percent(quality.usable_share)} ({quality.usable} of {quality.rows})"),
        ("Tracking succeeded", percent(quality.success_share)),
        ("Mean confidence", number(quality.mean_confidence)),
        (
            f"Head turned by {options.turned_deg:g}° or more",
            f"{percent(quality.turned_share)} of usable rows",
        ),
    ]
    if face.unit != "face":
        figures.append(("Lost stretches", _lost_words(face, quality)))
    yield element(
        "dl",
        *(element("div", element("dt", name), element("dd", value)) for name, value in figures),
        _class="figures",
    )
    if quality.lost and face.unit != "face":
        yield _strip(face, quality)
        yield _lost_table(face, quality)


def _lost_words(face: Face, quality: Quality) -> str:
    if not quality.lost:
        return "none"
    longest = max(end - begin for begin, end in quality.lost)
    unit = "s" if face.unit == "s" else "frames"
    return f"{len(quality.lost)}, the longest {longest:.3g} {unit}"


def strip(face: Face, spans: Sequence[Span]) -> Html:
    """The whole recording as a bar, with these stretches dark: seen without any script, and on paper."""
    if face.unit == "face":
        return Html("")
    begin, extent = float(face.x[0]), float(face.x[-1] - face.x[0]) or 1.0
    scale = 1000 / extent
    bars = "".join(
        f'<rect x="{scale * (a - begin):.1f}" width="{max(scale * (b - a), 1.5):.1f}" height="14"/>'
        for a, b in spans[:_STRIP_SPANS]
    )
    return Html(f'<svg viewBox="0 0 1000 14" preserveAspectRatio="none" aria-hidden="true">{bars}</svg>')


def _strip(face: Face, quality: Quality) -> Html:
    words_of = f"From {_at(face, float(face.x[0]))} to {_at(face, float(face.x[-1]))}; dark: no usable row."
    return element("figure", strip(face, quality.lost), element("figcaption", words_of), _class="strip")


def _lost_table(face: Face, quality: Quality) -> Html:
    longest = sorted(quality.lost, key=lambda span: span[0] - span[1])[:_LISTED_SPANS]
    rows = [
        element("tr", element("td", _at(face, a)), element("td", _at(face, b)), element("td", f"{b - a:.3g}"))
        for a, b in sorted(longest)
    ]
    shown = (
        f"the {len(longest)} longest of {len(quality.lost)}" if len(quality.lost) > len(longest) else "all"
    )
    heads = ("from", "to", f"length, {'s' if face.unit == 's' else 'frames'}")
    return element(
        "details",
        element("summary", f"Lost stretches ({shown})"),
        _table(heads, rows, f"Stretches without a usable row, {shown}"),
    )


def _course_section(faces: Sequence[Face]) -> Html | None:
    if not faces:
        return None
    heading = "Face by face" if faces[0].unit == "face" else "Time courses"
    return element(
        "section",
        element("h2", heading, id="courses", tabindex="-1"),
        element(
            "noscript",
            element(
                "p", "Time courses are drawn by a script in this file, which is not allowed to run here."
            ),
        ),
        element("div", id="charts"),
        aria_labelledby="courses",
    )


def _moment_section(contents: Contents) -> Html | None:
    if contents.options.pictures == "none" or not contents.peaks:
        return None
    figures = [
        _moment(peak, picture, contents)
        for peak, picture in zip(contents.peaks, contents.pictures, strict=True)
        if picture is not None
    ]
    why = contents.why_no_pictures
    of_pictures = contents.peaks[0].face.unit == "face"
    return element(
        "section",
        element(
            "h2", "Faces" if of_pictures else "Moments at which action units are strongest", id="moments"
        ),
        element("div", *figures, _class="moments") if figures else None,
        element("p", f"Without pictures of some moments: {why}." if figures else f"Without pictures: {why}.")
        if why
        else None,
        aria_labelledby="moments",
    )


def _moment(peak: Peak, picture: str, contents: Contents) -> Html:
    face, row = peak.face, peak.row
    if face.unit == "face":
        place = _name_of_picture(contents.result, int(face.result.frame[row])) or f"face {row + 1}"
    else:
        place = f"{_at(face, float(face.x[row]))}, frame {int(face.result.frame[row]) + 1}"
    if (
        face.unit != "face"
        and len(contents.peaks)
        and len({other.face.face_id for other in contents.peaks}) > 1
    ):
        place = f"{face_label(face)}, {place}"
    strong = ", ".join(f"{readable(name)} {value:.1f}" for name, value in peak.units)
    image = element(
        "img", src=picture, alt=f"Face with landmarks, {place}", width=200, height=200, loading="lazy"
    )
    moment = f"{float(face.x[row]):.4f}" if face.unit != "face" else None
    return element(
        "figure",
        image,
        element("figcaption", element("span", place), element("br"), strong),
        data_moment=moment,
        data_face=face_label(face),
    )


def _name_of_picture(result: VideoResult, frame: int) -> str:
    named = result.provenance.get("pictures")
    names = [str(name) for name in named] if isinstance(named, list | tuple) else list(result.pictures)
    return names[frame].replace("\\", "/").rsplit("/", 1)[-1] if frame < len(names) else ""


def _summary_section(
    faces: Sequence[Face], events: Sequence[EventLike], options: ReportOptions
) -> Html | None:
    parts: list[Html] = []
    for face in faces[:_DRAWN_FACES]:
        summary = summarise(face.result, min_confidence=options.min_confidence)
        own = [event for event in events if event.face_id == face.face_id]
        title = "Action units" if len(faces) == 1 else f"Action units of {face_label(face)}"
        parts.append(_summary_table(summary, own, f"{title}, over {summary.usable} usable rows"))
    return element(
        "section",
        element("h2", "Summary", id="summary"),
        *(parts or [element("p", "Nothing was measured.")]),
        aria_labelledby="summary",
    )


def _added_sections(tables: Sequence[AddedTable]) -> Iterator[Html]:
    for heading, found in groupby(tables, key=lambda table: table.heading):
        name, group = heading.lower().replace(" ", "-"), list(found)
        yield element(
            "section",
            element("h2", heading, id=name),
            element("p", group[0].note) if group[0].note else None,
            *(_table(table.heads, [_added_row(row) for row in table.rows], table.caption) for table in group),
            aria_labelledby=name,
        )


def _added_row(row: Sequence[str | float]) -> Html:
    first, *others = (cell if isinstance(cell, str) else number(cell) for cell in row)
    return element("tr", element("th", first, scope="row"), *(element("td", cell) for cell in others))


def _summary_table(summary: ResultSummary, events: Sequence[EventLike], caption: str) -> Html:
    heads = ["action unit", "mean", "SD", "95 %", "present", "rows"]
    counts = {unit.name: sum(event.name == unit.name for event in events) for unit in summary.units}
    if events:
        heads.append("events")
    rows = [_summary_row(unit, counts if events else None) for unit in summary.units if _measured(unit)]
    if not rows:
        return element("p", f"{caption}: no action unit was measured.")
    return _table(heads, rows, caption)


def _measured(unit: UnitSummary) -> bool:
    return bool(unit.frames) or not math.isnan(unit.present)


def _summary_row(unit: UnitSummary, counts: dict[str, int] | None) -> Html:
    cells = [number(unit.mean), number(unit.sd), number(unit.p95), percent(unit.present), str(unit.frames)]
    if counts is not None:
        cells.append(str(counts[unit.name]))
    return element(
        "tr", element("th", unit_label(unit.name), scope="row"), *(element("td", cell) for cell in cells)
    )


def _how_section(result: VideoResult) -> Html:
    return element(
        "section",
        element("h2", "How it was made", id="how"),
        *(element("p", sentence) for sentence in words(result)),
        aria_labelledby="how",
    )


def _table(heads: Sequence[str], rows: Sequence[Html], caption: str) -> Html:
    head = element("thead", element("tr", *(element("th", name, scope="col") for name in heads)))
    table = element("table", element("caption", caption), head, element("tbody", *rows))
    return element("div", table, _class="wide", tabindex="0", role="region", aria_label=caption)


def _at(face: Face, x: float) -> str:
    return clock(x, float(face.x[-1])) if face.unit == "s" else f"frame {x:.0f}"


def clock(seconds: float, longest: float | None = None) -> str:
    """A time as people read it: "12.34 s", or "14:05.2" where times up to ``longest`` are longer."""
    if abs(seconds if longest is None else longest) < _SHORT_MINUTE_S:
        return f"{seconds:.2f} s"
    whole, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(whole), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"


def number(value: float) -> str:
    """Two decimals; a dash where it is not known."""
    return f"{value:.2f}" if math.isfinite(value) else _MISSING


def percent(share: float) -> str:
    """A share, 0 to 1, in per cent; a dash where it is not known."""
    return f"{100 * share:.1f} %" if math.isfinite(share) else _MISSING

"""Results as a notebook shows them: what was analysed, how well it went, what the action units did."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from html import escape
from typing import TYPE_CHECKING, Any

from mien.results.summary import ResultSummary, summarise, summarise_faces

if TYPE_CHECKING:
    from mien.results.video_result import VideoResult

_FACES = 6
"""Identities that get a table of their own."""
_HEAD = ("action unit", "mean", "SD", "95 %", "present", "frames")
_MISSING = "–"


def to_html(result: VideoResult) -> str:
    """A result as a piece of HTML without scripts; every text in it is escaped."""
    whole = summarise(result)
    parts = [f"<p>{sentence(_what(result, whole))}<br>{sentence(_quality(result, whole))}</p>"]
    parts += [f"<p>{_text(note)}</p>" for note in _notes(result)]
    parts += [_table(title, summary) for title, summary in _summaries(result, whole)]
    return f'<div class="mien-result">{"".join(parts)}</div>'


def _text(value: object) -> str:
    """Text as HTML; bytes of file names that are no text must not stop a notebook."""
    return escape(str(value).encode("utf-8", "backslashreplace").decode())


def sentence(pieces: Iterable[str]) -> str:
    """Pieces of a sentence as HTML."""
    return " · ".join(map(_text, pieces))


def _what(result: VideoResult, whole: ResultSummary) -> Iterator[str]:
    source = result.source
    if source is not None:
        yield source.name
        yield f"{source.width} × {source.height} px"
        if source.fps > 0:
            yield f"{source.fps:.4g} frames/s"
    yield f"{whole.rows} rows"
    if whole.end_s > whole.begin_s:
        yield f"{whole.begin_s:.2f} to {whole.end_s:.2f} s"
    models = result.provenance.get("models")
    if isinstance(models, dict):
        known = [str(models[key]) for key in ("pack", "landmarks") if models.get(key)]
        if known:
            yield f"models {', '.join(known)}"


def _quality(result: VideoResult, whole: ResultSummary) -> Iterator[str]:
    if not whole.rows:
        yield "no face"
        return
    yield f"success in {_percent(whole.success_rate)} of rows"
    yield f"mean confidence {number(whole.mean_confidence)}"
    yield f"{whole.usable} rows ({_percent(whole.usable_share)}) count below"
    if whole.units:
        yield f"action units {'post-processed' if result.au_post_processed else 'live or static'}"
    if whole.units and result.about_openfaces_scale:
        yield "their scale is only about OpenFace's"


def _notes(result: VideoResult) -> list[str]:
    """What a reader should know: of the source, or from the provenance where it does not say."""
    own = list(result.source.notes) if result.source is not None else []
    made: Any = result.provenance
    analysed = made.get("analysed")
    lost = analysed.get("lost") if isinstance(analysed, dict) else None
    found = [*own, *map(str, made.get("notes") or ())]
    if lost:
        found.append(f"Not all could be read: {lost}")
    return list(dict.fromkeys(found))


def _summaries(result: VideoResult, whole: ResultSummary) -> list[tuple[str, ResultSummary]]:
    """One table, or one for each person; faces of pictures are no persons."""
    if result.pictures or "pictures" in result.provenance:
        return [("", whole)]
    faces = summarise_faces(result)
    if not 1 < len(faces) <= _FACES:
        return [(f"{len(faces)} faces together" if len(faces) > 1 else "", whole)]
    return [(f"face {face_id}", summary) for face_id, summary in faces.items()]


def _table(title: str, summary: ResultSummary) -> str:
    rows = [
        (
            unit.name,
            number(unit.mean),
            number(unit.sd),
            number(unit.p95),
            _percent(unit.present),
            unit.frames,
        )
        for unit in summary.units
        if unit.frames or not math.isnan(unit.present)
    ]
    if not rows:
        return f"<p>{_text(title)}: no action unit was measured</p>" if title else ""
    return table(_HEAD, rows, f"{title}, {summary.usable} rows" if title else "")


def table(head: Iterable[str], rows: Iterable[Iterable[object]], title: str = "") -> str:
    """A table as HTML; every text in it is escaped."""
    caption = f"<caption>{_text(title)}</caption>" if title else ""
    heads = "".join(f"<th>{_text(name)}</th>" for name in head)
    body = "".join(f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def number(value: float) -> str:
    """A number as a cell; a dash for one that was not measured."""
    return _MISSING if math.isnan(value) else f"{value:.2f}"


def _percent(share: float) -> str:
    return _MISSING if math.isnan(share) else f"{100 * share:.1f} %"

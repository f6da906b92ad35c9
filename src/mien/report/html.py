"""HTML that is escaped by construction: text becomes HTML in one place only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from mien.results.table import readable

_VOID = frozenset(("br", "col", "img", "input", "link", "meta"))


class Html(str):
    """Text that is HTML already; everything else is escaped where it enters a page."""

    __slots__ = ()


Content = Html | str | float | int | None | Iterable["Content"]
"""What an element may hold; None is nothing."""


def text(value: object) -> Html:
    """A text as HTML; control codes and bytes that are no text are shown as escapes."""
    return Html(escape(readable(str(value)), quote=True))


def element(name: str, /, *content: Content, **attributes: str | int | bool | None) -> Html:
    """One element.

    Parameters
    ----------
    name
        "p", "table" and so on.
    *content
        Escaped, unless it is `Html`.
    **attributes
        Values are escaped; a leading underscore of a name is dropped (``_class``), others become hyphens
        (``aria_label``). True is an attribute without a value; False and None leave it out.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(*content)}</{name}>")


def join(*content: Content) -> Html:
    """Content one after the other."""
    return Html("".join(_pieces(content)))


def _attribute(key: str, value: str | int | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.removeprefix("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{text(value)}"'


def _pieces(content: Iterable[Content]) -> Iterator[str]:
    for part in content:
        if part is None:
            continue
        if isinstance(part, Html):
            yield part
        elif isinstance(part, str | int | float):
            yield text(part)
        else:
            yield from _pieces(part)

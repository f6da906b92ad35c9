"""A whole HTML document in one file: what may run or be loaded in it is said in its first lines."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from importlib.resources import files
from typing import Any

from mien.report.html import Html, element, join
from mien.report.payload import json_for_script
from mien.runtime.versions import version_of

DATA_ID = "mien-data"
BYTES_ID = "mien-bytes"


def document(title: str, body: Html, *, data: dict[str, Any] | None = None, columns: str = "") -> str:
    """A document that needs nothing but itself.

    Its policy (Content-Security-Policy) allows the one script and the one style sheet that mien wrote, by
    their hashes, and pictures within the document; nothing else runs or is loaded, whatever names and values
    of a table hold.

    Parameters
    ----------
    title
        Of the window.
    body
        What is shown without any script.
    data, columns
        What the script draws: a JSON value, and columns in base64; without them no script is put in.
    """
    style = _style()
    script = _script() if data is not None else ""
    allowed = [
        "default-src 'none'",
        f"style-src '{_hash(style)}'",
        "img-src data:",
        f"script-src '{_hash(script)}'" if script else "script-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    head = join(
        element("meta", charset="utf-8"),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{"; ".join(allowed)}">'),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="generator", content=f"mien {version_of('mien')}"),
        element("title", title),
        Html(f"<style>{style}</style>"),
    )
    scripts = ""
    if data is not None:
        scripts = (
            f'<script type="application/json" id="{DATA_ID}">{json_for_script(data)}</script>\n'
            f'<script type="text/plain" id="{BYTES_ID}">{columns}</script>\n'
            f"<script>{script}</script>\n"
        )
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>{head}</head>\n<body>\n{body}\n{scripts}</body>\n</html>\n'
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


@lru_cache(maxsize=1)
def _style() -> str:
    return f"{_asset('uPlot.min.css')}\n{_asset('palette.css')}\n{_asset('report.css')}"


@lru_cache(maxsize=1)
def _script() -> str:
    return f"{_asset('uPlot.iife.min.js')}\n{_asset('colours.js')}\n{_asset('report.js')}"


def _asset(name: str) -> str:
    return (files("mien.report") / "assets" / name).read_text(encoding="utf-8")

"""What the live page's server answers: the page's own files, with a policy that allows no others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import formatdate
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from websockets.http11 import Response

_PART_BYTES = 4 * 2**20
"""Files are given in parts of this size, so that no table has to be in memory."""
_ASSETS = {
    "live.css": ("mien.live", "text/css"),
    "live.js": ("mien.live", "text/javascript"),
    "palette.css": ("mien.report", "text/css"),
    "colours.js": ("mien.report", "text/javascript"),
    "uPlot.min.css": ("mien.report", "text/css"),
    "uPlot.iife.min.js": ("mien.report", "text/javascript"),
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PLAIN_HOST = re.compile(r"[a-z0-9.-]+(:[0-9]+)?", re.IGNORECASE | re.ASCII)
_SAFE = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Connection": "close",
}
"""Headers of every answer."""


def answer(
    status: HTTPStatus,
    body: bytes | str,
    kind: str = "text/plain",
    more: Mapping[str, str] | None = None,
) -> Response:
    """An answer, with headers that let a browser do nothing else with it.

    Parameters
    ----------
    status, body, kind
        What is said; ``kind`` is the media type.
    more
        Further headers.
    """
    from websockets.datastructures import Headers
    from websockets.http11 import Response

    data = body.encode() if isinstance(body, str) else body
    headers = Headers(
        {
            "Date": formatdate(usegmt=True),
            "Content-Type": f"{kind}; charset=utf-8",
            "Content-Length": str(len(data)),
            **_SAFE,
            **(more or {}),
        }
    )
    return Response(status.value, status.phrase, headers, data)


def front(host: str) -> Response:
    """The page itself; what it shows comes later, by WebSocket from the same host."""
    policy = _POLICY
    if _PLAIN_HOST.fullmatch(host):
        # not all browsers take 'self' for WebSockets too
        policy = policy.replace("connect-src 'self'", f"connect-src 'self' ws://{host} wss://{host}")
    more = {"Content-Security-Policy": policy}
    return answer(HTTPStatus.OK, _read("mien.live", "live.html"), "text/html", more)


def asset(name: str) -> Response | None:
    """A style sheet or script of the page; None where there is none of that name."""
    if name not in _ASSETS:
        return None
    package, kind = _ASSETS[name]
    return answer(HTTPStatus.OK, _read(package, name), kind)


def part_of(path: Path | None, query: str) -> Response:
    """A part of a file, which ``part`` in the query counts from 0; a header says how many there are."""
    try:
        number = int(parse_qs(query).get("part", ["0"])[0])
        if path is None or number < 0:
            raise ValueError
        with path.open("rb") as opened:
            opened.seek(number * _PART_BYTES)
            data = opened.read(_PART_BYTES)
        parts = max(1, -(-path.stat().st_size // _PART_BYTES))
    except (ValueError, OSError, OverflowError):
        return answer(HTTPStatus.NOT_FOUND, "there is no such file, or no such part of it\n")
    kind = "text/csv" if path.suffix == ".csv" else "application/json"
    return answer(HTTPStatus.OK, data, kind, {"Mien-Parts": str(parts)})


@cache
def _read(package: str, name: str) -> bytes:
    return (files(package) / "assets" / name).read_bytes()

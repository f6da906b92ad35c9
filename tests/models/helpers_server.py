"""A file server on 127.0.0.1 that misbehaves as it is told, and a small store to be filled from it."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from mien.models.hashes import HashMemory
from mien.models.store import ModelStore


@dataclass
class Behaviour:
    """How a path answers.

    ``break_after``: bytes after which each of the first ``breaks`` answers is cut off.
    """

    data: bytes
    status: int = 200
    ranges: bool = True
    break_after: int | None = None
    breaks: int = 1
    chunked: bool = False
    wrong_range: bool = False
    redirect: str | None = None
    no_such_range: bool = False


@dataclass
class Server:
    """What the server gives, and what it was asked."""

    address: str
    paths: dict[str, Behaviour] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)

    def asked(self, path: str) -> list[str | None]:
        """The Range headers of all requests for a path."""
        return [header for asked, header in self.requests if asked == path]


class _Handler(BaseHTTPRequestHandler):
    state: Server

    def do_GET(self):
        header = self.headers.get("Range")
        path = self.path.lstrip("/")
        self.state.requests.append((path, header))
        behaviour = self.state.paths.get(path, Behaviour(b"<html>not found</html>", status=404))
        if behaviour.redirect is not None:
            self.wfile.write(
                f"HTTP/1.1 302 Found\r\nLocation: {behaviour.redirect}\r\n\r\n".encode("latin-1")
            )
            self.close_connection = True
            return
        if header and behaviour.no_such_range:
            self.send_error(416)
            return
        start = int(header.split("=")[1].rstrip("-")) if header and behaviour.ranges else 0
        partial = start > 0 and behaviour.status == 200
        body = behaviour.data[start:]
        self.send_response(206 if partial else behaviour.status)
        if partial:
            first = start + 1 if behaviour.wrong_range else start
            self.send_header(
                "Content-Range", f"bytes {first}-{len(behaviour.data) - 1}/{len(behaviour.data)}"
            )
        self.send_header("Content-Type", "text/html" if body.startswith(b"<html") else "application/x")
        if not behaviour.chunked:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if behaviour.break_after is not None and behaviour.breaks > 0:
            behaviour.breaks -= 1
            body = body[: behaviour.break_after]
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_):
        pass


@contextmanager
def serve() -> Iterator[Server]:
    state = Server("")
    handler = type("Handler", (_Handler,), {"state": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    state.address = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


def write_manifest(folder: Path, files: dict[str, tuple[bytes, str]], addresses: list[str]) -> None:
    """A manifest of files, path to content and group, below each of some addresses."""
    rows = ["# version 2.2.0", *(f"# base {address}" for address in addresses)]
    rows.append("path\tsize\tsha256\tgroup\taddresses")
    for path, (data, group) in files.items():
        digest = hashlib.sha256(data).hexdigest()
        rows.append(f"{path}\t{len(data)}\t{digest}\t{group}\t{path if addresses else ''}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.tsv").write_text("\n".join(rows) + "\n")


def make_store(root: Path, files: dict[str, tuple[bytes, str]], addresses: list[str]) -> ModelStore:
    write_manifest(root / "openface-2.2.0", files, addresses)
    return ModelStore(root, HashMemory(root / "sums.json"))

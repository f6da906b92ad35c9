"""Lines to whoever connects: a WebSocket server. Needs the package websockets, extra "server"."""

from __future__ import annotations

import threading
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mien.errors import OptionError, OutputError
from mien.live.mailbox import Mailbox

if TYPE_CHECKING:
    from websockets.http11 import Request, Response
    from websockets.sync.server import ServerConnection

_CLOSE_S = 1.0
"""How long the end waits for a client to take leave: one that has stalled never does."""

LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


class WebSocketSink:
    """Sends every line as one text message to all who are connected; the header comes first.

    Nobody who is slow holds the analysis up: between it and a client lies one slot, in which a later line
    replaces one that could not be sent yet. Web pages may connect if they come from this machine; programs
    always may.

    Parameters
    ----------
    port
        Port to listen on; 0 takes a free one.
    host
        Address to listen on; the default is reached from this machine only.
    header
        The first line that everybody gets.

    Attributes
    ----------
    port : int
        The port.

    Raises
    ------
    OptionError
        The package websockets is not installed.
    OutputError
        The port can't be had.
    """

    def __init__(self, port: int, *, host: str = "127.0.0.1", header: str = "") -> None:
        try:
            from websockets.sync.server import serve
        except ImportError as error:
            raise OptionError(
                "--websocket needs the package websockets; install it with: pip install 'mien[server]'"
            ) from error
        self._header = header
        self._lock = threading.Lock()
        self._clients: set[Mailbox[str]] = set()
        try:
            self._server = serve(
                self._serve_client,
                host,
                port,
                process_request=refuse_foreign_pages,
                compression=None,
                close_timeout=_CLOSE_S,
            )
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise OutputError(f"port {port} of {host} can't be had: {reason}; choose another") from error
        self.port: int = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name="mien-websocket", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Leave a line for every client."""
        with self._lock:
            for client in self._clients:
                client.put(line)

    def close(self) -> None:
        """Send what is left and end all connections."""
        with self._lock:
            clients = list(self._clients)
        for client in clients:
            client.close()
        self._server.shutdown()
        self._thread.join()

    def _serve_client(self, connection: ServerConnection) -> None:
        from websockets.exceptions import ConnectionClosed

        lines: Mailbox[str] = Mailbox()
        with self._lock:
            self._clients.add(lines)
        # Whoever leaves is noticed at once, not when the next line can't be sent.
        threading.Thread(target=_close_after, args=(connection, lines), daemon=True).start()
        try:
            connection.send(self._header.rstrip("\n"))
            for line in lines:
                connection.send(line.rstrip("\n"))
        except ConnectionClosed:
            pass
        finally:
            with self._lock:
                self._clients.discard(lines)


def _close_after(connection: ServerConnection, lines: Mailbox[str]) -> None:
    """Wait until a client leaves, in whichever way; what it says is of no account."""
    from websockets.exceptions import ConnectionClosed

    with suppress(ConnectionClosed):
        for _ in connection:
            pass
    lines.close()


def refuse_foreign_pages(connection: ServerConnection, request: Request) -> Response | None:
    """Refuse web pages of other sites, which browsers would let connect to this machine.

    Pages without a site of their own ("null": local files, but also what a site may frame) are refused too.
    """
    origin: Any = request.headers.get("Origin")
    if origin is None or urlsplit(origin).hostname in LOCAL_HOSTS:
        return None
    return connection.respond(HTTPStatus.FORBIDDEN, "only pages of this machine may connect\n")

"""Lines to whoever connects: a WebSocket server. Needs the package websockets, extra "server"."""

from __future__ import annotations

import threading
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mien.live.door import LOCAL_NAMES
from mien.live.mailbox import Mailbox
from mien.live.server import MOST_CLIENTS, TRY_LATER, ServerThread, no_room, noise, refused

if TYPE_CHECKING:
    from websockets.http11 import Request, Response
    from websockets.sync.server import ServerConnection


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
    most
        Clients at the same time; whoever comes then is refused, and told so.

    Attributes
    ----------
    port : int
        The port.

    Raises
    ------
    OptionError
        The package websockets is not installed, or ``most`` is less than 1.
    OutputError
        The port can't be had.
    """

    def __init__(
        self, port: int, *, host: str = "127.0.0.1", header: str = "", most: int = MOST_CLIENTS
    ) -> None:
        self._header = header
        self._most = most
        self._lock = threading.Lock()
        self._clients: set[Mailbox[str]] = set()
        self._server = ServerThread(self._serve_client, self._admit, host=host, port=port, most=most)
        self.port = self._server.port

    def write(self, line: str) -> None:
        """Leave a line for every client."""
        with self._lock:
            for client in self._clients:
                client.put(line)

    def close(self) -> None:
        """Send what is left and end all connections."""
        self._server.expect_end()
        with self._lock:
            clients = list(self._clients)
        for client in clients:
            client.close()
        self._server.close()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse foreign pages, and whoever finds no room."""
        with self._lock:
            full = len(self._clients) >= self._most
        if full:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, no_room(self._most))
        return refuse_foreign_pages(connection, request)

    def _serve_client(self, connection: ServerConnection) -> None:
        lines: Mailbox[str] = Mailbox()
        with self._lock:
            # Several may have been admitted to the last place at the same time.
            full = len(self._clients) >= self._most
            if not full:
                self._clients.add(lines)
        if full:
            connection.close(TRY_LATER, no_room(self._most).strip())
            return
        try:
            # Whoever leaves is noticed at once, not when the next line can't be sent.
            threading.Thread(target=_close_after, args=(connection, lines), daemon=True).start()
            connection.send(self._header.rstrip("\n"))
            for line in lines:
                connection.send(line.rstrip("\n"))
        except Exception as error:  # whatever ends a connection ends that one only
            noise.info("a client is lost: %s", error)
        finally:
            with self._lock:
                self._clients.discard(lines)


def _close_after(connection: ServerConnection, lines: Mailbox[str]) -> None:
    """Wait until a client leaves, in whichever way; what it says is of no account."""
    try:
        for _ in connection:
            pass
    except Exception as error:  # whatever ends a connection ends that one only
        noise.info("a client has left: %s", error)
    finally:
        lines.close()


def refuse_foreign_pages(connection: ServerConnection, request: Request) -> Response | None:
    """Refuse web pages of other sites, which browsers would let connect to this machine.

    Pages without a site of their own ("null": local files, but also what a site may frame) are refused too.
    """
    origin: str | None = request.headers.get("Origin")
    if origin is None or urlsplit(origin).hostname in LOCAL_NAMES:
        return None
    return refused(connection, "only pages of this machine may connect")

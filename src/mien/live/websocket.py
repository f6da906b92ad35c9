"""Lines to whoever connects: a WebSocket server. Needs the package websockets, extra "server"."""

from __future__ import annotations

import logging
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mien.errors import OptionError, OutputError
from mien.live.listening import ListeningSocket
from mien.live.mailbox import Mailbox

if TYPE_CHECKING:
    from websockets.http11 import Request, Response
    from websockets.sync.server import ServerConnection

logger = logging.getLogger(__name__)
# What clients do wrong is no news for whoever looks at the terminal.
_noise = logging.getLogger(f"{__name__}.connections")
_noise.addHandler(logging.NullHandler())

MOST_CLIENTS = 32
_CLOSE_S = 1.0
"""How long the end waits for a client to take leave: one that has stalled never does."""
_TRY_LATER = 1013
_SHAKING_HANDS = 16
"""Connections beside those of clients: such as have not said yet what they want."""

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
        try:
            from websockets.sync.server import serve
        except ImportError as error:
            raise OptionError(
                "--websocket needs the package websockets; install it with: pip install 'mien[server]'"
            ) from error
        if most < 1:
            raise OptionError(f"clients of --websocket: expected at least 1, got {most}")
        self._header = header
        self._most = most
        self._lock = threading.Lock()
        self._clients: set[Mailbox[str]] = set()
        self._closing = False
        try:
            listening = ListeningSocket(host, port, most + _SHAKING_HANDS)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise OutputError(f"port {port} of {host} can't be had: {reason}; choose another") from error
        self.port: int = listening.getsockname()[1]
        self._server = serve(
            self._serve_client,
            sock=listening,
            process_request=self._admit,
            compression=None,
            close_timeout=_CLOSE_S,
            logger=_noise,
        )
        self._thread = threading.Thread(target=self._serve, name="mien-websocket", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Leave a line for every client."""
        with self._lock:
            for client in self._clients:
                client.put(line)

    def close(self) -> None:
        """Send what is left and end all connections."""
        self._closing = True
        with self._lock:
            clients = list(self._clients)
        for client in clients:
            client.close()
        try:
            self._server.shutdown()
        except RuntimeError as error:  # a thread that could not be started cannot be waited for
            logger.debug("the WebSocket server did not end well: %s", error)
        self._thread.join()

    def _serve(self) -> None:
        try:
            self._server.serve_forever()
            reason = "its socket was closed"
        except Exception as error:  # such as no more threads
            reason = str(error)
        if not self._closing:
            logger.warning("the WebSocket server has ended, the analysis goes on: %s", reason)

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse foreign pages, and whoever finds no room."""
        with self._lock:
            full = len(self._clients) >= self._most
        if full:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, self._no_room)
        return refuse_foreign_pages(connection, request)

    @property
    def _no_room(self) -> str:
        taken = "the only place is" if self._most == 1 else f"all {self._most} places are"
        return f"{taken} taken; try again when a client has left\n"

    def _serve_client(self, connection: ServerConnection) -> None:
        lines: Mailbox[str] = Mailbox()
        with self._lock:
            # Several may have been admitted to the last place at the same time.
            full = len(self._clients) >= self._most
            if not full:
                self._clients.add(lines)
        if full:
            connection.close(_TRY_LATER, self._no_room.strip())
            return
        try:
            # Whoever leaves is noticed at once, not when the next line can't be sent.
            threading.Thread(target=_close_after, args=(connection, lines), daemon=True).start()
            connection.send(self._header.rstrip("\n"))
            for line in lines:
                connection.send(line.rstrip("\n"))
        except Exception as error:  # whatever ends a connection ends that one only
            _noise.info("a client is lost: %s", error)
        finally:
            with self._lock:
                self._clients.discard(lines)


def _close_after(connection: ServerConnection, lines: Mailbox[str]) -> None:
    """Wait until a client leaves, in whichever way; what it says is of no account."""
    try:
        for _ in connection:
            pass
    except Exception as error:  # whatever ends a connection ends that one only
        _noise.info("a client has left: %s", error)
    finally:
        lines.close()


def refuse_foreign_pages(connection: ServerConnection, request: Request) -> Response | None:
    """Refuse web pages of other sites, which browsers would let connect to this machine.

    Pages without a site of their own ("null": local files, but also what a site may frame) are refused too.
    """
    origin: Any = request.headers.get("Origin")
    if origin is None or urlsplit(origin).hostname in LOCAL_HOSTS:
        return None
    return connection.respond(HTTPStatus.FORBIDDEN, "only pages of this machine may connect\n")

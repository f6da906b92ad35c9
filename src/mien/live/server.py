"""A WebSocket server in threads of its own. Needs the package websockets, extra "server"."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from mien.errors import OptionError, OutputError
from mien.live.listening import ListeningSocket

if TYPE_CHECKING:
    from websockets.http11 import Request, Response
    from websockets.sync.server import ServerConnection

logger = logging.getLogger(__name__)
# What clients do wrong is no news for whoever looks at the terminal.
noise = logging.getLogger(f"{__name__}.connections")
noise.addHandler(logging.NullHandler())

MOST_CLIENTS = 32
TRY_LATER = 1013
"""Code with which a connection is closed that there is no room for."""
_CLOSE_S = 1.0
"""How long the end waits for a client to take leave: one that has stalled never does."""
_SHAKING_HANDS = 16
"""Connections beside those of clients: such as have not said yet what they want."""


class ServerThread:
    """Accepts connections, each served in a thread, until it is closed.

    Parameters
    ----------
    serve_client
        Serves one WebSocket connection; the connection ends when it returns.
    admit
        Answers a request in another way than with a WebSocket connection, or gives None.
    host, port
        Where it listens; port 0 takes a free one.
    most
        Clients that shall find room at the same time.
    largest
        Bytes of a message of a client; a longer one ends its connection.
    wanted_by
        The option that asks for it, for messages.

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
        self,
        serve_client: Callable[[ServerConnection], None],
        admit: Callable[[ServerConnection, Request], Response | None],
        *,
        host: str,
        port: int,
        most: int,
        largest: int = 2**20,
        wanted_by: str = "--websocket",
    ) -> None:
        try:
            from websockets.sync.server import serve

            from mien.live.connection import QuietConnection
        except ImportError as error:
            raise OptionError(
                f"{wanted_by} needs the package websockets; install it with: pip install 'mien[server]'"
            ) from error
        if most < 1:
            raise OptionError(f"clients of {wanted_by}: expected at least 1, got {most}")
        self._closing = False
        try:
            listening = ListeningSocket(host, port, most + _SHAKING_HANDS)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise OutputError(f"port {port} of {host} can't be had: {reason}; choose another") from error
        self.port: int = listening.getsockname()[1]
        self._server = serve(
            serve_client,
            sock=listening,
            process_request=admit,
            create_connection=QuietConnection,
            compression=None,
            close_timeout=_CLOSE_S,
            max_size=largest,
            logger=noise,
        )
        self.thread = threading.Thread(target=self._serve, name="mien-server", daemon=True)
        self.thread.start()

    def close(self) -> None:
        """End all connections, and wait for their threads."""
        self._closing = True
        try:
            self._server.shutdown()
        except RuntimeError as error:  # a thread that could not be started cannot be waited for
            logger.debug("the WebSocket server did not end well: %s", error)
        self.thread.join()

    def expect_end(self) -> None:
        """It is no news any more when the server ends."""
        self._closing = True

    def _serve(self) -> None:
        try:
            self._server.serve_forever()
            reason = "its socket was closed"
        except Exception as error:  # such as no more threads
            reason = str(error)
        if not self._closing:
            logger.warning("the WebSocket server has ended, the analysis goes on: %s", reason)


def no_room(most: int) -> str:
    """What somebody is told who finds all places taken."""
    taken = "the only place is" if most == 1 else f"all {most} places are"
    return f"{taken} taken; try again when a client has left\n"


def refused(connection: ServerConnection, reason: str) -> Response:
    """The answer to whoever may not come in."""
    return connection.respond(HTTPStatus.FORBIDDEN, reason + "\n")

"""The live page: a small web server for people who look on. Needs the package websockets, extra "server"."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from mien.live.answers import answer, asset, front, part_of
from mien.live.board import Board, Viewer
from mien.live.door import Door, is_loopback, new_token
from mien.live.numbers import layout
from mien.live.server import MOST_CLIENTS, TRY_LATER, ServerThread, noise

if TYPE_CHECKING:
    from websockets.http11 import Request, Response
    from websockets.sync.server import ServerConnection

_SILENT_S = 150.0
"""A viewer that says nothing for so long is taken for dead: pages speak up every ten seconds, and once a
minute where a browser has put them to sleep."""
_LARGEST_WORD = 1024
_GRACE_S = 1.0
_GOING_AWAY = 1001


class LivePage:
    """Serves the page, and shows it what is left on a board.

    Parameters
    ----------
    board
        Where results are left.
    about
        What viewers are told first, as JSON can hold it: names of source and models, and so on.
    do
        Takes the commands of viewers; see `mien.live.controls.COMMANDS`.
    file
        Gives the place of a file that viewers may have, or None.
    host, port
        Where it listens; port 0 takes a free one. Of other addresses than this machine's own, whoever wants
        to see the page needs a token, which is part of ``address``.
    most
        Viewers at the same time.
    token
        Whether a token is needed on this machine too.

    Attributes
    ----------
    port : int
        The port.
    address : str
        Where the page is, with the token.

    Raises
    ------
    OptionError
        The package websockets is not installed, or ``most`` is less than 1.
    OutputError
        The port can't be had.
    """

    def __init__(
        self,
        board: Board,
        about: Mapping[str, Any],
        *,
        do: Callable[[str], None] = lambda command: None,
        file: Callable[[str], Path | None] = lambda name: None,
        host: str = "127.0.0.1",
        port: int = 0,
        most: int = MOST_CLIENTS,
        token: bool = False,
    ) -> None:
        self._board = board
        self._hello = json.dumps({"hello": {**layout(), **about}})
        self._do = do
        self._file = file
        self._most = most
        self.door = Door(host, new_token() if token or not is_loopback(host) else None)
        self._lock = threading.Lock()
        self._connections: set[ServerConnection] = set()
        self._server = ServerThread(
            self._serve_viewer,
            self._admit,
            host=host,
            port=port,
            most=most,
            largest=_LARGEST_WORD,
            wanted_by="--page",
        )
        self.port = self._server.port
        query = "" if self.door.token is None else f"/?token={quote(self.door.token)}"
        self.address = f"http://{_reached_at(host)}:{self.port}{query}"

    def close(self) -> None:
        """Tell the viewers that it ends, and end; those who do not answer are not waited for."""
        self._server.expect_end()
        self._board.close()
        deadline_s = time.monotonic() + _GRACE_S
        while self._open() and time.monotonic() < deadline_s:
            time.sleep(0.02)
        for connection in self._open():
            _cut(connection)
        self._server.close()

    def _open(self) -> list[ServerConnection]:
        with self._lock:
            return list(self._connections)

    # --- what is asked for

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer a request; None where a viewer may connect."""
        hosts = request.headers.get_all("Host")
        parts = urlsplit(request.path)
        if not self.door.knows(hosts):
            return answer(HTTPStatus.MISDIRECTED_REQUEST, "this server is not known under that name\n")
        found = asset(parts.path.removeprefix("/assets/"))
        if found is not None:
            return found
        if not self.door.has_token(request.path):
            words = "open the whole address that mien has printed: its token is missing here\n"
            return answer(HTTPStatus.FORBIDDEN, words)
        if parts.path == "/live":
            if self.door.lets_in(request.headers.get_all("Origin"), hosts):
                return None
            return answer(HTTPStatus.FORBIDDEN, "only the page itself may connect\n")
        if parts.path == "/":
            return front(hosts[0].strip())
        if parts.path.startswith("/files/"):
            return part_of(self._file(unquote(parts.path[7:])), parts.query)
        return answer(HTTPStatus.NOT_FOUND, "there is nothing here; the page is at /\n")

    # --- viewers

    def _serve_viewer(self, connection: ServerConnection) -> None:
        viewer = self._board.enter(self._most)
        if viewer is None:
            connection.close(TRY_LATER, f"all {self._most} places are taken")
            return
        with self._lock:
            self._connections.add(connection)
        try:
            threading.Thread(target=self._listen, args=(connection, viewer), daemon=True).start()
            connection.send(self._hello)
            while (message := self._board.fetch(viewer)) is not None:
                connection.send(message)
            connection.close(_GOING_AWAY, "mien has ended")
        except Exception as error:  # whatever ends a connection ends that one only
            noise.info("a viewer is lost: %s", error)
        finally:
            self._board.leave(viewer)
            with self._lock:
                self._connections.discard(connection)

    def _listen(self, connection: ServerConnection, viewer: Viewer) -> None:
        """Hear what a viewer says until it leaves, or says nothing for long."""
        try:
            while True:
                self._heard(connection.recv(timeout=_SILENT_S), viewer)
        except TimeoutError:
            noise.info("a viewer is silent")
            _cut(connection)
        except Exception as error:  # whatever ends a connection ends that one only
            noise.info("a viewer has left: %s", error)
        finally:
            self._board.leave(viewer)

    def _heard(self, text: str | bytes, viewer: Viewer) -> None:
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            return
        if not isinstance(said, dict):
            return
        number, command = said.get("drawn"), said.get("do")
        if isinstance(number, int):
            self._board.drawn(viewer, number)
        if isinstance(command, str):
            self._do(command)


def _cut(connection: ServerConnection) -> None:
    """End a connection at once: whoever waits for it to take or give something fails."""
    with suppress(OSError):
        connection.socket.shutdown(socket.SHUT_RDWR)


def _reached_at(host: str) -> str:
    """An address that others can type for the one that is listened on."""
    if host in ("0.0.0.0", "::"):
        host = _own_address(host)
    return f"[{host}]" if ":" in host else host


def _own_address(host: str) -> str:
    """Number of this machine in its network, else its name; nothing is sent to find out."""
    family, outside = (socket.AF_INET, "192.0.2.1") if host == "0.0.0.0" else (socket.AF_INET6, "2001:db8::1")
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((outside, 9))
            return str(probe.getsockname()[0])
    except OSError:
        return socket.gethostname()

"""A listening socket that outlives what a crowd of clients does to it."""

from __future__ import annotations

import errno
import logging
import os
import socket
import sys
import time
import weakref
from typing import Any

logger = logging.getLogger(__name__)

_LOOK_S = 0.2
_PAUSE_S = 0.1
_SPARE = 16
_ENDED = (errno.EBADF, errno.EINVAL, errno.ENOTSOCK)
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\n"
    b"Content-Type: text/plain\r\nContent-Length: 28\r\n\r\ntoo many clients; try later\n"
)


class ListeningSocket(socket.socket):
    """A TCP socket whose `accept` goes on where the usual one gives up.

    Where descriptors have run out it waits until there are some again, and says so once; whoever comes while
    ``most`` connections are open is turned away at once.

    Parameters
    ----------
    host, port
        Where it listens; port 0 takes a free one.
    most
        Connections that may be open at the same time, those that are still shaking hands included.

    Raises
    ------
    OSError
        The port can't be had.
    OverflowError
        There is no such port.
    """

    def __init__(self, host: str, port: int, most: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        plain = socket.create_server((host, port), family=family)
        super().__init__(plain.family, plain.type, plain.proto, plain.detach())
        self.settimeout(_LOOK_S)
        self._most = most
        self._open: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._told = False

    def accept(self) -> tuple[socket.socket, Any]:
        """Wait for a client that there is room for.

        Raises
        ------
        OSError
            The socket has been closed.
        """
        while True:
            try:
                client, address = super().accept()
            except TimeoutError:
                continue
            except OSError as error:
                if error.errno in _ENDED or self.fileno() < 0:
                    raise
                self._exhausted(error)
                continue
            if self._has_room(client):
                self._open.add(client)
                return client, address
            _turn_away(client)

    def _has_room(self, client: socket.socket) -> bool:
        count = sum(other.fileno() >= 0 for other in list(self._open))
        try:
            # Each client takes another descriptor, perhaps later, and the analysis needs some too.
            _look_for_descriptors(client, _SPARE + count)
        except OSError as error:
            self._tell(error)
            return False
        return count < self._most

    def _exhausted(self, error: OSError) -> None:
        if error.errno in _EXHAUSTED:
            self._tell(error)
        time.sleep(_PAUSE_S)

    def _tell(self, error: OSError) -> None:
        if not self._told:
            self._told = True
            logger.warning("no more clients for now: %s", error.strerror)


def _look_for_descriptors(client: socket.socket, count: int) -> None:
    """Raise OSError where so many more could not be opened."""
    if sys.platform == "win32":  # sockets are no descriptors there, and their number is not limited
        return
    taken: list[int] = []
    try:
        for _ in range(count):
            taken.append(os.dup(client.fileno()))  # noqa: PERF401 (those taken are given back after an error)
    finally:
        for number in taken:
            os.close(number)


def _turn_away(client: socket.socket) -> None:
    """Say why, as far as that can be done without waiting for anybody."""
    with client:
        client.settimeout(0)
        try:
            client.sendall(_BUSY)
            client.shutdown(socket.SHUT_WR)
            client.recv(4096)  # what is left unread would make the system take back the answer
        except OSError:
            pass

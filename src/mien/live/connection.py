"""A WebSocket connection for which the process may have no descriptor left. Needs the package websockets."""

from __future__ import annotations

import logging

from websockets.sync.server import ServerConnection

logger = logging.getLogger(__name__)


class QuietConnection(ServerConnection):
    """Ends where nothing can be read from it, as when there is no descriptor to wait with.

    The library lets that error end its thread, and Python then writes a traceback.
    """

    def recv_events(self) -> None:
        """Read what comes, until the end."""
        try:
            super().recv_events()
        except OSError as error:
            logger.debug("a connection could not be read: %s", error)
            self.socket.close()

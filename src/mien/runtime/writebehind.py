"""Hand work to a thread that does it in order, while the caller goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Queue
from typing import Any


class WriteBehind:
    """Calls functions in a thread of its own, one after the other, at most a few behind the caller.

    An error of a function ends the work: those that wait are dropped, and the error is raised by the next
    call of `submit` or `finish`.

    Parameters
    ----------
    depth
        Calls that may wait; `submit` waits for room.
    name
        Name of the thread, for debuggers.
    """

    def __init__(self, *, depth: int = 4, name: str = "mien-write-behind") -> None:
        self._queue: Queue[Callable[[], Any] | None] = Queue(maxsize=depth)
        self._error: BaseException | None = None
        self._dropping = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, function: Callable[[], Any]) -> None:
        """Have a function called after those before it."""
        self._raise()
        self._queue.put(function)

    def finish(self) -> None:
        """Wait until everything is done; nothing may be submitted afterwards."""
        self._end()
        self._raise()

    def cancel(self) -> None:
        """Drop what waits and end after the call at hand, without raising its error."""
        self._dropping = True
        self._end()
        self._error = None

    def _end(self) -> None:
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    def _raise(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _work(self) -> None:
        while (function := self._queue.get()) is not None:
            if not self._dropping:
                try:
                    function()
                except BaseException as error:
                    self._error, self._dropping = error, True

"""One slot between a source that does not wait and a consumer that may be slow."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Holds the latest item only: a new one replaces one that nobody has taken.

    Every method may be called from any thread, and from a signal handler.
    """

    def __init__(self) -> None:
        # Its lock is re-entrant: a signal handler may close the box while its own thread waits in `take`.
        self._changed = threading.Condition()
        self._item: T | None = None
        self._full = False
        self._closed = False
        self._error: BaseException | None = None
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Items that were replaced before anybody took them, since the start or the last `forget`."""
        return self._dropped

    def forget(self) -> None:
        """Count from zero again."""
        with self._changed:
            self._dropped = 0

    def put(self, item: T) -> bool:
        """Leave an item, in place of one that is still there; False, and nothing is left, after `close`."""
        with self._changed:
            if self._closed:
                return False
            self._dropped += self._full
            self._item, self._full = item, True
            self._changed.notify()
            return True

    def close(self, error: BaseException | None = None) -> None:
        """Say that nothing more will come; the last item can still be taken, then ``error`` is raised."""
        with self._changed:
            if not self._closed:
                self._closed, self._error = True, error
            self._changed.notify_all()

    def take(self) -> T | None:
        """Wait for an item and take it; None when there will be no more."""
        with self._changed:
            while not self._full:
                if self._closed:
                    if self._error is not None:
                        raise self._error
                    return None
                self._changed.wait()
            item, self._item, self._full = self._item, None, False
            return item

    def __iter__(self) -> Iterator[T]:
        """Take items until there will be no more."""
        while (item := self.take()) is not None:
            yield item

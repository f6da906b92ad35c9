"""Run an iterator in a thread of its own, a few items ahead of whoever consumes it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from queue import Empty, Queue
from types import TracebackType
from typing import Generic, Literal, Self, TypeVar

T = TypeVar("T")

_Message = tuple[Literal["item"], T] | tuple[Literal["error"], BaseException] | tuple[Literal["end"], None]

_DRAIN_S = 0.02


class ReadAhead(Generic[T]):
    """Items of an iterable, produced by a thread and delivered in order.

    The thread works at most ``depth`` items ahead. An error raised by the iterable reaches the consumer
    after the items before it. Leaving the ``with`` block, or `close`, ends the thread between two items
    and closes the iterable there.

    Parameters
    ----------
    items
        What to iterate; only the thread touches it from now on.
    depth
        Finished items that may wait for the consumer.
    name
        Name of the thread, for debuggers.
    """

    def __init__(self, items: Iterable[T], *, depth: int = 2, name: str = "mien-read-ahead") -> None:
        self._queue: Queue[_Message[T]] = Queue(maxsize=depth)
        self._stop = threading.Event()
        self._ended = False
        # A daemon, and without a reference to this object: an iterator that was abandoned must not keep
        # the program alive.
        self._thread = threading.Thread(
            target=_produce, args=(items, self._queue, self._stop), name=name, daemon=True
        )
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        if self._ended:
            raise StopIteration
        message = self._queue.get()
        if message[0] == "item":
            return message[1]
        self._ended = True
        self._thread.join()
        if message[0] == "error":
            raise message[1]
        raise StopIteration

    def close(self) -> None:
        """End the thread and drop what it has produced; may be called more than once."""
        self._ended = True
        self._stop.set()
        while self._thread.is_alive():
            try:
                self._queue.get(timeout=_DRAIN_S)
            except Empty:
                self._thread.join(_DRAIN_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _produce(items: Iterable[T], queue: Queue[_Message[T]], stop: threading.Event) -> None:
    iterator = iter(items)
    try:
        for item in iterator:
            queue.put(("item", item))
            if stop.is_set():
                return
    except BaseException as error:
        queue.put(("error", error))
    else:
        queue.put(("end", None))
    finally:
        close = getattr(iterator, "close", None)
        if close is not None:
            close()

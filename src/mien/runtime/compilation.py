"""Watches Numba compile kernels: to say so once, and to count."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def on_compilation(tell: Callable[[], None]) -> Iterator[None]:
    """Call ``tell`` whenever a kernel begins to be compiled; one that comes from the cache does not count."""
    from numba.core import event

    class Listener(event.Listener):
        def on_start(self, _: Any) -> None:
            tell()

        def on_end(self, _: Any) -> None:
            pass

    with event.install_listener("numba:compile", Listener()):
        yield


@contextmanager
def counting_compilations() -> Iterator[Callable[[], int]]:
    """Give a function that says how many kernels were compiled within the block so far."""
    names: list[None] = []
    with on_compilation(lambda: names.append(None)):
        yield lambda: len(names)

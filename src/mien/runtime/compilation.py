"""Watches Numba compile kernels, to say so once and to count; remembers where all have been compiled."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mien.runtime.jit import LISTENERS
from mien.runtime.machine_code import folder

logger = logging.getLogger(__name__)


@contextmanager
def on_compilation(tell: Callable[[], None]) -> Iterator[None]:
    """Call ``tell`` whenever a kernel begins to be compiled; one that comes from the cache does not count."""
    LISTENERS.append(tell)
    try:
        yield
    finally:
        LISTENERS.remove(tell)


@contextmanager
def counting_compilations() -> Iterator[Callable[[], int]]:
    """Give a function that says how many kernels were compiled within the block so far."""
    names: list[None] = []
    with on_compilation(lambda: names.append(None)):
        yield lambda: len(names)


def is_warm(pack: str, landmarks: str | None) -> bool:
    """Whether the kernels of a pack and landmark model have been compiled on this machine before."""
    return _marker(pack, landmarks).exists()


def remember_warm(pack: str, landmarks: str | None) -> None:
    """Note that they have; where the folder cannot be written, nothing is noted."""
    marker = _marker(pack, landmarks)
    try:
        marker.touch()
    except OSError as error:
        logger.debug("%s cannot be written: %s", marker, error)


def _marker(pack: str, landmarks: str | None) -> Path:
    """A file beside the compiled kernels."""
    model = Path(landmarks).stem if landmarks else "default"
    return folder() / f"{pack}-{model}.warm"

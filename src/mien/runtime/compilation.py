"""Watches Numba compile kernels, to say so once and to count; remembers where all have been compiled.

Numba is imported where something is watched or asked for, not before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from mien.storage.locking import locked


@contextmanager
def on_compilation(tell: Callable[[], None]) -> Iterator[None]:
    """Call ``tell`` whenever a kernel begins to be compiled; one that comes from the cache does not count.

    A kernel counts once, whatever parts of it are compiled with it.
    """
    from numba.core.event import Event, Listener, install_listener

    class Watcher(Listener):
        """Hears of every function that Numba compiles, also of what is compiled into others."""

        depth = 0

        def on_start(self, event: Event) -> None:
            if self.depth == 0:
                tell()
            self.depth += 1

        def on_end(self, event: Event) -> None:
            self.depth -= 1

    with install_listener("numba:compile", Watcher()):
        yield


@contextmanager
def counting_compilations() -> Iterator[Callable[[], int]]:
    """Give a function that says how many kernels were compiled within the block so far."""
    names: list[None] = []
    with on_compilation(lambda: names.append(None)):
        yield lambda: len(names)


def is_warm(pack: str, landmarks: str | None) -> bool:
    """Whether the kernels of a pack and landmark model have been compiled on this machine before."""
    return (marker := _marker(pack, landmarks)) is not None and marker.exists()


def remember_warm(pack: str, landmarks: str | None) -> None:
    """Note that they have; where that cannot be, nothing is noted."""
    if (marker := _marker(pack, landmarks)) is not None:
        with suppress(OSError):
            marker.touch()


@contextmanager
def compiling_alone() -> Iterator[None]:
    """Let one process compile at a time, so that no work is done twice; without locks, all do."""
    from mien.runtime.kernel_cache import kernel_folder

    folder = kernel_folder()
    if folder is None:
        yield
        return
    with ExitStack() as held:
        with suppress(OSError):
            held.enter_context(locked(folder / ".lock"))
        yield


def _marker(pack: str, landmarks: str | None) -> Path | None:
    """A file beside the compiled kernels; None where these are not kept."""
    from mien.runtime.kernel_cache import kernel_folder

    folder = kernel_folder()
    model = Path(landmarks).stem if landmarks else "default"
    return None if folder is None else folder / f"{pack}-{model}.warm"

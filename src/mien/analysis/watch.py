"""How whoever started some work follows it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mien.packs import Pack

logger = logging.getLogger(__name__)


class Watch(Protocol):
    """Follows work that takes its time; what it is told may come from several threads."""

    def step(
        self, name: str, total: int | None, pack: Pack | None = None
    ) -> AbstractContextManager[Callable[[int], None]]:
        """Follow one step of so many frames; gives a function that is told how many more are done.

        ``pack`` are the models that are about to be used.
        """
        ...

    def note(self, text: str) -> None:
        """Take a sentence that a user may want to read."""
        ...

    def warn(self, text: str) -> None:
        """Take a sentence that a user should read."""
        ...


class Unwatched:
    """A `Watch` that ignores what it is told."""

    def step(
        self, name: str, total: int | None, pack: Pack | None = None
    ) -> AbstractContextManager[Callable[[int], None]]:
        """Follow nothing."""
        return nullcontext(lambda frames: None)

    def note(self, text: str) -> None:
        """Ignore it, but for the log."""
        logger.info("%s", text)

    def warn(self, text: str) -> None:
        """Ignore it, but for the log."""
        logger.info("%s", text)

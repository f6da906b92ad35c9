"""How whoever started some work follows it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mien.packs import Pack

logger = logging.getLogger(__name__)


class Watch:
    """Follows work that takes its time; what it is told may come from several threads.

    This one only notes in the log what others show.
    """

    def step(
        self, name: str, total: int | None, pack: Pack | None = None
    ) -> AbstractContextManager[Callable[[int], None]]:
        """Follow one step of so many frames; gives a function that is told how many more are done.

        ``pack`` are the models that are about to be used.
        """
        return nullcontext(lambda frames: None)

    def note(self, text: str) -> None:
        """Take a sentence that a user may want to read."""
        logger.info("%s", text)

    def warn(self, text: str) -> None:
        """Take a sentence that a user should read."""
        logger.info("%s", text)

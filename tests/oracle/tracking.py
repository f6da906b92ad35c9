"""Slow, obvious twin of the tracker: the numbered steps of docs/algorithms/tracker.md#one-frame.

It knows nothing of landmarks: ``attempt(kind)`` plays one detection ("continue" or "box") and says whether it
was validated, ``find`` says whether a face was found.
"""

from __future__ import annotations

from collections.abc import Callable


class Tracker:
    """State of the tracker without parameters and landmarks; ``log`` names what each frame did, in order."""

    def __init__(self, find: Callable[[], bool], attempt: Callable[[str], bool], every: int = 2) -> None:
        self.find = find
        self.attempt = attempt
        self.every = every
        self.tracking = False
        self.success = False
        self.failures = -1
        self.log: list[str] = []

    def frame(self) -> bool:
        self.log = []
        first = not self.tracking  # 1
        if self.tracking:  # 2
            self.log.append("small windows" if self.success else "large windows")
            self.success = self.attempt("continue")
            if self.success:
                self.failures = -1
            else:
                self.failures += 1
        need = False  # 3
        if not self.tracking and (self.failures + 1) % (6 * self.every) == 0:
            need = True
        if self.tracking and not self.success and self.every > 0 and self.failures % self.every == 0:
            need = True
        if need:  # 4
            self.log.append("detect")
            if self.find():
                self.tracking = True
                self.log.append("hypotheses")
                self.success = self.attempt("box")
                if not self.success and not first:
                    self.log.append("restore")
                    return False
                self.failures = -1
                return True
        if not self.tracking:  # 5
            self.failures += 1
        if self.failures > 100:  # 6
            self.tracking = False
        return self.success  # 7

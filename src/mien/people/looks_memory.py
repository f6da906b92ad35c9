"""What is remembered of one person's looks."""

from __future__ import annotations

from mien.people.looks import Looks

CAPACITY = 12
_NOTHING_NEW = 0.95


class LooksMemory:
    """A few looks of one person, as different from one another as they came."""

    def __init__(self) -> None:
        self._looks: list[Looks] = []

    def __len__(self) -> int:
        return len(self._looks)

    def likeness(self, looks: Looks) -> float:
        """Likeness to the most similar look that is remembered, 0 to 1; 0 where there is none."""
        return max((known.likeness(looks) for known in self._looks), default=0.0)

    def add(self, looks: Looks) -> None:
        """Remember a look, unless it adds nothing; the one most similar to another makes room."""
        if self.likeness(looks) >= _NOTHING_NEW:
            return
        self._looks.append(looks)
        if len(self._looks) > CAPACITY:
            self._looks.pop(self._most_redundant())

    def absorb(self, other: LooksMemory) -> None:
        """Remember what another memory holds."""
        for looks in other._looks:
            self.add(looks)

    def _most_redundant(self) -> int:
        def redundancy(index: int) -> float:
            one = self._looks[index]
            return max(one.likeness(other) for k, other in enumerate(self._looks) if k != index)

        return max(range(len(self._looks)), key=redundancy)

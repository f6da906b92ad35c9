"""Names of pictures in folders: which count, in which order, and which numbers are missing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

_NUMBER = re.compile(r"(\d+)")
_NAMED_RANGES = 4
_OF_SYSTEMS = {"thumbs.db", "desktop.ini"}


def natural_key(path: Path) -> tuple[object, ...]:
    """Sorts frame2 before frame10; what differs in zeros or case only is sorted as text."""
    words = _NUMBER.split(str(path).casefold())
    return (*((int(word), len(word)) if i % 2 else word for i, word in enumerate(words)), str(path))


def is_hidden(path: Path) -> bool:
    """Whether a file is one that systems leave in folders of pictures."""
    return path.name.startswith(".") or path.name.lower() in _OF_SYSTEMS


def missing_numbers(files: Sequence[Path]) -> str:
    """Say which numbers are missing in the names of a sequence; empty where none are, or none count.

    Numbers count where all names are alike but for one number that mostly rises by the same step.
    """
    numbers = sorted(_numbers(files))
    steps = Counter(b - a for a, b in pairwise(numbers))
    if len(numbers) < 3:
        return ""
    step, times = steps.most_common(1)[0]
    if times * 2 < len(numbers) - 1:
        return ""
    ranges = [(a + step, b - step) for a, b in pairwise(numbers) if b - a > step and (b - a) % step == 0]
    if not ranges:
        return ""
    said = [f"{first}" if first == last else f"{first}–{last}" for first, last in ranges[:_NAMED_RANGES]]
    more = f" and {len(ranges) - _NAMED_RANGES} more gaps" if len(ranges) > _NAMED_RANGES else ""
    count = sum((last - first) // step + 1 for first, last in ranges)
    if count == 1:
        return f"number {said[0]} is missing in the sequence"
    return f"numbers {', '.join(said)}{more} are missing in the sequence, {count} pictures"


def _numbers(files: Sequence[Path]) -> set[int]:
    """The number that tells the files apart; nothing where there is no such number."""
    split = [_NUMBER.split(path.stem) for path in files]
    if not split or len({(len(words), *words[::2]) for words in split}) != 1:
        return set()
    columns = list(zip(*(words[1::2] for words in split), strict=True))
    changing = [column for column in columns if len({int(word) for word in column}) > 1]
    return {int(word) for word in changing[0]} if len(changing) == 1 else set()

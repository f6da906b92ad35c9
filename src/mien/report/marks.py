"""Events that a page marks in its courses, whoever found them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from mien.errors import TableError
from mien.report.face_rows import is_of_pictures
from mien.results.video_result import VideoResult

MOST_MARKS = 20_000
"""Of more, the strongest are marked."""


class EventLike(Protocol):
    """What a mark needs of an event; `mien.study.events.Event` has it."""

    @property
    def face_id(self) -> int:
        """Whose face."""
        ...

    @property
    def name(self) -> str:
        """The action unit, such as "AU12"."""
        ...

    @property
    def onset_s(self) -> float:
        """Begin, s."""
        ...

    @property
    def apex_s(self) -> float:
        """Strongest moment, s; NaN where it is not known."""
        ...

    @property
    def offset_s(self) -> float:
        """End, s."""
        ...

    @property
    def peak(self) -> float:
        """Value at the apex; NaN where it is not known."""
        ...


def events_of(result: VideoResult) -> list[EventLike]:
    """Events in the intensities of action units; none in pictures."""
    if is_of_pictures(result) or not len(result):
        return []
    from mien.study import find_events, series_of_result

    try:
        # nothing but intensities is looked through: long recordings take long
        faces = [replace(face, presence={}, eye_aspect=None) for face in series_of_result(result)]
        found = find_events(faces)
    except TableError:  # time that runs backwards has no events
        return []
    return [event for event in found if event.kind == "action_unit" and event.signal == "intensity"]


def strongest(events: Iterable[EventLike]) -> Sequence[EventLike]:
    """Events that are complete enough to be drawn, in order of time; of too many the strongest."""
    usable = [event for event in events if math.isfinite(event.onset_s) and math.isfinite(event.offset_s)]
    if len(usable) > MOST_MARKS:
        usable = sorted(usable, key=lambda event: -_or_zero(event.peak))[:MOST_MARKS]
    return sorted(usable, key=lambda event: event.onset_s)


def _or_zero(value: float) -> float:
    return value if math.isfinite(value) else 0.0

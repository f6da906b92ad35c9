"""Many recordings: found, analysed where that is missing, summed up, and their events.

Every name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mien.study.composites import COMPOSITES, Composite
    from mien.study.events import Event, Events, find_events
    from mien.study.rules import EventRule, SummaryOptions
    from mien.study.series import FaceSeries, series_of_result, series_of_table
    from mien.study.summary import Summary, summarise

_HOME = {
    "mien.study.composites": ("COMPOSITES", "Composite"),
    "mien.study.events": ("Event", "Events", "find_events"),
    "mien.study.rules": ("EventRule", "SummaryOptions"),
    "mien.study.series": ("FaceSeries", "series_of_result", "series_of_table"),
    "mien.study.summary": ("Summary", "summarise"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "COMPOSITES",
    "Composite",
    "Event",
    "EventRule",
    "Events",
    "FaceSeries",
    "Summary",
    "SummaryOptions",
    "find_events",
    "series_of_result",
    "series_of_table",
    "summarise",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'mien.study' has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

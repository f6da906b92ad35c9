"""Many recordings: found, analysed where that is missing, summed up, and their events.

Every name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mien.study.composites import COMPOSITES, Composite
    from mien.study.engines import DaskEngine, ExecutorEngine, LocalEngine
    from mien.study.event import Event
    from mien.study.events import Events, find_events
    from mien.study.find import Choice, Recording, find_recordings
    from mien.study.gather import Forms
    from mien.study.planning import Planning, Shard
    from mien.study.read import read_series
    from mien.study.rules import EventRule, SummaryOptions
    from mien.study.run import Outcome, Study
    from mien.study.series import FaceSeries, series_of_result, series_of_table
    from mien.study.summaries import Summary, summarise
    from mien.study.tables import summarise_tables

_HOME = {
    "mien.study.composites": ("COMPOSITES", "Composite"),
    "mien.study.engines": ("DaskEngine", "ExecutorEngine", "LocalEngine"),
    "mien.study.event": ("Event",),
    "mien.study.events": ("Events", "find_events"),
    "mien.study.find": ("Choice", "Recording", "find_recordings"),
    "mien.study.gather": ("Forms",),
    "mien.study.planning": ("Planning", "Shard"),
    "mien.study.read": ("read_series",),
    "mien.study.rules": ("EventRule", "SummaryOptions"),
    "mien.study.run": ("Outcome", "Study"),
    "mien.study.series": ("FaceSeries", "series_of_result", "series_of_table"),
    "mien.study.summaries": ("Summary", "summarise"),
    "mien.study.tables": ("summarise_tables",),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "COMPOSITES",
    "Choice",
    "Composite",
    "DaskEngine",
    "Event",
    "EventRule",
    "Events",
    "ExecutorEngine",
    "FaceSeries",
    "Forms",
    "LocalEngine",
    "Outcome",
    "Planning",
    "Recording",
    "Shard",
    "Study",
    "Summary",
    "SummaryOptions",
    "find_events",
    "find_recordings",
    "read_series",
    "series_of_result",
    "series_of_table",
    "summarise",
    "summarise_tables",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'mien.study' has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

"""Many recordings: found, analysed where that is missing, summed up, and their events.

Every name is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mien.runtime.lazy import lazy_names

if TYPE_CHECKING:
    from mien.study.composites import COMPOSITES as COMPOSITES
    from mien.study.composites import Composite as Composite
    from mien.study.engines import DaskEngine as DaskEngine
    from mien.study.engines import ExecutorEngine as ExecutorEngine
    from mien.study.engines import LocalEngine as LocalEngine
    from mien.study.event import Event as Event
    from mien.study.events import Events as Events
    from mien.study.events import find_events as find_events
    from mien.study.find import Choice as Choice
    from mien.study.find import Recording as Recording
    from mien.study.find import find_recordings as find_recordings
    from mien.study.gather import Forms as Forms
    from mien.study.planning import Planning as Planning
    from mien.study.planning import Shard as Shard
    from mien.study.read import read_series as read_series
    from mien.study.rules import EventRule as EventRule
    from mien.study.rules import SummaryOptions as SummaryOptions
    from mien.study.run import Outcome as Outcome
    from mien.study.run import Study as Study
    from mien.study.series import FaceSeries as FaceSeries
    from mien.study.series import series_of_result as series_of_result
    from mien.study.series import series_of_table as series_of_table
    from mien.study.summaries import Summary as Summary
    from mien.study.summaries import summarise as summarise
    from mien.study.tables import summarise_tables as summarise_tables

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
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
    },
)

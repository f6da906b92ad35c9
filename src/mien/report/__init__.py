"""Reports: one HTML file per recording, to look at before numbers are read; and an overview of many.

Every name is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mien.runtime.lazy import lazy_names

if TYPE_CHECKING:
    from mien.report.making import report_text as report_text
    from mien.report.making import write_report as write_report
    from mien.report.marks import EventLike as EventLike
    from mien.report.options import ReportOptions as ReportOptions
    from mien.report.overview import OverviewRow as OverviewRow
    from mien.report.overview import write_overview as write_overview
    from mien.report.table_results import read_result as read_result

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
        "mien.report.making": ("report_text", "write_report"),
        "mien.report.marks": ("EventLike",),
        "mien.report.options": ("ReportOptions",),
        "mien.report.overview": ("OverviewRow", "write_overview"),
        "mien.report.table_results": ("read_result",),
    },
)

"""Reports: one HTML file per recording, to look at before numbers are read; and an overview of many.

Every name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mien.report.making import report_text, write_report
    from mien.report.marks import EventLike
    from mien.report.options import ReportOptions
    from mien.report.overview import OverviewRow, write_overview
    from mien.report.table_results import read_result

_HOME = {
    "mien.report.making": ("report_text", "write_report"),
    "mien.report.marks": ("EventLike",),
    "mien.report.options": ("ReportOptions",),
    "mien.report.overview": ("OverviewRow", "write_overview"),
    "mien.report.table_results": ("read_result",),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "EventLike",
    "OverviewRow",
    "ReportOptions",
    "read_result",
    "report_text",
    "write_overview",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'mien.report' has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

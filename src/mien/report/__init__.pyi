# What `mien.report` offers, loaded when it is first used.

from .making import report_text as report_text
from .making import write_report as write_report
from .marks import EventLike as EventLike
from .options import ReportOptions as ReportOptions
from .overview import OverviewRow as OverviewRow
from .overview import write_overview as write_overview
from .table_results import read_result as read_result

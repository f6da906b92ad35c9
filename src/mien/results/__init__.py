"""What an analysis gives, and the files it is written to.

Every name is loaded when it is first used: an analysis needs few of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mien.runtime.lazy import lazy_names

if TYPE_CHECKING:
    from mien.results.aligned import AlignedOptions as AlignedOptions
    from mien.results.aligned import AlignedWriter as AlignedWriter
    from mien.results.builder import ResultBuilder as ResultBuilder
    from mien.results.columns import Form as Form
    from mien.results.columns import Group as Group
    from mien.results.compare import PRESETS as PRESETS
    from mien.results.compare import Comparison as Comparison
    from mien.results.compare import Limits as Limits
    from mien.results.compare import compare_tables as compare_tables
    from mien.results.csv_reader import read_openface_csv as read_openface_csv
    from mien.results.csv_style import CsvStyle as CsvStyle
    from mien.results.details import Details as Details
    from mien.results.details import write_details as write_details
    from mien.results.extra import EXTRA_GROUPS as EXTRA_GROUPS
    from mien.results.extra import ExtraGroup as ExtraGroup
    from mien.results.faces import faces_of as faces_of
    from mien.results.hog import HogRecords as HogRecords
    from mien.results.hog import HogWriter as HogWriter
    from mien.results.hog import read_hog as read_hog
    from mien.results.jsonl import JsonLinesWriter as JsonLinesWriter
    from mien.results.jsonl import RowEncoder as RowEncoder
    from mien.results.jsonl import write_jsonl as write_jsonl
    from mien.results.openface_csv import write_openface_csv as write_openface_csv
    from mien.results.parquet import write_parquet as write_parquet
    from mien.results.provenance import collect_provenance as collect_provenance
    from mien.results.provenance import write_provenance as write_provenance
    from mien.results.table import Table as Table
    from mien.results.video_result import RecordedSource as RecordedSource
    from mien.results.video_result import VideoResult as VideoResult

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
        "mien.results.aligned": ("AlignedOptions", "AlignedWriter"),
        "mien.results.builder": ("ResultBuilder",),
        "mien.results.columns": ("Form", "Group"),
        "mien.results.compare": ("PRESETS", "Comparison", "Limits", "compare_tables"),
        "mien.results.csv_reader": ("read_openface_csv",),
        "mien.results.csv_style": ("CsvStyle",),
        "mien.results.details": ("Details", "write_details"),
        "mien.results.extra": ("EXTRA_GROUPS", "ExtraGroup"),
        "mien.results.faces": ("faces_of",),
        "mien.results.hog": ("HogRecords", "HogWriter", "read_hog"),
        "mien.results.jsonl": ("JsonLinesWriter", "RowEncoder", "write_jsonl"),
        "mien.results.openface_csv": ("write_openface_csv",),
        "mien.results.parquet": ("write_parquet",),
        "mien.results.provenance": ("collect_provenance", "write_provenance"),
        "mien.results.table": ("Table",),
        "mien.results.video_result": ("RecordedSource", "VideoResult"),
    },
)

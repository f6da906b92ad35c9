"""What an analysis gives, and the files it is written to.

Every name is loaded when it is first used: an analysis needs few of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mien.results.aligned import AlignedOptions, AlignedWriter
    from mien.results.builder import ResultBuilder
    from mien.results.columns import Form, Group
    from mien.results.compare import PRESETS, Comparison, Limits, compare_tables
    from mien.results.csv_reader import read_openface_csv
    from mien.results.csv_style import CsvStyle
    from mien.results.details import Details, write_details
    from mien.results.extra import EXTRA_GROUPS, ExtraGroup
    from mien.results.faces import faces_of
    from mien.results.hog import HogRecords, HogWriter, read_hog
    from mien.results.jsonl import JsonLinesWriter, RowEncoder, write_jsonl
    from mien.results.openface_csv import write_openface_csv
    from mien.results.parquet import write_parquet
    from mien.results.provenance import collect_provenance, write_provenance
    from mien.results.table import Table
    from mien.results.video_result import RecordedSource, VideoResult

_HOME = {
    "mien.results.aligned": (
        "AlignedOptions",
        "AlignedWriter",
    ),
    "mien.results.builder": ("ResultBuilder",),
    "mien.results.columns": (
        "Form",
        "Group",
    ),
    "mien.results.compare": (
        "PRESETS",
        "Comparison",
        "Limits",
        "compare_tables",
    ),
    "mien.results.csv_reader": ("read_openface_csv",),
    "mien.results.details": (
        "Details",
        "write_details",
    ),
    "mien.results.extra": (
        "EXTRA_GROUPS",
        "ExtraGroup",
    ),
    "mien.results.faces": ("faces_of",),
    "mien.results.hog": (
        "HogRecords",
        "HogWriter",
        "read_hog",
    ),
    "mien.results.jsonl": (
        "JsonLinesWriter",
        "RowEncoder",
        "write_jsonl",
    ),
    "mien.results.openface_csv": ("write_openface_csv",),
    "mien.results.parquet": ("write_parquet",),
    "mien.results.provenance": (
        "collect_provenance",
        "write_provenance",
    ),
    "mien.results.csv_style": ("CsvStyle",),
    "mien.results.table": ("Table",),
    "mien.results.video_result": (
        "RecordedSource",
        "VideoResult",
    ),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "EXTRA_GROUPS",
    "PRESETS",
    "AlignedOptions",
    "AlignedWriter",
    "Comparison",
    "CsvStyle",
    "Details",
    "ExtraGroup",
    "Form",
    "Group",
    "HogRecords",
    "HogWriter",
    "JsonLinesWriter",
    "Limits",
    "RecordedSource",
    "ResultBuilder",
    "RowEncoder",
    "Table",
    "VideoResult",
    "collect_provenance",
    "compare_tables",
    "faces_of",
    "read_hog",
    "read_openface_csv",
    "write_details",
    "write_jsonl",
    "write_openface_csv",
    "write_parquet",
    "write_provenance",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'mien.results' has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

"""What an analysis gives, and the files it is written to."""

from mien.results.builder import ResultBuilder
from mien.results.columns import Form, Group
from mien.results.compare import PRESETS, Comparison, Limits, compare_tables
from mien.results.openface_csv import read_openface_csv, write_openface_csv
from mien.results.parquet import write_parquet
from mien.results.provenance import collect_provenance, write_provenance
from mien.results.table import Table
from mien.results.video_result import RecordedSource, VideoResult

__all__ = [
    "PRESETS",
    "Comparison",
    "Form",
    "Group",
    "Limits",
    "RecordedSource",
    "ResultBuilder",
    "Table",
    "VideoResult",
    "collect_provenance",
    "compare_tables",
    "read_openface_csv",
    "write_openface_csv",
    "write_parquet",
    "write_provenance",
]

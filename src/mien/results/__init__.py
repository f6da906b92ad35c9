"""What an analysis gives, and the files it is written to."""

from mien.results.aligned import AlignedOptions, AlignedWriter
from mien.results.builder import ResultBuilder
from mien.results.columns import Form, Group
from mien.results.compare import PRESETS, Comparison, Limits, compare_tables
from mien.results.details import Details, write_details
from mien.results.faces import faces_of
from mien.results.hog import HogRecords, HogWriter, read_hog
from mien.results.jsonl import JsonLinesWriter, RowEncoder, write_jsonl
from mien.results.openface_csv import read_openface_csv, write_openface_csv
from mien.results.parquet import write_parquet
from mien.results.provenance import collect_provenance, write_provenance
from mien.results.table import Table
from mien.results.video_result import RecordedSource, VideoResult

__all__ = [
    "PRESETS",
    "AlignedOptions",
    "AlignedWriter",
    "Comparison",
    "Details",
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

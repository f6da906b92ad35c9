"""Records of numbers and texts as CSV or Parquet, with a description of their columns beside them."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.errors import OptionError, OutputError
from mien.results.files import whole_file
from mien.runtime.versions import __version__
from mien.study.composites import COMPOSITES, WARNING
from mien.study.dictionary import EVENT_COLUMNS, Column

if TYPE_CHECKING:
    import pandas as pd

Records = Iterable[Mapping[str, Any]]

RECORD_SUFFIXES = (".csv", ".parquet")
_DIGITS = 6
"""Significant digits of numbers in CSV: more than any measurement has."""


def write_records(rows: Records, columns: Sequence[Column], path: str | Path) -> None:
    """Write records and, beside them, a description of the columns (NAME.json, as BIDS has it).

    Parameters
    ----------
    rows
        Mappings from names of columns to numbers, texts or NaN; missing ones are written as empty cells.
    columns
        The columns, in order.
    path
        .csv or .parquet.

    Raises
    ------
    OptionError
        The ending is unknown, or pyarrow is not installed.
    OutputError
        A file can't be written there.
    """
    path = Path(path)
    names = [column.name for column in columns]
    if path.suffix.lower() == ".csv":
        text = csv_text(rows, names)
        with whole_file(path) as file:
            file.write(text.encode("utf-8"))
    elif path.suffix.lower() == ".parquet":
        _write_parquet(rows, columns, path)
    else:
        raise OutputError(f"{path}: expected a name that ends in {' or '.join(RECORD_SUFFIXES)}")
    write_sidecar(columns, path)


def write_events(rows: Records, path: str | Path) -> None:
    """Write events with the description of their columns; see `write_records`."""
    write_records(rows, EVENT_COLUMNS, path)


def csv_text(rows: Records, names: Sequence[str]) -> str:
    """Records as CSV, the names of the columns in the first line."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([cell_text(row.get(name)) for name in names] for row in rows)
    return out.getvalue()


def cell_text(value: Any) -> str:
    """A value as a cell: NaN and None are empty, numbers have six significant digits."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float):
        return f"{value:.{_DIGITS}g}"
    # Bytes of file names that are no text must not stop a table.
    return str(value).encode("utf-8", "backslashreplace").decode("utf-8")


def write_sidecar(columns: Sequence[Column], table: Path) -> Path:
    """Write what the columns of a table mean into NAME.json beside it, as BIDS describes its tables.

    Raises
    ------
    OutputError
        It can't be written.
    """
    path = table.with_suffix(".json")
    described: dict[str, Any] = {}
    for column in columns:
        described[column.name] = {"Description": column.meaning}
        if column.unit:
            described[column.name]["Units"] = column.unit
        if column.levels:
            described[column.name]["Levels"] = dict(column.levels)
    described["Composites"] = {
        pattern.name: {"Label": pattern.label, "Reference": pattern.reference} for pattern in COMPOSITES
    } | {"Warning": WARNING}
    described["GeneratedBy"] = {"Name": "mien", "Version": __version__}
    with whole_file(path) as file:
        file.write(json.dumps(described, indent=1, ensure_ascii=False).encode("utf-8") + b"\n")
    return path


def data_frame(rows: Records, names: Sequence[str]) -> pd.DataFrame:
    """Records as a data frame, missing values as NaN.

    Raises
    ------
    OptionError
        pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise OptionError("data frames need pandas; install it with: pip install 'mien[tables]'") from error
    return pd.DataFrame(list(rows), columns=list(names))


def load_parquet() -> None:
    """Import what writes Parquet, where it is installed; that takes a moment, which may be a better one."""
    with suppress(ImportError):
        import pyarrow.parquet  # noqa: F401


def _write_parquet(rows: Records, columns: Sequence[Column], path: Path) -> None:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise OptionError("Parquet needs pyarrow; install it with: pip install 'mien[tables]'") from error
    every = list(rows)
    arrays, fields = [], []
    for column in columns:
        values = [row.get(column.name) for row in every]
        array = pa.array(_of_one_type(values))
        arrays.append(array)
        about = {"unit": column.unit, "meaning": column.meaning}
        fields.append(pa.field(column.name, array.type, metadata=about))
    with whole_file(path) as file:
        pq.write_table(pa.table(arrays, schema=pa.schema(fields)), file)


def _of_one_type(values: list[Any]) -> list[Any]:
    """Values of a column: all texts if one is a text; NaN is missing, as in CSV."""
    if any(isinstance(value, str) for value in values):
        return [None if value is None else cell_text(value) for value in values]
    missing = [value is None or (isinstance(value, float) and math.isnan(value)) for value in values]
    if any(isinstance(value, float) for value in values) or all(missing):
        return [None if gone else float(value) for value, gone in zip(values, missing, strict=True)]
    return [None if gone else int(value) for value, gone in zip(values, missing, strict=True)]

"""Tables as Parquet files: OpenFace's columns, unrounded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from mien.errors import OptionError
from mien.results.columns import Form, GroupChoice
from mien.results.extra import ExtraChoice
from mien.results.files import whole_file
from mien.results.table import blocks

if TYPE_CHECKING:
    from mien.results.video_result import VideoResult


def write_parquet(
    result: VideoResult,
    path: str | Path,
    *,
    groups: GroupChoice = None,
    form: Form | str = Form.SEQUENCE,
    extra: ExtraChoice = None,
) -> None:
    """Write a result with the names of OpenFace's columns and mien's own types, NaN as NaN.

    The provenance is kept in the file's metadata under the key "mien", the unit of a column in that of its
    field under the key "unit" (empty where a number has none): with pyarrow,
    ``pq.read_schema(path).field("x_0").metadata[b"unit"]``.

    Parameters
    ----------
    result
        What to write.
    path
        The file; it appears when it is complete, and replaces what was there.
    groups, form, extra
        As in `mien.results.write_openface_csv`.

    Raises
    ------
    OptionError
        pyarrow is not installed, or a group is unknown.
    OutputError
        The file can't be written there.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise OptionError("Parquet needs pyarrow; install it with: pip install 'mien[tables]'") from error
    arrays, fields = [], []
    for block in blocks(result, groups, form, extra):
        values = block.values.reshape(len(result), len(block.columns.names))
        for index, (name, unit) in enumerate(zip(block.columns.names, block.columns.units, strict=True)):
            array = pa.array(values[:, index], pa.string() if block.is_text else None)
            arrays.append(array)
            fields.append(pa.field(name, array.type, nullable=False, metadata={"unit": unit}))
    schema = pa.schema(fields, {"mien": json.dumps(dict(result.provenance), default=str)})
    table = pa.table(arrays, schema=schema)
    with whole_file(path) as file:
        pq.write_table(table, file)

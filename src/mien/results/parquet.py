"""Tables as Parquet files: OpenFace's columns, unrounded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from mien.errors import OptionError
from mien.results.columns import Form, GroupChoice
from mien.results.files import whole_file
from mien.results.table import blocks

if TYPE_CHECKING:
    from mien.results.video_result import VideoResult


def write_parquet(
    result: VideoResult, path: str | Path, *, groups: GroupChoice = None, form: Form | str = Form.SEQUENCE
) -> None:
    """Write a result with the names of OpenFace's columns and mien's own types, NaN as NaN.

    The provenance is kept in the file's metadata under the key "mien".

    Parameters
    ----------
    result
        What to write.
    path
        The file; it appears when it is complete, and replaces what was there.
    groups, form
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
    arrays, names = [], []
    for block in blocks(result, groups, form):
        values = block.values.reshape(len(result), len(block.columns.names))
        for index, name in enumerate(block.columns.names):
            arrays.append(pa.array(values[:, index]))
            names.append(name)
    table = pa.table(arrays, names=names)
    table = table.replace_schema_metadata({"mien": json.dumps(dict(result.provenance), default=str)})
    with whole_file(path) as file:
        pq.write_table(table, file)

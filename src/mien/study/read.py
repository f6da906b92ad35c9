"""Tables of recordings from files, as far as summaries need them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mien.errors import OptionError, TableError
from mien.results.csv_reader import read_openface_csv
from mien.results.table import Table
from mien.study.series import FaceSeries, series_of_table, wanted_column


def read_series(path: str | Path, *, name: str | None = None, fps: float | None = None) -> list[FaceSeries]:
    """Faces of a table that mien or OpenFace wrote.

    Parameters
    ----------
    path
        .csv of mien or of any version of OpenFace, or .parquet of mien.
    name
        What the recording is called; by default the path.
    fps
        Frames per second, in place of the time stamps.

    Raises
    ------
    TableError
        It can't be read, or is no such table.
    OptionError
        pyarrow is needed and not installed.
    """
    path = Path(path)
    table = _parquet(path) if path.suffix.lower() == ".parquet" else read_openface_csv(path, wanted_column)
    return series_of_table(table, name or path.as_posix(), fps=fps)


def _parquet(path: Path) -> Table:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise OptionError(
            f"{path}: Parquet needs pyarrow; install it with: pip install 'mien[tables]'"
        ) from error
    try:
        names = [name for name in pq.read_schema(path).names if wanted_column(name)]
        read = pq.read_table(path, columns=names)
        values = [read.column(name).to_numpy().astype(np.float64) for name in names]
    except (OSError, pa.ArrowException, ValueError, TypeError) as error:
        raise TableError(f"{path} can't be read as a Parquet table of mien: {error}") from error
    stacked = np.stack(values, axis=1) if values else np.empty((0, 0))
    return Table(tuple(names), stacked, np.full(len(names), -1, np.int64))

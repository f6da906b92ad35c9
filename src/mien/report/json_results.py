"""mien's JSON Lines as a table, as far as reports need them."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mien.errors import TableError
from mien.results import columns
from mien.results.table import Table

_SCALARS = {"frame": columns.FRAME, "face_id": columns.FACE_ID, "time_s": columns.TIMESTAMP}
_ALSO = ("confidence", "success", "valid")
_LISTS = {
    "pose_translation_mm": columns.POSE_TRANSLATION.names,
    "pose_rotation_rad": columns.POSE_ROTATION.names,
    "gaze_angle_rad": columns.GAZE_ANGLE.names,
}
_NAMED = {"au_intensity": "_r", "au_presence": "_c", "measures": ""}


def read_json_table(path: Path) -> tuple[Table, dict[str, Any]]:
    """Read a table that `mien.results.write_jsonl` wrote, and its provenance.

    Raises
    ------
    TableError
        It can't be read; the message says in which line.
    """
    places: dict[str, int] = {}
    rows: list[array[float]] = []
    files: list[str] = []
    provenance: dict[str, Any] = {}
    for number, line in _objects(path):
        if "mien" in line and number == 1:
            about = line["mien"]
            made = about.get("provenance") if isinstance(about, dict) else None
            provenance = made if isinstance(made, dict) else {}
            continue
        row = array("d", [np.nan]) * len(places)
        for name, value in _cells(line, path, number):
            if name not in places:
                places[name] = len(places)
            row.extend([np.nan] * (places[name] + 1 - len(row)))
            row[places[name]] = value
        if columns.FILE in line:
            files.append(str(line[columns.FILE]))
        rows.append(row)
    values = np.full((len(rows), len(places)), np.nan)
    for index, row in enumerate(rows):
        values[index, : len(row)] = row
    texts = {columns.FILE: tuple(files)} if files and len(files) == len(rows) else {}
    return Table(tuple(places), values, np.full(len(places), -1, np.int64), texts), provenance


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    number = 0
    try:
        with path.open(encoding="utf-8") as file:
            for number, text in enumerate(file, start=1):
                if text.strip():
                    value = json.loads(text)
                    if not isinstance(value, dict):
                        raise TableError(f"{path}, line {number}: expected an object, got {text[:40]!r}")
                    yield number, value
    except (OSError, ValueError, RecursionError) as error:
        raise TableError(
            f"{path}, line {number + 1} can't be read: {error}; expected JSON Lines of mien"
        ) from error


def _cells(line: Mapping[str, Any], path: Path, number: int) -> Iterator[tuple[str, float]]:
    try:
        for key, value in line.items():
            if key in _SCALARS or key in _ALSO:
                yield _SCALARS.get(key, key), _float(value)
            elif key in _LISTS and isinstance(value, list):
                yield from zip(_LISTS[key], map(_float, value), strict=False)
            elif key in _NAMED and isinstance(value, dict):
                yield from ((f"{name}{_NAMED[key]}", _float(cell)) for name, cell in value.items())
            elif key == "landmarks" and isinstance(value, list):
                for point, (x, y) in enumerate(value):
                    yield f"x_{point}", _float(x)
                    yield f"y_{point}", _float(y)
    except (TypeError, ValueError) as error:
        raise TableError(f"{path}, line {number}: expected numbers, got {error}") from error


def _float(value: Any) -> float:
    return np.nan if value is None else float(value)

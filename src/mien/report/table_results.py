"""Tables in files as results, as far as reports need them: those of mien in every format, and OpenFace's."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import OptionError, TableError
from mien.results import columns
from mien.results.csv_reader import read_openface_csv
from mien.results.provenance import provenance_path
from mien.results.table import Table, readable
from mien.results.video_result import RecordedSource, VideoResult

Floats = NDArray[np.float64]

TABLE_SUFFIXES = (".csv", ".parquet", ".jsonl")

_ROTATION_OF_SIDES = ("pitch", "yaw", "roll")
"""What tables of sides have in place of pose_R."""
_KNOWN = frozenset(
    (
        columns.FRAME,
        columns.FACE,
        columns.FACE_ID,
        columns.TIMESTAMP,
        columns.CONFIDENCE,
        columns.SUCCESS,
        *columns.POSE_TRANSLATION.names,
        *columns.POSE_ROTATION.names,
        *columns.GAZE_ANGLE.names,
        *_ROTATION_OF_SIDES,
    )
)
_POINTS = frozenset(columns.POINTS_2D.names)
_NOT_SHOWN = frozenset(columns.full_sequence()) | frozenset(columns.MESH.names)
_MOST_MEASURES = 200
_MOST_INTENSITY, _MOST_MM = 100.0, 1e6
"""What lies beyond can't have been measured."""


@dataclass(slots=True)
class _Cleaner:
    """Counts what can't be true, and takes it out."""

    removed: int = 0
    notes: list[str] = field(default_factory=list)

    def within(self, values: Floats, limit: float) -> Floats:
        """Values up to a limit; others, infinities too, become NaN."""
        with np.errstate(invalid="ignore"):
            good = np.abs(values) <= limit
        self.removed += int((~good & ~np.isnan(values)).sum())
        return np.where(good, values, np.nan)

    def all_notes(self) -> list[str]:
        """What a reader should know, in sentences."""
        if not self.removed:
            return self.notes
        return [*self.notes, f"{self.removed} numbers of the table can't be true and were left out."]


def read_result(path: str | Path, *, points: bool = True) -> VideoResult:
    """Read a table back as a result.

    Parameters
    ----------
    path
        .csv of mien (in both styles) or of any version of OpenFace, .parquet or .jsonl of mien.
    points
        Whether landmarks are read; without them a long table takes less memory.

    Returns
    -------
    VideoResult
        With all that the table has of time, quality, pose, gaze, action units and named measures; the rest is
        NaN. Where a table does not say whether landmarks are valid, success says it.

    Raises
    ------
    TableError
        It can't be read, or is no such table.
    OptionError
        pyarrow is needed and not installed.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        raise TableError(f"{path}: expected a table that ends in {', '.join(TABLE_SUFFIXES)}")
    if suffix == ".jsonl":
        from mien.report.json_results import read_json_table

        table, provenance = read_json_table(path)
    elif suffix == ".parquet":
        table, provenance = _parquet(path, points)
    else:
        table, provenance = read_openface_csv(path, lambda name: _wanted(name, points)), {}
    return result_of(table, path, {**_beside(path), **provenance})


def result_of(table: Table, path: Path, provenance: Mapping[str, Any]) -> VideoResult:
    """A table as a result; see `read_result`."""
    picture = columns.FACE in table and columns.FRAME not in table
    if not picture and columns.FRAME not in table:
        raise TableError(
            f"{path}: expected a table in OpenFace's columns, such as frame, timestamp, confidence, success "
            f"and AU01_r; got {', '.join(map(readable, table.names[:4])) or 'no column'}"
        )
    clean = _Cleaner()
    rows = len(table)
    frame, files = _frames(table, clean, picture=picture)
    face = columns.FACE if picture else columns.FACE_ID
    success = np.ones(rows, bool) if columns.SUCCESS not in table else table[columns.SUCCESS] == 1
    valid = table["valid"] == 1 if "valid" in table else success
    intensity, intensity_names = _units(table, "_r", clean)
    presence, presence_names = _units(table, "_c", clean)
    about = dict(provenance)
    if picture and "pictures" not in about:
        about["pictures"] = [path.stem]
    return VideoResult(
        frame=frame,
        face_id=_whole(table[face] if face in table else np.zeros(rows), np.zeros(rows)).astype(np.int32),
        time_s=_times(table, rows),
        confidence=_confidence(table, rows, clean),
        success=success,
        valid=valid,
        landmarks=_landmarks(table),
        landmarks_3d=_missing(rows, (columns.LANDMARKS, 3), np.float32),
        pose_translation_mm=_group(table, columns.POSE_TRANSLATION.names, _MOST_MM, clean),
        pose_rotation_rad=_rotation(table, clean),
        global_params=_missing(rows, (6,), np.float32),
        local_params=_missing(rows, (columns.MODES,), np.float32),
        gaze_angle_rad=_gaze(table, clean),
        au_intensity=intensity,
        au_presence=presence,
        au_intensity_names=intensity_names,
        au_presence_names=presence_names,
        au_post_processed=True,
        measures=_measures(table, clean),
        pictures=files,
        source=RecordedSource(path.name, None, 0, 0, 0.0, notes=tuple(clean.all_notes())),
        provenance=about,
    )


def _wanted(name: str, points: bool) -> bool:
    return name in _KNOWN or (points and name in _POINTS) or name not in _NOT_SHOWN or name[:2] == "AU"


def _parquet(path: Path, points: bool) -> tuple[Table, dict[str, Any]]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise OptionError(
            f"{path}: Parquet needs pyarrow; install it with: pip install 'mien[tables]'"
        ) from error
    try:
        schema = pq.read_schema(path)
        names = [name for name in schema.names if name == columns.FILE or _wanted(name, points)]
        read = pq.read_table(path, columns=names)
        texts = {
            name: tuple(map(str, read.column(name).to_pylist())) for name in names if name == columns.FILE
        }
        numbers = [name for name in names if name != columns.FILE]
        values = [read.column(name).to_numpy().astype(np.float64) for name in numbers]
        made = json.loads((schema.metadata or {}).get(b"mien", b"{}"))
    except (OSError, pa.ArrowException, ValueError, TypeError) as error:
        raise TableError(f"{path} can't be read as a Parquet table of mien: {error}") from error
    stacked = np.stack(values, axis=1) if values else np.empty((0, 0))
    table = Table(tuple(numbers), stacked, np.full(len(numbers), -1, np.int64), texts)
    return table, made if isinstance(made, dict) else {}


def _beside(path: Path) -> dict[str, Any]:
    """Provenance from the file beside the table; nothing where there is none that can be read."""
    try:
        made = json.loads(provenance_path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return made if isinstance(made, dict) else {}


def _frames(table: Table, clean: _Cleaner, *, picture: bool) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Frames counted from 0, and the names of pictures that they count."""
    rows = len(table)
    files = table.texts.get(columns.FILE, ())
    if files:
        names = list(dict.fromkeys(files))
        place = {name: index for index, name in enumerate(names)}
        return np.array([place[name] for name in files], np.int64), tuple(names)
    if picture:
        return np.zeros(rows, np.int64), ()
    numbers = table[columns.FRAME]
    unknown = int((~_countable(numbers)).sum())
    if unknown:
        clean.notes.append(f"{unknown} rows have no number of a frame; their place in the table is taken.")
    return _whole(numbers, np.arange(1.0, rows + 1)).astype(np.int64) - 1, ()


def _countable(values: Floats) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        return np.asarray(np.isfinite(values) & (np.abs(values) < 2**31 - 1))


def _whole(values: Floats, otherwise: Floats) -> Floats:
    return np.where(_countable(values), np.trunc(np.where(_countable(values), values, 0)), otherwise)


def _times(table: Table, rows: int) -> Floats:
    if columns.TIMESTAMP not in table:
        return np.full(rows, np.nan)
    times = table[columns.TIMESTAMP]
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(times) < 1e9, times, np.nan)


def _confidence(table: Table, rows: int, clean: _Cleaner) -> Floats:
    if columns.CONFIDENCE not in table:
        return np.ones(rows)
    return clean.within(table[columns.CONFIDENCE], 1.0)


def _landmarks(table: Table) -> NDArray[np.float32]:
    names = columns.POINTS_2D.names
    if not table.has(names):
        return _missing(len(table), (columns.LANDMARKS, 2), np.float32)
    with np.errstate(over="ignore"):
        flat = table.select(names).astype(np.float32)
    return np.ascontiguousarray(np.swapaxes(flat.reshape(-1, 2, columns.LANDMARKS), 1, 2))


def _missing(rows: int, row: tuple[int, ...], kind: type[np.generic]) -> NDArray[Any]:
    """NaN for every row, in the memory of one number."""
    return np.broadcast_to(np.asarray(math.nan, kind), (rows, *row))


def _group(table: Table, names: tuple[str, ...], limit: float, clean: _Cleaner) -> Floats:
    if not table.has(names):
        return _missing(len(table), (len(names),), np.float64)
    return clean.within(table.select(names), limit)


def _rotation(table: Table, clean: _Cleaner) -> Floats:
    own = columns.POSE_ROTATION.names
    names = own if table.has(own) or not table.has(_ROTATION_OF_SIDES) else _ROTATION_OF_SIDES
    return _group(table, names, 2 * math.pi, clean)


def _gaze(table: Table, clean: _Cleaner) -> Floats | None:
    names = columns.GAZE_ANGLE.names
    return _group(table, names, 2 * math.pi, clean) if table.has(names) else None


def _units(table: Table, ending: str, clean: _Cleaner) -> tuple[Floats, tuple[str, ...]]:
    """Action units with this ending, or of the whole face in tables of sides."""
    found: dict[str, str] = {}
    for name in table.names:
        base = name.removesuffix("_full")
        if name.startswith("AU") and base.endswith(ending):
            found.setdefault(columns.unit_of(base), name)
    values = table.select(found.values()) if found else np.empty((len(table), 0))
    return clean.within(values, _MOST_INTENSITY), tuple(found)


def _measures(table: Table, clean: _Cleaner) -> dict[str, Floats]:
    """All other columns that have numbers."""
    others = [name for name in table.names if _is_measure(name)]
    if len(others) > _MOST_MEASURES:
        clean.notes.append(f"{len(others) - _MOST_MEASURES} of the table's own columns are not shown.")
    return {name: clean.within(table[name], 1e9) for name in others[:_MOST_MEASURES]}


def _is_measure(name: str) -> bool:
    if name in _KNOWN or name in _NOT_SHOWN or name in ("valid", "usable"):
        return False
    return not (name.startswith("AU") and name.removesuffix("_full").endswith(("_r", "_c")))


def sides_beside(path: Path) -> Iterator[Path]:
    """The table of both sides of a recording beside its table, where there is one."""
    beside = path.with_name(f"{path.stem}.sides.csv")
    if beside.is_file() and beside != path:
        yield beside

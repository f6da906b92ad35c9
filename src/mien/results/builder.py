"""Collects the results of single frames into arrays."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import ActionUnitSeries, FaceResult
from mien.results import columns
from mien.results.video_result import MEASURE, SPECS, RecordedSource, VideoResult

_BLOCK_ROWS = 1024
_ROWS_IN_MEMORY = 2 * _BLOCK_ROWS
"""About 7 MB in all arrays together."""


class _Rows:
    """An array that grows by whole blocks; beyond a number of rows they go to a temporary file.

    A long video then takes no more memory than a short one: the arrays of its result are mapped, and the
    system reads and drops them as it likes. The file has no name and vanishes with the last array.
    """

    __slots__ = ("_block", "_file", "_full", "_used", "_written", "row_shape")

    def __init__(self, row: tuple[int, ...], dtype: type[np.generic], missing: int) -> None:
        self.row_shape = row
        self._block = np.empty((_BLOCK_ROWS, *row), dtype)
        self._full: list[NDArray[Any]] = []
        self._file: IO[bytes] | None = None
        self._used = self._written = 0
        for _ in range(missing):
            self.append(np.nan)

    def append(self, value: Any) -> None:
        """Copy one row in."""
        if self._used == len(self._block):
            self._put_away(self._block)
            if self._file is None:
                self._block = np.empty_like(self._block)
            self._used = 0
        self._block[self._used] = value
        self._used += 1

    def _put_away(self, block: NDArray[Any]) -> None:
        if self._file is not None:
            block.tofile(self._file)
            self._written += len(block)
            return
        self._full.append(block)
        if sum(map(len, self._full)) >= _ROWS_IN_MEMORY:
            self._file = tempfile.TemporaryFile(prefix="mien-rows-")  # noqa: SIM115
            full, self._full = self._full, []
            for each in full:
                self._put_away(each)

    def join(self) -> NDArray[Any]:
        """All rows as one array; more may be added afterwards."""
        if self._used:
            self._put_away(self._block[: self._used])
            self._block = np.empty_like(self._block)
            self._used = 0
        if self._file is not None:
            self._file.flush()
            shape = (self._written, *self.row_shape)
            return np.asarray(np.memmap(self._file, self._block.dtype, "c", shape=shape))
        if len(self._full) != 1:
            self._full = [np.concatenate(self._full)]
        return self._full[0]


class ResultBuilder:
    """Collects results frame by frame; nothing but numbers is kept of them.

    Parameters
    ----------
    source
        What is analysed.
    provenance
        How the result is made, as `mien.results.collect_provenance` gives it.
    intensity_names, presence_names
        Action units in the order of the arrays that will come.
    pictures
        Names of the pictures that ``frame`` counts, where tables shall have them; may be set later.
    """

    def __init__(
        self,
        *,
        source: RecordedSource | None = None,
        provenance: Mapping[str, Any] | None = None,
        intensity_names: tuple[str, ...] = columns.INTENSITY_UNITS,
        presence_names: tuple[str, ...] = columns.PRESENCE_UNITS,
        pictures: Iterable[str] = (),
    ) -> None:
        self.pictures = tuple(pictures)
        self.source = source
        self.provenance = dict(provenance or {})
        self._unit_names = (intensity_names, presence_names)
        self._columns: dict[str, _Rows] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, result: FaceResult) -> None:
        """Add one row.

        Parameters
        ----------
        result
            One face in one frame. A group that is None here and present in other rows becomes NaN.

        Raises
        ------
        ValueError
            An array has another shape than documented; nothing was added.
        """
        row = face_arrays(result)
        if result.action_units is not None:
            row |= result.action_units.measures
        columns = self._columns
        for name, value in row.items():
            rows = columns.get(name)
            if rows is None or getattr(value, "shape", ()) != rows.row_shape:
                self._check(name, value)
        for name, value in row.items():
            rows = columns.get(name) or self._column(name, value)
            rows.append(value)
        for name in columns.keys() - row.keys():
            columns[name].append(np.nan)
        self._count += 1

    def finish(self, series: ActionUnitSeries | None = None) -> VideoResult:
        """All rows so far as one result; more may be added afterwards.

        Parameters
        ----------
        series
            Action units of the same rows after post-processing, in place of the live values; where it has
            ``measures`` (a mapping of names to (N,) arrays), they replace the live ones too.

        Returns
        -------
        VideoResult

        Raises
        ------
        ValueError
            ``series`` has another number of rows.
        """
        if not self._count:
            return self._empty()
        joined = {name: rows.join() for name, rows in self._columns.items()}
        arrays = {name: array for name, array in joined.items() if name in SPECS}
        measures = {name: array for name, array in joined.items() if name not in SPECS}
        if series is not None:
            arrays["au_intensity"] = np.asarray(series.intensity, np.float64)
            arrays["au_presence"] = np.asarray(series.presence, np.float64)
            measures |= series.measures
        return self._result(arrays, measures, post_processed=series is not None)

    def _result(
        self, arrays: dict[str, NDArray[Any]], measures: dict[str, NDArray[Any]], *, post_processed: bool
    ) -> VideoResult:
        return VideoResult(
            **arrays,
            measures=measures,
            au_intensity_names=self._unit_names[0],
            au_presence_names=self._unit_names[1],
            au_post_processed=post_processed,
            pictures=self.pictures,
            source=self.source,
            provenance=self.provenance,
        )

    def _empty(self) -> VideoResult:
        """No rows, but all of OpenFace's columns."""
        sizes = {"au_intensity": len(self._unit_names[0]), "au_presence": len(self._unit_names[1])}
        arrays = {}
        for name, spec in SPECS.items():
            row = tuple(sizes.get(name, columns.MODES) if size == -1 else size for size in spec.row)
            arrays[name] = np.empty((0, *row), spec.dtype)
        for name in ("mesh", "blendshapes", "blendshape_logits"):
            del arrays[name]
        return self._result(arrays, {}, post_processed=True)

    def _check(self, name: str, value: Any) -> None:
        rows = self._columns.get(name)
        expected = SPECS.get(name, MEASURE).row if rows is None else rows.row_shape
        got = getattr(value, "shape", ())
        if got == expected:
            return
        if len(got) != len(expected) or any(e not in (-1, g) for e, g in zip(expected, got, strict=True)):
            raise ValueError(f"{name}: expected shape {expected} (-1 is any size), got {got}")

    def _column(self, name: str, value: Any) -> _Rows:
        dtype = SPECS.get(name, MEASURE).dtype
        rows = self._columns[name] = _Rows(getattr(value, "shape", ()), dtype, self._count)
        return rows


def face_arrays(result: FaceResult) -> dict[str, Any]:
    """One face in one frame under the names of `VideoResult`'s arrays; without those that are not there."""
    landmarks = result.landmarks
    row: dict[str, Any] = {
        "frame": result.frame,
        "face_id": result.face_id,
        "time_s": result.time_s,
        "confidence": landmarks.confidence,
        "success": landmarks.success,
        "valid": landmarks.valid,
        "landmarks": landmarks.points,
        "landmarks_3d": result.landmarks_3d,
        "pose_translation_mm": result.pose.translation_mm,
        "pose_rotation_rad": result.pose.rotation_rad,
        "global_params": landmarks.global_params,
        "local_params": landmarks.local_params,
    }
    if landmarks.mesh is not None:
        row["mesh"] = landmarks.mesh
    if result.gaze is not None:
        row["gaze_directions"] = result.gaze.directions
        row["gaze_angle_rad"] = result.gaze.angle_rad
        row["eye_landmarks"] = result.gaze.eye_points
        row["eye_landmarks_3d"] = result.gaze.eye_points_3d
    if result.action_units is not None:
        row["au_intensity"] = result.action_units.intensity
        row["au_presence"] = result.action_units.presence
        shapes = result.action_units.blendshapes
        if shapes is not None:
            row["blendshapes"], row["blendshape_logits"] = shapes.coefficients, shapes.logits
    return row

"""Results as JSON Lines: a header, then one object per face and frame, with named arrays of typed values.

The first line is an object with the single key "mien": version of the format, units and decimals of all
fields, source, provenance. Every other line is one face in one frame; its fields are those of `VideoResult`,
action units and measures by name; of several pictures "file" says which. NaN, "not measured", is null. Frames
count from 1, as in the tables.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import BLENDSHAPE_NAMES, FaceResult
from mien.results import columns
from mien.results.columns import Form, Group, GroupChoice
from mien.results.extra import EXTRA_GROUPS, ExtraChoice, ExtraGroup, chosen_extra
from mien.results.files import whole_file
from mien.results.table import readable
from mien.runtime.versions import __version__

if TYPE_CHECKING:
    from mien.results.video_result import RecordedSource, VideoResult

VERSION = 1
"""Version of the format; readers of this one can read others that only add fields."""


@dataclass(frozen=True, slots=True)
class _Field:
    """How an array of `VideoResult` is written."""

    group: Group | ExtraGroup | None
    decimals: int
    unit: str | tuple[str, ...] = ""


_SHAPE_UNITS = columns.SHAPE_GLOBAL.units

_FIELDS: Mapping[str, _Field] = {
    "time_s": _Field(None, 6, "s"),
    "confidence": _Field(None, 4),
    "pose_translation_mm": _Field(Group.POSE, 3, "mm"),
    "pose_rotation_rad": _Field(Group.POSE, 6, "rad"),
    "gaze_directions": _Field(Group.GAZE, 6),
    "gaze_angle_rad": _Field(Group.GAZE, 6, "rad"),
    "au_intensity": _Field(Group.ACTION_UNITS, 4),
    "au_presence": _Field(Group.ACTION_UNITS, 0),
    "landmarks": _Field(Group.LANDMARKS_2D, 3, "px"),
    "landmarks_3d": _Field(Group.LANDMARKS_3D, 3, "mm"),
    "eye_landmarks": _Field(Group.GAZE, 3, "px"),
    "eye_landmarks_3d": _Field(Group.GAZE, 3, "mm"),
    "global_params": _Field(Group.SHAPE, 6, _SHAPE_UNITS),
    "local_params": _Field(Group.SHAPE, 4),
} | {
    name: _Field(group, block.decimals, block.unit) for group in EXTRA_GROUPS for name, block in group.arrays
}


class RowEncoder:
    """Turns faces into lines of JSON.

    Parameters
    ----------
    groups
        Names of the groups of fields wanted, as in `mien.results.write_openface_csv`; None means all.
    extra
        Names of mien's own groups wanted, as there; None means none.
    intensity_names, presence_names
        Action units in the order of the arrays that will come.
    pictures
        Names of the pictures that ``frame`` counts; none for a video.

    Raises
    ------
    OptionError
        A group is unknown.
    """

    def __init__(
        self,
        groups: GroupChoice = None,
        *,
        extra: ExtraChoice = None,
        intensity_names: tuple[str, ...] = columns.INTENSITY_UNITS,
        presence_names: tuple[str, ...] = columns.PRESENCE_UNITS,
        pictures: tuple[str, ...] = (),
    ) -> None:
        self._groups: tuple[Group | ExtraGroup, ...] = (*columns.chosen_groups(groups), *chosen_extra(extra))
        self._extra = chosen_extra(extra)
        self._pictures = pictures
        self._names = {
            "au_intensity": intensity_names,
            "au_presence": presence_names,
            "blendshapes": BLENDSHAPE_NAMES,
            "blendshape_logits": BLENDSHAPE_NAMES,
        }

    def header(
        self,
        *,
        source: RecordedSource | None = None,
        provenance: Mapping[str, Any] | None = None,
        post_processed: bool = False,
    ) -> str:
        """The first line, which says what the others mean.

        Parameters
        ----------
        source
            What was analysed.
        provenance
            How, see `mien.results.collect_provenance`.
        post_processed
            Whether the action units were processed over the whole video.
        """
        fields: dict[str, Any] = {"frame": {"counts_from": 1}, "face_id": {"counts_from": 0}}
        fields |= {"success": {}, "valid": {}}
        if self._pictures:
            fields["file"] = {}
        for name, spec in self._wanted():
            fields[name] = {"unit": spec.unit, "decimals": spec.decimals}
        if self._extra:
            fields["measures"] = {"decimals": columns.MEASURE_DECIMALS}
        about = {
            "format": VERSION,
            "mien": __version__,
            "action_units": "post-processed" if post_processed else "live",
            "fields": fields,
            "source": None if source is None else asdict(source),
            "provenance": dict(provenance or {}),
        }
        return json.dumps({"mien": about}, default=str) + "\n"

    def face(self, face: FaceResult) -> str:
        """The line of one face in one frame, with live action units."""
        from mien.results.builder import face_arrays

        measures = {} if face.action_units is None else face.action_units.measures
        return self._line(face_arrays(face), measures)

    def rows(self, result: VideoResult) -> Iterator[str]:
        """The lines of a whole result."""
        arrays = {name: array for name, array in result.arrays() if name not in result.measures}
        for index in range(len(result)):
            row = {name: array[index] for name, array in arrays.items()}
            yield self._line(row, {name: array[index] for name, array in result.measures.items()})

    def _wanted(self) -> Iterator[tuple[str, _Field]]:
        for name, spec in _FIELDS.items():
            if spec.group is None or spec.group in self._groups:
                yield name, spec

    def _line(self, row: Mapping[str, Any], measures: Mapping[str, Any]) -> str:
        line: dict[str, Any] = {
            "frame": int(row["frame"]) + 1,
            "face_id": int(row["face_id"]),
            **({"file": self._pictures[int(row["frame"])]} if self._pictures else {}),
            "success": bool(row["success"]),
            "valid": bool(row["valid"]),
        }
        for name, spec in self._wanted():
            if row.get(name) is not None:
                values = _plain(row[name], spec.decimals)
                names = self._names.get(name)
                line[name] = dict(zip(names, values, strict=True)) if names else values
        if measures and self._extra:
            line |= self._measures(measures)
        return json.dumps(line, separators=(",", ":"), allow_nan=False) + "\n"

    def _measures(self, measures: Mapping[str, Any]) -> dict[str, Any]:
        """Those that belong to a group that is wanted, under one key."""
        found: dict[str, Any] = {}
        for group in self._extra:
            names = [name for name in measures if group.owns(name)]
            values = np.array([measures[name] for name in names], np.float64)
            found |= zip(names, _plain(values, group.decimals), strict=True)
        return {"measures": found} if found else {}


def _plain(values: Any, decimals: int) -> Any:
    """Numbers as Python's own, rounded; None where not finite, integers where no decimals are left."""
    array: NDArray[Any] = np.round(np.asarray(values, np.float64), decimals) + 0.0
    finite = np.isfinite(array)
    if finite.all():
        return (array if decimals else array.astype(np.int64)).tolist()
    kinds = np.empty(array.shape, object)
    kinds[finite] = array[finite] if decimals else array[finite].astype(np.int64)
    return kinds.tolist()


def write_jsonl(
    result: VideoResult,
    path: str | Path,
    *,
    groups: GroupChoice = None,
    form: Form | str = Form.SEQUENCE,
    extra: ExtraChoice = None,
) -> None:
    """Write a result as JSON Lines.

    Parameters
    ----------
    result
        What to write.
    path
        The file; it appears when it is complete, and replaces what was there.
    groups, extra
        As in `mien.results.write_openface_csv`.
    form
        Of no account: lines have names.

    Raises
    ------
    OptionError
        A group is unknown.
    OutputError
        The file can't be written there.
    """
    encoder = RowEncoder(
        groups,
        extra=extra,
        intensity_names=result.au_intensity_names,
        presence_names=result.au_presence_names,
        pictures=tuple(map(readable, result.pictures)),
    )
    with whole_file(path) as file:
        header = encoder.header(
            source=result.source, provenance=result.provenance, post_processed=result.au_post_processed
        )
        file.write(header.encode())
        for line in encoder.rows(result):
            file.write(line.encode())

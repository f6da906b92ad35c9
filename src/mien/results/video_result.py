"""Everything measured in a video, as arrays with one row per face and frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import BLENDSHAPE_NAMES, Camera
from mien.errors import OptionError
from mien.results import columns
from mien.results.columns import CsvStyle, Form, GroupChoice, chosen_style
from mien.results.extra import ExtraChoice, chosen_extra
from mien.results.provenance import write_provenance
from mien.results.table import Table, blocks, tabulate

if TYPE_CHECKING:
    from mien.study import Events, Summary, SummaryOptions

TABLE_WRITERS = {
    ".csv": ("mien.results.openface_csv", "write_openface_csv"),
    ".parquet": ("mien.results.parquet", "write_parquet"),
    ".jsonl": ("mien.results.jsonl", "write_jsonl"),
}
"""By the ending of a table's name; imported when asked for."""


@dataclass(frozen=True, slots=True)
class RecordedSource:
    """What was analysed.

    Attributes
    ----------
    name
        Short name, such as "clip.mp4".
    path
        The file or folder, where there is one.
    width, height
        Size of the analysed frames in px.
    fps
        Nominal frames per second.
    camera
        Intrinsics that positions in mm were computed with.
    notes
        What a reader of the results should know of it, in whole sentences: frames that were lost, a picture
        that changes its shape.
    """

    name: str
    path: Path | None
    width: int
    height: int
    fps: float
    camera: Camera | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """Type and shape of one row of an array of `VideoResult`; -1 stands for any size."""

    dtype: type[np.generic]
    row: tuple[int, ...] = ()


SPECS: Mapping[str, FieldSpec] = {
    "frame": FieldSpec(np.int64),
    "face_id": FieldSpec(np.int32),
    "time_s": FieldSpec(np.float64),
    "confidence": FieldSpec(np.float64),
    "success": FieldSpec(np.bool_),
    "valid": FieldSpec(np.bool_),
    "landmarks": FieldSpec(np.float32, (columns.LANDMARKS, 2)),
    "landmarks_3d": FieldSpec(np.float32, (columns.LANDMARKS, 3)),
    "pose_translation_mm": FieldSpec(np.float64, (3,)),
    "pose_rotation_rad": FieldSpec(np.float64, (3,)),
    "global_params": FieldSpec(np.float32, (6,)),
    "local_params": FieldSpec(np.float32, (-1,)),
    "gaze_directions": FieldSpec(np.float64, (2, 3)),
    "gaze_angle_rad": FieldSpec(np.float64, (2,)),
    "eye_landmarks": FieldSpec(np.float32, (columns.EYE_LANDMARKS, 2)),
    "eye_landmarks_3d": FieldSpec(np.float32, (columns.EYE_LANDMARKS, 3)),
    "au_intensity": FieldSpec(np.float64, (-1,)),
    "au_presence": FieldSpec(np.float64, (-1,)),
    "mesh": FieldSpec(np.float32, (columns.MESH_POINTS, 3)),
    "blendshapes": FieldSpec(np.float32, (len(BLENDSHAPE_NAMES),)),
    "blendshape_logits": FieldSpec(np.float32, (len(BLENDSHAPE_NAMES),)),
}
"""The arrays of a result; `VideoResult` says what they mean."""
MEASURE = FieldSpec(np.float64)
"""One of the named arrays beside them."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class VideoResult:
    """Faces of a video as arrays: row i of every array is the same face in the same frame.

    N rows, in the order of frames. NaN means "not measured"; a group of columns that was switched off is
    None. Image coordinates are px, the origin at the centre of the top-left pixel, y down; camera coordinates
    are mm, X right, Y down, Z away from the camera; angles are rad.

    Attributes
    ----------
    frame
        (N,) int64: frame of the source, counted from 0 (the CSV counts from 1).
    face_id
        (N,) int32: identity of the face, counted from 0.
    time_s
        (N,) float64, s.
    confidence
        (N,) float64, 0 to 1: certainty that the landmarks sit on a face.
    success
        (N,) bool: what the tracker reports; rows without success hold the last attempt.
    valid
        (N,) bool: whether the landmarks passed validation; decides whether action units were measured.
    landmarks, landmarks_3d
        (N, 68, 2) float32, px; (N, 68, 3) float32, mm, camera frame.
    pose_translation_mm, pose_rotation_rad
        (N, 3) float64: position of the head; Euler angles Rx, Ry, Rz with R = Rx Ry Rz.
    global_params, local_params
        (N, 6) float32: scale (px per mm), Euler angles (rad), translation (px) of the shape model;
        (N, M) float32: coefficients of its modes.
    gaze_directions, gaze_angle_rad
        (N, 2, 3) float64 unit vectors, image-left eye first, zeros without success; (N, 2) float64:
        horizontal (positive to the image's right), vertical (positive down). Or None.
    eye_landmarks, eye_landmarks_3d
        (N, 56, 2) float32, px; (N, 56, 3) float32, mm: 28 points of the image-left eye, then of the other.
    au_intensity, au_presence
        (N, I) float64, 0 to 5; (N, P) float64, 0 or 1; columns as in the names below. Or None.
    au_intensity_names, au_presence_names
        "AU01" and so on.
    au_post_processed
        True after the offline pass over the whole video, False for live or static values.
    measures
        Further named (N,) float64 arrays, see `mien.results.extra`.
    mesh
        (N, 478, 3) float32, px, or None.
    blendshapes, blendshape_logits
        (N, 52) float32, 0 to 1, in the order of ``blendshape_names``; the same before the logistic function.
        Or None. Not smoothed; left and right are the subject's.
    pictures
        Names of the pictures that ``frame`` counts, if their tables shall have a column "file"; empty for a
        video.
    source
        What was analysed, where known.
    provenance
        How the result was made: versions, models, options, source (see `mien.results.provenance`).

    Raises
    ------
    ValueError
        An array has another shape than documented; the message says which.

    Examples
    --------
    >>> result = mien.analyze("clip.mp4")
    >>> result.au_intensity[:, result.au_intensity_names.index("AU12")].mean()
    >>> result[result.success].to_pandas()
    >>> result.save("clip.csv")
    """

    frame: NDArray[np.int64]
    face_id: NDArray[np.int32]
    time_s: NDArray[np.float64]
    confidence: NDArray[np.float64]
    success: NDArray[np.bool_]
    valid: NDArray[np.bool_]
    landmarks: NDArray[np.float32]
    landmarks_3d: NDArray[np.float32]
    pose_translation_mm: NDArray[np.float64]
    pose_rotation_rad: NDArray[np.float64]
    global_params: NDArray[np.float32]
    local_params: NDArray[np.float32]
    gaze_directions: NDArray[np.float64] | None = None
    gaze_angle_rad: NDArray[np.float64] | None = None
    eye_landmarks: NDArray[np.float32] | None = None
    eye_landmarks_3d: NDArray[np.float32] | None = None
    au_intensity: NDArray[np.float64] | None = None
    au_presence: NDArray[np.float64] | None = None
    mesh: NDArray[np.float32] | None = None
    blendshapes: NDArray[np.float32] | None = None
    blendshape_logits: NDArray[np.float32] | None = None
    au_intensity_names: tuple[str, ...] = columns.INTENSITY_UNITS
    au_presence_names: tuple[str, ...] = columns.PRESENCE_UNITS
    au_post_processed: bool = False
    measures: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    pictures: tuple[str, ...] = ()
    source: RecordedSource | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        sizes = {"au_intensity": len(self.au_intensity_names), "au_presence": len(self.au_presence_names)}
        for name, array in self.arrays():
            spec = SPECS.get(name, MEASURE)
            row = (sizes[name],) if name in sizes else spec.row
            rest = array.shape[1:]
            fits = len(rest) == len(row) and all(e in (-1, g) for e, g in zip(row, rest, strict=True))
            if array.ndim == 0 or len(array) != len(self.frame) or not fits:
                letters = ", ".join("M" if size == -1 else str(size) for size in row)
                raise ValueError(
                    f"{name}: expected shape (N, {letters}) with N = {len(self.frame)}, got {array.shape}"
                )
            if array.dtype != spec.dtype:
                raise ValueError(f"{name}: expected {np.dtype(spec.dtype)}, got {array.dtype}")
        if self.pictures and len(self) and not 0 <= self.frame.max() < len(self.pictures):
            raise ValueError(
                f"pictures: expected at least {self.frame.max() + 1} names, one for each frame, got "
                f"{len(self.pictures)}"
            )

    def arrays(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """All arrays with their names, those of ``measures`` under theirs."""
        for name in SPECS:
            array = getattr(self, name)
            if array is not None:
                yield name, array
        yield from self.measures.items()

    def __len__(self) -> int:
        return len(self.frame)

    def __getitem__(self, rows: int | slice | NDArray[Any] | list[int]) -> VideoResult:
        """Some of the rows: a slice (shares memory), a mask of N bools, indices, or one index."""
        if isinstance(rows, int | np.integer):
            position = range(len(self))[int(rows)]
            rows = slice(position, position + 1)
        changes: dict[str, Any] = {name: array[rows] for name, array in self.arrays() if name in SPECS}
        changes["measures"] = {name: array[rows] for name, array in self.measures.items()}
        return replace(self, **changes)

    def __repr__(self) -> str:
        shapes = [f"{name}{list(array.shape)}" for name, array in self.arrays() if name in SPECS]
        others = [f"{len(self.measures)} measures"] if self.measures else []
        off = [name for name in ("gaze_directions", "au_intensity") if getattr(self, name) is None]
        name = f"{self.source.name}, " if self.source else ""
        without = f"; without {', '.join(off)}" if off else ""
        return f"VideoResult({name}{len(self)} rows: {', '.join(shapes + others)}{without})"

    def _repr_html_(self) -> str:
        """What notebooks show."""
        from mien.results.notebook import to_html

        return to_html(self)

    @property
    def about_openfaces_scale(self) -> bool:
        """Whether intensities are only about on OpenFace's scale: those of models with a mesh."""
        return self.mesh is not None

    @property
    def blendshape_names(self) -> tuple[str, ...]:
        """Names of the columns of ``blendshapes``."""
        return BLENDSHAPE_NAMES

    @property
    def success_rate(self) -> float:
        """Share of rows with success, 0 to 1; NaN without rows."""
        return float(self.success.mean()) if len(self) else float("nan")

    @property
    def mean_confidence(self) -> float:
        """Mean confidence of all rows; NaN without rows."""
        return float(self.confidence.mean()) if len(self) else float("nan")

    def events(self, options: SummaryOptions | None = None) -> Events:
        """When action units, patterns of them and blinks begin, peak and end; see docs/studies.md.

        Parameters
        ----------
        options
            What counts.

        Returns
        -------
        Events
            Of every face, in order; `Events.save` writes tables, and tiers for ELAN and Praat.
        """
        from mien.study import find_events, series_of_result

        return find_events(series_of_result(self), options)

    def summary(self, options: SummaryOptions | None = None) -> Summary:
        """Sum up every face in a row: quality, head, gaze, blinks, action units; see docs/studies.md.

        Parameters
        ----------
        options
            Which frames count, and what is an event.

        Returns
        -------
        Summary
            One mapping for every face; it explains its columns.
        """
        from mien.study import series_of_result, summarise

        return summarise(series_of_result(self), options)

    def plot(
        self, units: Iterable[str] | str | None = None, *, face_id: int | None = None, ax: Any = None
    ) -> Any:
        """Draw time courses, with spans without success in grey.

        Parameters
        ----------
        units
            Names of action units ("AU12", its intensity; "AU12_c", its presence) and of measures, also in one
            text with commas between; by default the four action units that reach highest.
        face_id
            Whose; by default the one with most successes.
        ax
            matplotlib axes to draw into; by default new ones in a new figure.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        OptionError
            matplotlib is not installed, a name is unknown, or there is nothing to plot.

        Examples
        --------
        >>> axes = result.plot(["AU06", "AU12"])
        >>> axes.figure.savefig("smile.png")
        """
        from mien.results.plot import plot_result

        return plot_result(self, units, face_id=face_id, ax=ax)

    def to_table(
        self, *, groups: GroupChoice = None, form: Form | str = Form.SEQUENCE, extra: ExtraChoice = None
    ) -> Table:
        """All numbers in OpenFace's columns, as one float64 array; see `write_openface_csv`."""
        return tabulate(self, groups, form, extra)

    def to_pandas(self, *, groups: GroupChoice = None, extra: ExtraChoice = None) -> Any:
        """The result as a pandas.DataFrame in OpenFace's columns, unrounded.

        Parameters
        ----------
        groups
            Names of groups of OpenFace's columns wanted, as in `write_openface_csv`; None means all.
        extra
            Names of groups of mien's own columns wanted, such as "measures" and "mesh", or "all"; None means
            none.

        Returns
        -------
        pandas.DataFrame
            One row per face and frame. The index, named "frame", counts frames from 1 as OpenFace does; with
            several faces it repeats, and the column "face_id" tells them apart.

        Raises
        ------
        OptionError
            pandas is not installed, or a group is unknown.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise OptionError(
                "to_pandas needs pandas; install it with: pip install 'mien[tables]'"
            ) from error
        data = {}
        for block in blocks(self, groups, extra=extra):
            values = block.values.reshape(len(self), len(block.columns.names))
            data.update({name: values[:, index] for index, name in enumerate(block.columns.names)})
        return pd.DataFrame(data).set_index(columns.FRAME)

    def save(
        self,
        path: str | Path,
        *,
        groups: GroupChoice = None,
        form: Form | str = Form.SEQUENCE,
        extra: ExtraChoice = None,
        style: CsvStyle | str = CsvStyle.OPENFACE_22,
        provenance: bool = True,
    ) -> None:
        """Write the result, and beside it NAME.provenance.json, which says how it was made.

        Parameters
        ----------
        path
            The table; its suffix chooses the format: ".csv" (OpenFace's text), ".parquet" (the same
            columns unrounded, with units; needs the extra "tables") or ".jsonl" (one object per row, with
            named arrays).
        groups, form, extra
            As in `write_openface_csv`.
        style
            As there; of no account for other formats.
        provenance
            Whether the file beside it is written.

        Raises
        ------
        OptionError
            The suffix, a group or the style is unknown, or a package is missing.
        OutputError
            A file can't be written there.
        """
        path = Path(path)
        home, name = TABLE_WRITERS.get(path.suffix.lower(), ("", ""))
        if not home:
            *others, last = TABLE_WRITERS
            raise OptionError(f"{path}: expected a name that ends in {', '.join(others)} or {last}")
        how: dict[str, Any] = {"groups": groups, "form": form, "extra": extra}
        if chosen_style(style) and path.suffix.lower() == ".csv":
            how["style"] = style
        getattr(import_module(home), name)(self, path, **how)
        if provenance and self.provenance:
            write_provenance(self.provenance, path, _written(path, **how))


def _written(
    path: Path,
    *,
    groups: GroupChoice,
    form: Form | str,
    extra: ExtraChoice,
    style: CsvStyle | str | None = None,
) -> dict[str, Any]:
    """How a table is written, for its provenance."""
    chosen = columns.chosen_groups(groups)
    about: dict[str, Any] = {"format": path.suffix.lower().removeprefix("."), "form": str(form)}
    if style is not None:
        about["csv_style"] = str(style)
    return about | {
        "columns": [str(group) for group in columns.Group if group in chosen],
        "extra": [group.name for group in chosen_extra(extra)],
    }

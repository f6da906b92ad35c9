"""Which files an analysis leaves, and what they are called."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.analysis.targets import REPORT_ENDING, SCORES_ENDING
from mien.errors import OptionError
from mien.results.aligned import AlignedOptions
from mien.results.columns import CsvStyle, Form, GroupChoice, chosen_groups, chosen_style, names_in
from mien.results.extra import ALL, ExtraChoice, chosen_extra
from mien.results.picture_files import picture_suffix
from mien.view.drawing import DrawingOptions

if TYPE_CHECKING:
    from mien.report.options import ReportOptions
    from mien.stages import Aligner, Stages


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions:
    """Which files an analysis leaves, and where.

    Attributes
    ----------
    folder
        Where they go; made if needed.
    base
        What their names begin with.
    tables
        Endings of the tables: ".csv", ".parquet", ".jsonl".
    groups
        Groups of columns in the tables; None means all that there are.
    extra
        Groups of mien's own columns in the tables, see `mien.results.extra`.
    style
        Layout of CSV tables, see `CsvStyle`.
    form
        "sequence" for videos, "image" for a single picture.
    hog
        Whether descriptors are written: BASE.hog.
    aligned
        How aligned faces are written, into the folder BASE_aligned; None for not at all.
    drawing
        How pictures with the faces drawn over them are written, with live action units; None for not at all.
        The file is BASE.tracked.mp4, of an image BASE.tracked.jpg; in OpenFace's style BASE.avi or BASE.jpg.
    details
        Whether BASE_of_details.txt is written.
    drawn_last
        Whether pictures are drawn when the table is finished, with its final action units: the video is read
        once more. Not of images, and not by `OutputSet.add`; see `OutputSet.hidden_place`.
    empty_tables
        Whether an analysis that found nobody leaves tables without rows.
    scores
        Whether BASE.scores.npz is written, see `mien.analysis.recordings`.
    provenance
        Whether BASE.provenance.json is written beside the tables.
    source
        The input's path as the user gave it, for the details; None for a camera.
    good_by
        What decides whether a face counts as found in its .hog record and aligned pictures: "success", the
        tracker's report (FeatureExtraction), or "valid", the validator's verdict (images, several faces).
    report
        How a page that shows the result is made, BASE.report.html; None for none. See `mien.report`.
    """

    folder: Path = Path()
    base: str = ""
    tables: tuple[str, ...] = (".csv",)
    groups: GroupChoice = None
    extra: ExtraChoice = None
    style: CsvStyle | str = CsvStyle.OPENFACE_22
    form: Form = Form.SEQUENCE
    hog: bool = False
    aligned: AlignedOptions | None = None
    drawing: DrawingOptions | None = None
    details: bool = False
    drawn_last: bool = False
    empty_tables: bool = True
    scores: bool = False
    provenance: bool = True
    source: str | None = None
    good_by: str = "success"
    report: ReportOptions | None = None

    def __post_init__(self) -> None:
        chosen_groups(self.groups)
        chosen_extra(self.extra)
        chosen_style(self.style)
        if self.good_by not in ("success", "valid"):
            raise OptionError(f"good_by: expected success or valid, got {self.good_by!r}")
        if self.drawing is not None and self.form is Form.IMAGE:
            picture_suffix(self.drawing_format)

    @property
    def layout(self) -> dict[str, Any]:
        """What `VideoResult.save` is told of a table's columns and layout."""
        return {"groups": self.groups, "extra": self.extra, "style": self.style}

    @property
    def needs_appearance(self) -> bool:
        """Whether `OutputSet.add` must be given the faces' appearance."""
        return self.hog or self.aligned is not None

    @property
    def needs_frames(self) -> bool:
        """Whether something is written frame by frame."""
        return self.needs_appearance or (self.drawing is not None and not self.drawn_last)

    @property
    def sorted_groups(self) -> list[str] | None:
        """Names of the groups of columns in order, as the provenance has them; None means all."""
        return None if self.groups is None else sorted(chosen_groups(self.groups))

    @property
    def table(self) -> Path:
        """The first table."""
        return self.folder / (self.base + self.tables[0])

    def at(self, table: Path) -> OutputOptions:
        """The same files beside a table of this name, which comes before the others of other formats."""
        tables = tuple(dict.fromkeys((table.suffix, *self.tables)))
        return replace(self, folder=table.parent, base=table.stem, tables=tables)

    @property
    def partial(self) -> OutputOptions:
        """The files of an analysis that ended early."""
        return replace(self, base=f"{self.base}.partial")

    @property
    def drawing_format(self) -> str:
        """Ending of the drawn video or picture, without the dot."""
        wanted = None if self.drawing is None else self.drawing.file_format
        if wanted is None:
            if self.form is Form.IMAGE:
                return "jpg"
            return "avi" if self.drawing is not None and self.drawing.style == "openface" else "mp4"
        return wanted.lower().removeprefix(".")

    @property
    def drawing_name(self) -> str:
        """Name of the drawn video or picture."""
        middle = "" if self.drawing is not None and self.drawing.style == "openface" else ".tracked"
        return f"{self.base}{middle}.{self.drawing_format}"

    @property
    def scores_name(self) -> str:
        """Name of the file of scores."""
        return f"{self.base}{SCORES_ENDING}"

    @property
    def report_name(self) -> str:
        """Name of the report."""
        return f"{self.base}{REPORT_ENDING}"

    def aligner(self, stages: Stages) -> Aligner | None:
        """What aligns faces for these files; None where they take the faces of the analysis, or none.

        Raises
        ------
        OptionError
            The models give no such files, or no columns of a group that was asked for by name.
        """
        pack = stages.pack
        missing = [group.name for group in chosen_extra(self.extra) if pack not in group.packs]
        if missing and ALL not in names_in(self.extra):
            raise OptionError(
                f"extra: the models {pack} give no {', '.join(missing)}; choose others with --models, or "
                "leave it out"
            )
        if not self.needs_appearance:
            return None
        if stages.appearance is None:
            raise OptionError(
                "descriptors and aligned faces need the action units of OpenFace's models, got the pack "
                f"{pack!r}; run `mien models fetch`, or leave these outputs out"
            )
        if self.aligned is None or self.aligned.as_analysed:
            return None
        return stages.appearance.aligner(self.aligned.size, self.aligned.px_per_mm, self.aligned.mask)

    def paths(self) -> list[Path]:
        """Every file and folder that is going to be written, but the provenance."""
        names = [self.base + ending for ending in self.tables]
        names += [f"{self.base}.hog"] * self.hog
        names += [f"{self.base}_aligned"] * (self.aligned is not None)
        names += [self.drawing_name] * (self.drawing is not None)
        names += [f"{self.base}_of_details.txt"] * self.details
        names += [self.scores_name] * self.scores
        names += [self.report_name] * (self.report is not None)
        return [self.folder / name for name in names]

"""What ``mien analyze`` writes besides the table of a video, and which columns its tables have."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.cli.output import TABLE_SUFFIXES
from mien.cli.progress import progress, telling_of_compilation
from mien.errors import OptionError, OutputError
from mien.options import AnalysisOptions

if TYPE_CHECKING:
    from mien.results import AlignedOptions, VideoResult
    from mien.results.outputs import OutputOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Extras:
    """Further files of every video.

    Attributes
    ----------
    columns
        Groups of columns in the tables, separated by commas; None for all.
    extra
        Groups of mien's own columns in the tables, separated by commas; None for none.
    csv_style
        Layout of CSV tables, see `mien.results.CsvStyle`.
    also
        Further formats of the table.
    hog, details
        Whether NAME.hog and NAME_of_details.txt are written.
    aligned
        How faces are written into NAME_aligned; None for not at all.
    tracked
        Style of the video NAME.tracked.mp4, "mien" or "openface"; None for no video.
    """

    columns: str | None = None
    extra: str | None = None
    csv_style: str = "openface-2.2"
    also: tuple[str, ...] = ()
    hog: bool = False
    details: bool = False
    aligned: AlignedOptions | None = None
    tracked: str | None = None

    def __post_init__(self) -> None:
        from mien.results.style import chosen_style

        chosen_style(self.csv_style)
        if self.extra is not None:
            from mien.results.extra import chosen_extra

            chosen_extra(self.extra)
        if self.groups is not None:
            from mien.results.columns import chosen_groups

            chosen_groups(self.groups)
        for suffix in self.suffixes:
            if suffix not in TABLE_SUFFIXES:
                known = ", ".join(name[1:] for name in TABLE_SUFFIXES)
                raise OptionError(f"--also: expected some of {known}, got {suffix[1:]}")
            if suffix == ".parquet" and find_spec("pyarrow") is None:
                raise OptionError("Parquet needs pyarrow; install it with: pip install 'mien[tables]'")
        if self.tracked is not None:
            self._drawing()

    @property
    def groups(self) -> list[str] | None:
        """Names of the groups of columns."""
        return None if self.columns is None else [name.strip() for name in self.columns.split(",")]

    @property
    def layout(self) -> dict[str, Any]:
        """What `VideoResult.save` and `OutputOptions` are told of a table's columns and layout."""
        return {"groups": self.groups, "extra": self.extra, "style": self.csv_style}

    def refuse_unmeasured(self, options: AnalysisOptions) -> None:
        """Stop before an analysis whose models give no column of a group that was asked for.

        Raises
        ------
        OptionError
            They don't.
        """
        from mien.results.columns import names_in
        from mien.results.extra import ALL, chosen_extra

        if self.extra is None or ALL in names_in(self.extra):
            return
        from mien.packs import choose_pack

        pack = choose_pack(options.models).name
        missing = [group.name for group in chosen_extra(self.extra) if pack not in group.packs]
        if missing:
            raise OptionError(
                f"extra: the models {pack} give no {', '.join(missing)}; choose others with --models, or "
                "leave it out"
            )

    def refuse_to_draw_over(self, videos: list[Path], tables: list[Path]) -> None:
        """Stop before a drawn video replaces one that is to be analysed.

        Raises
        ------
        OutputError
            It would.
        """
        if self.tracked is None:
            return
        for drawn in filter(Path.exists, map(tracked_path, tables)):
            if any(drawn.samefile(video) for video in videos):
                raise OutputError(
                    f"{drawn} would be replaced, but is a video to analyse; leave it out, or choose another "
                    "place with -o"
                )

    def outputs(self, video: Path, table: Path) -> OutputOptions | None:
        """Files that are written while the video is analysed."""
        from mien.results.outputs import OutputOptions

        if not (self.hog or self.details or self.aligned):
            return None
        return OutputOptions(
            folder=table.parent,
            base=table.stem,
            tables=(table.suffix,),
            **self.layout,
            hog=self.hog,
            aligned=self.aligned,
            details=self.details,
            source=str(video),
        )

    def finish(
        self, video: Path, table: Path, options: AnalysisOptions, result: VideoResult, *, quiet: bool
    ) -> list[Path]:
        """Write what needs the finished result.

        Parameters
        ----------
        video, options
            The video, and how it was analysed.
        table
            Its table.
        result
            What the table holds.
        quiet
            Whether to show no progress.

        Returns
        -------
        list of Path
            The files.

        Raises
        ------
        OutputError, SourceError
            A file can't be written, or the video can't be read again.
        """
        written = [table.with_suffix(suffix) for suffix in self.suffixes if suffix != table.suffix]
        for path in written:
            result.save(path, **self.layout, provenance=False)
        if self.tracked is not None:
            written.append(tracked_path(table))
            self._draw(video, options, result, written[-1], quiet=quiet)
        return written

    @property
    def suffixes(self) -> list[str]:
        """Endings of the further formats of the table."""
        return [
            "." + name.strip().lower().removeprefix(".") for text in self.also for name in text.split(",")
        ]

    def _drawing(self) -> object:
        from mien.view.drawing import DrawingOptions

        return DrawingOptions(style=self.tracked or "mien")

    def _draw(
        self, video: Path, options: AnalysisOptions, result: VideoResult, path: Path, *, quiet: bool
    ) -> None:
        from mien.analysis import open_source
        from mien.view.drawing import DrawingOptions
        from mien.view.render import draw_video, most_faces

        assert result.source is not None
        assert result.source.camera is not None
        assert self.tracked is not None
        drawing = DrawingOptions(style=self.tracked, faces=most_faces(result))
        bar = progress(path.name, len(set(result.frame.tolist())), quiet=quiet)
        tell = (lambda text: None) if quiet else bar.note
        with open_source(video, options) as frames, bar, telling_of_compilation(tell):
            draw_video(
                frames,
                result,
                path,
                camera=result.source.camera,
                fps=result.source.fps,
                options=drawing,
                on_frame=bar.advance,
            )


def tracked_path(table: Path) -> Path:
    """NAME.tracked.mp4 beside NAME.csv."""
    return table.with_name(f"{table.stem}.tracked.mp4")

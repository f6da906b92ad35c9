"""``mien analyze``: a video in, a table out."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.exit_codes import ExitCode
from mien.cli.extras import Extras
from mien.cli.normalised import Normalisation, analyze_normalised
from mien.cli.output import partial_path, table_paths
from mien.cli.run import Tally, consume, summary
from mien.errors import FrameError, OptionError, OutputError
from mien.options import AnalysisOptions

if TYPE_CHECKING:
    from mien.analysis import Analysis
    from mien.results import VideoResult

_FILES = "Columns and further files"
_FACES = "Several faces, and pictures"


def analyze(
    videos: Annotated[
        list[Path],
        typer.Argument(help="Video files, pictures, or folders of pictures.", show_default=False),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="The table, .csv, .parquet or .jsonl, or a folder; by default VIDEO's name with .csv, here.",
        ),
    ] = None,
    models: Annotated[
        str | None, typer.Option(help="Model pack, openface or open; by default the first that is complete.")
    ] = None,
    landmarks: Annotated[
        str | None, typer.Option(help="Landmark model: clnf, ce-clm, or the path of a model's main file.")
    ] = None,
    compat: Annotated[
        str | None, typer.Option(help="openface: time from the nominal frame rate, pictures not turned.")
    ] = None,
    start: Annotated[float, typer.Option(help="First second to analyse.")] = 0.0,
    end: Annotated[float | None, typer.Option(help="Stop before this second.")] = None,
    threads: Annotated[int | None, typer.Option(help="Threads; results do not depend on them.")] = None,
    person: Annotated[
        str | None, typer.Option(help="Name of the person in all videos, who gets one neutral face.")
    ] = None,
    neutral: Annotated[
        Path | None, typer.Option(help="Recording of the neutral face: a video, its scores or its table.")
    ] = None,
    keep_scores: Annotated[
        bool, typer.Option("--keep-scores", help="Write NAME.scores.npz too, for mien renormalise.")
    ] = False,
    every: Annotated[
        int, typer.Option(help="Analyse every Nth frame and interpolate between: an approximation.")
    ] = 1,
    skip: Annotated[
        list[str] | None, typer.Option(help="Leave out gaze, aus or parts; may be given several times.")
    ] = None,
    fit: Annotated[
        str, typer.Option(help="openface, or exact: without its grids, the same on every machine.")
    ] = "openface",
    fast: Annotated[
        bool, typer.Option("--fast", help="Approximate the landmarks; docs/performance.md says the cost.")
    ] = False,
    faces: Annotated[
        str | None,
        typer.Option(
            help="one or many (everybody, under a number of their own); by default one of a video, all of a "
            "picture.",
            rich_help_panel=_FACES,
        ),
    ] = None,
    most_faces: Annotated[
        int, typer.Option(help="Faces followed at the same time.", rich_help_panel=_FACES)
    ] = 16,
    sequence: Annotated[
        bool,
        typer.Option("--sequence", help="Take the pictures of a folder for a video.", rich_help_panel=_FACES),
    ] = False,
    fps: Annotated[
        float | None,
        typer.Option(
            help="Pictures per second of a sequence; without it all times are 0.", rich_help_panel=_FACES
        ),
    ] = None,
    boxes: Annotated[
        Path | None,
        typer.Option(
            help="Folder with face boxes for pictures: NAME.txt, a line min_x min_y max_x max_y per face.",
            rich_help_panel=_FACES,
        ),
    ] = None,
    multi_view: Annotated[
        bool,
        typer.Option(
            "--multi-view",
            help="Try eleven head orientations for every face of a picture.",
            rich_help_panel=_FACES,
        ),
    ] = False,
    static_aus: Annotated[
        bool,
        typer.Option(
            "--static-aus",
            help="Action units without the person's neutral face, as for pictures.",
            rich_help_panel=_FACES,
        ),
    ] = False,
    columns: Annotated[
        str | None,
        typer.Option(
            help="Groups of columns, with commas between: gaze, pose, landmarks-2d, landmarks-3d, shape, "
            "action-units, measures, mesh; by default all.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    also: Annotated[
        list[str] | None,
        typer.Option(help="A further format of the table: csv, parquet or jsonl.", rich_help_panel=_FILES),
    ] = None,
    tracked: Annotated[
        bool,
        typer.Option(
            "--tracked",
            help="Read the video again and write NAME.tracked.mp4 with the results drawn over it.",
            rich_help_panel=_FILES,
        ),
    ] = False,
    tracked_style: Annotated[
        str, typer.Option(help="How to draw: mien or openface.", rich_help_panel=_FILES)
    ] = "mien",
    hog: Annotated[
        bool,
        typer.Option("--hog", help="Write the faces' descriptors, NAME.hog.", rich_help_panel=_FILES),
    ] = False,
    aligned: Annotated[
        bool,
        typer.Option("--aligned", help="Write the aligned faces, NAME_aligned/.", rich_help_panel=_FILES),
    ] = False,
    aligned_size: Annotated[int, typer.Option(help="Their width, px.", rich_help_panel=_FILES)] = 112,
    aligned_scale: Annotated[
        float | None,
        typer.Option(
            help="Their scale, px per mm of the mean face; by default as large as the size allows.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    aligned_format: Annotated[
        str, typer.Option(help="Their format: bmp, png, jpg …", rich_help_panel=_FILES)
    ] = "bmp",
    no_mask: Annotated[
        bool,
        typer.Option("--no-mask", help="Keep what surrounds aligned faces.", rich_help_panel=_FILES),
    ] = False,
    gray: Annotated[
        bool, typer.Option("--gray", help="Make aligned faces grey.", rich_help_panel=_FILES)
    ] = False,
    found_only: Annotated[
        bool,
        typer.Option(
            "--found-only", help="No aligned faces of frames without a face.", rich_help_panel=_FILES
        ),
    ] = False,
    details: Annotated[
        bool,
        typer.Option("--details", help="Write OpenFace's NAME_of_details.txt.", rich_help_panel=_FILES),
    ] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")] = False,
) -> None:
    """Analyse the face in each video and write one row per frame, in OpenFace's columns.

    Of pictures, every face gets a row. Beside every table, NAME.provenance.json says how it was made.
    """
    aligned_faces = None
    if aligned:
        from mien.results.aligned import AlignedOptions

        aligned_faces = AlignedOptions(
            size=aligned_size,
            scale=aligned_scale,
            mask=not no_mask,
            gray=gray,
            picture_format=aligned_format,
            keep_failed=not found_only,
        )
    extras = Extras(
        columns=columns,
        also=tuple(also or ()),
        hog=hog,
        details=details,
        aligned=aligned_faces,
        tracked=tracked_style if tracked else None,
    )
    options = AnalysisOptions(
        models=models,
        landmarks=landmarks,
        compat=compat,
        start_s=start,
        end_s=end,
        threads=threads,
        every=every,
        skip=tuple(skip or ()),
        fit=fit,
        fast=fast,
        faces=faces,
        most_faces=most_faces,
        action_units="static" if static_aus else "dynamic",
        multi_view=multi_view,
        sequence=sequence,
        fps=fps,
        boxes=boxes,
    )
    how = Normalisation(person=person, neutral=neutral, keep_scores=keep_scores)
    pictures = [] if sequence else [path for path in videos if _are_pictures(path)]
    if pictures:
        code = _analyze_pictures(pictures, videos, output, options, extras, how, quiet=quiet)
        raise typer.Exit(code)
    tables = table_paths(videos, output)
    if how.wanted:
        code = analyze_normalised(videos, tables, options, how, extras, quiet=quiet)
    else:
        code = _analyze_each(videos, tables, options, extras, quiet=quiet)
    if code != ExitCode.OK:
        raise typer.Exit(code)


def _are_pictures(path: Path) -> bool:
    from mien.video.source import are_pictures

    return are_pictures(path)


def _analyze_pictures(
    pictures: list[Path],
    sources: list[Path],
    output: Path | None,
    options: AnalysisOptions,
    extras: Extras,
    how: Normalisation,
    *,
    quiet: bool,
) -> ExitCode:
    from mien.cli.pictures import analyze_pictures

    if len(pictures) < len(sources):
        raise OptionError("expected either videos or pictures, got both; analyse them one after the other")
    if how.wanted:
        raise OptionError("person, neutral and keep_scores are for videos; pictures have no neutral face")
    return analyze_pictures(pictures, output, options, extras, quiet=quiet)


def _analyze_each(
    videos: list[Path], tables: list[Path], options: AnalysisOptions, extras: Extras, *, quiet: bool
) -> ExitCode:
    code = ExitCode.OK
    for video, table in zip(videos, tables, strict=True):
        done = _run(video, table, options, extras, quiet=quiet)
        if done is ExitCode.INTERRUPTED:
            return done
        code = max(code, done)
    return code


def _run(video: Path, table: Path, options: AnalysisOptions, extras: Extras, *, quiet: bool) -> ExitCode:
    from mien.analysis import Analysis

    with Analysis(video, options, outputs=extras.outputs(video, table)) as analysis:
        tally = Tally()
        try:
            consume(analysis, tally, quiet=quiet)
        except (FrameError, OutputError):
            if tally.frames:
                _write(analysis, partial_path(table), extras)
                typer.echo(f"mien: the table so far is kept in {partial_path(table)}", err=True)
            raise
        if analysis.stopped:
            return _keep_partial(analysis, table, tally, extras)
        result = _write(analysis, table, extras)
        written = [] if analysis.outputs is None else analysis.outputs.close()
        if not quiet:
            typer.echo(summary(analysis, table, tally))
        elif analysis.lost:
            typer.echo(f"mien: {video.name}: {analysis.lost}", err=True)
        written += extras.finish(video, table, options, result, quiet=quiet)
        if written and not quiet:
            typer.echo("Also: " + ", ".join(str(path) for path in written))
        return ExitCode.INCOMPLETE_SOURCE if analysis.lost else ExitCode.OK


def _keep_partial(analysis: Analysis, table: Path, tally: Tally, extras: Extras) -> ExitCode:
    if tally.frames:
        partial = partial_path(table)
        _write(analysis, partial, extras)
        if analysis.outputs is not None:
            analysis.outputs.close(partial=True)
        typer.echo(
            f"mien: interrupted; the table of the first {tally.frames} frames is in {partial}", err=True
        )
    else:
        typer.echo("mien: interrupted before the first frame was analysed", err=True)
    return ExitCode.INTERRUPTED


def _write(analysis: Analysis, table: Path, extras: Extras) -> VideoResult:
    """Write the table, in the folder for temporary files if its own place has failed meanwhile."""
    result = analysis.result()
    try:
        result.save(table, groups=extras.groups)
    except OutputError:
        rescued = Path(tempfile.gettempdir()) / table.name
        result.save(rescued, groups=extras.groups)
        typer.echo(f"mien: the table is kept in {rescued}", err=True)
        raise
    return result

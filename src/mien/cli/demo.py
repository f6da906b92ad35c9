"""``mien demo``: shows that everything works, without any file at hand."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.arguments import ModelsOption, QuietOption, grouped
from mien.cli.exit_codes import ExitCode
from mien.cli.progress import interruptible, progress, telling_of_compilation
from mien.options import AnalysisOptions

if TYPE_CHECKING:
    from mien.analysis.videos import Analysis


@grouped
def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the files.")] = Path("mien_demo"),
    models: ModelsOption = None,
    mirror: Annotated[bool, "Flip the video from left to right."] = False,
    quiet: QuietOption = False,
) -> None:
    """Make a short video of a portrait with known motion and expression, analyse it, say how well it went.

    The portrait (Eileen Collins, NASA, public domain) comes with mien; nothing is downloaded.
    """
    from mien.analysis.demonstration import SHOWN_FRAME, Demonstration, describe, describe_actions
    from mien.analysis.videos import Analysis
    from mien.models.open import CANNOT_SEE
    from mien.packs import notice
    from mien.results import faces_of

    def say(text: str) -> None:
        if not quiet:
            typer.echo(text)

    options = AnalysisOptions(models=models)
    show = Demonstration(output, mirror=mirror)
    show.make()
    begin = time.perf_counter()
    with Analysis(show.video, options) as analysis:
        if not quiet:
            typer.echo(notice(analysis.pack), err=True)
        _consume(analysis, quiet=quiet)
        if analysis.stopped:
            raise typer.Exit(ExitCode.INTERRUPTED)
        result = analysis.result()
        result.save(show.table)
        seconds = time.perf_counter() - begin
        shown = next(itertools.islice(faces_of(result), SHOWN_FRAME, None))
        limits = CANNOT_SEE if analysis.pack.name == "open" else ""
        show.draw(shown, analysis.camera, limits)
        say(f"{len(result)} frames in {seconds:.1f} s, a face in {100 * result.success_rate:.0f} % of them.")
    for line in (*describe(show.follow(result.landmarks)), *describe_actions(show.follow_actions(result))):
        say(line)
    if limits:
        say(limits)
    say(f"Table:   {show.table}\nPicture: {show.picture}\nVideo:   {show.video}\nTruth:   {show.truth}")


def _consume(analysis: Analysis, *, quiet: bool) -> None:
    """Analyse all frames, with a progress bar where there is a terminal."""
    bar = progress(analysis.info.name, analysis.info.frame_count, quiet=quiet)
    tell = (lambda text: None) if quiet else bar.note
    with bar, telling_of_compilation(tell), interruptible(analysis.stop, tell):
        for _ in analysis:
            bar.advance()

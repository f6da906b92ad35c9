"""``mien demo``: shows that everything works, without any file at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.arguments import ModelsOption, QuietOption, grouped
from mien.cli.console import Console
from mien.cli.words import say
from mien.options import AnalysisOptions


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
    from mien.analysis.demonstration import Demonstration, describe, describe_actions

    options = AnalysisOptions(models=models)
    console = Console(options, quiet=quiet)
    show = Demonstration(output, mirror=mirror)
    with console.interruptible():
        shown = show.run(options, watch=console, stopped=console.stopped)
    if quiet:
        return
    result, percent = shown.result, 100 * shown.result.success_rate
    say(
        f"{len(result)} frames in {shown.seconds:.1f} s, a face in {percent:.0f} % of them.",
        *describe(show.follow(result.landmarks)),
        *describe_actions(show.follow_actions(result)),
        *([shown.limits] if shown.limits else []),
        f"Table:   {show.table}",
        f"Picture: {show.picture}",
        f"Video:   {show.video}",
        f"Truth:   {show.truth}",
    )

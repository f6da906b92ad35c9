"""``mien renormalise``: action units relative to something else, from kept scores, without the video."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.arguments import NeutralOption, PersonOption, QuietOption, grouped, place_meant
from mien.cli.console import Console
from mien.cli.words import say
from mien.options import AnalysisOptions


@grouped
def renormalise(
    scores: Annotated[
        list[Path], typer.Argument(help="NAME.scores.npz of one or more recordings.", show_default=False)
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "-o", "--output", help="The table, .csv, or a folder; by default NAME.renormalised.csv, here."
        ),
    ] = None,
    person: PersonOption = None,
    neutral: NeutralOption = None,
    quiet: QuietOption = False,
) -> None:
    """Compute action units again from the scores that mien analyze --keep-scores has kept.

    Without --person and --neutral this gives the tables of the analysis. Where NAME.csv lies beside
    NAME.scores.npz, its other columns are taken over.
    """
    from mien.analysis.normalised import Normalisation, renormalise_scores

    console = Console(AnalysisOptions(), quiet=quiet)
    how = Normalisation(person=person, neutral=neutral)
    with console.interruptible():
        outcomes = renormalise_scores(
            scores, place_meant(output), how, watch=console, stopped=console.stopped
        )
    for outcome in outcomes if not quiet else ():
        notes = "".join(f" ({note})" for note in outcome.notes)
        say(f"{outcome.name}: {outcome.frames} frames. Table: {outcome.written[0]}{notes}")

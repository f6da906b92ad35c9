"""``mien renormalise``: action units relative to something else, from kept scores, without the video."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.arguments import NeutralOption, PersonOption, QuietOption, place_meant
from mien.cli.console import Console
from mien.cli.words import say
from mien.errors import OptionError, OutputError
from mien.options import AnalysisOptions
from mien.runtime.versions import __version__

if TYPE_CHECKING:
    from mien.analysis.normalised import Normalisation
    from mien.analysis.recordings import RecordingScores

_ENDING = ".scores.npz"


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
    from mien.analysis.normalised import Normalisation, neutral_face
    from mien.analysis.recordings import normalise_recordings, read_scores, write_table
    from mien.packs import choose_pack, read_predictors

    how = Normalisation(person=person, neutral=neutral)
    tables = _tables(scores, place_meant(output))
    how.refuse_to_replace_the_neutral(tables)
    recordings = [read_scores(path) for path in scores]
    _refuse_mixture(recordings, scores)
    options = AnalysisOptions()
    console = Console(options, quiet=quiet)
    with console.interruptible():
        baseline = neutral_face(neutral, options, watch=console, stopped=console.stopped)
    shared = person is not None and len(recordings) > 1
    every = normalise_recordings(
        recordings,
        one_person=person is not None,
        baseline=baseline,
        predictors=read_predictors(choose_pack("openface")) if shared else None,
    )
    for path, recording, series, table in zip(scores, recordings, every, tables, strict=True):
        like = path.with_name(f"{_stem(path)}.csv")
        complete = like.is_file()
        write_table(recording, series, table, like if complete else None)
        _write_provenance(table, path, how, [recording.source for recording in recordings])
        if not quiet:
            text = "" if complete else f" (action units only: {like.name} is not beside the scores)"
            say(f"{recording.source}: {len(recording.frame)} frames. Table: {table}{text}")


def _stem(path: Path) -> str:
    return path.name.removesuffix(_ENDING) if path.name.endswith(_ENDING) else path.stem


def _tables(scores: list[Path], output: Path | None) -> list[Path]:
    """Path of every table.

    Raises
    ------
    OptionError
        Several recordings and one table, or tables that would replace one another.
    OutputError
        The name of the table has another ending.
    """
    if output is not None and output.suffix and not output.is_dir():
        if len(scores) > 1:
            raise OptionError(f"{output}: several recordings need a folder for their tables")
        if output.suffix.lower() != ".csv":
            raise OutputError(f"{output}: expected a name that ends in .csv")
        return [output]
    if output is None:
        tables = [Path(f"{_stem(path)}.renormalised.csv") for path in scores]
    else:
        tables = [output / f"{_stem(path)}.csv" for path in scores]
    if len(set(tables)) < len(tables):
        raise OptionError("expected scores of different names, as the tables are named after them")
    return tables


def _refuse_mixture(recordings: list[RecordingScores], paths: list[Path]) -> None:
    made_by = {recording.clip.predictors.fingerprint for recording in recordings}
    if len(made_by) > 1:
        names = ", ".join(path.name for path in paths)
        raise OptionError(f"{names}: expected scores of the same models, got different ones")


def _write_provenance(table: Path, scores: Path, how: Normalisation, recordings: list[str]) -> None:
    from mien.results import write_provenance
    from mien.results.provenance import sha256_of

    made = {
        "mien": __version__,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "scores": {"path": str(scores.absolute()), "sha256": sha256_of(scores)},
        "normalisation": how.describe(recordings),
    }
    write_provenance(made, table)

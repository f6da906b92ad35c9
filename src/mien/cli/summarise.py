"""``mien summarise``: tables in, one row per recording and its events out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.arguments import grouped
from mien.cli.exit_codes import ExitCode
from mien.errors import OptionError

if TYPE_CHECKING:
    from mien.study.events import Events
    from mien.study.rules import SummaryOptions
    from mien.study.summaries import Summary

_RULES = "What counts"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleArguments:
    """What counts as usable, and as an event."""

    min_confidence: Annotated[
        float,
        typer.Option(help="Frames count with success and at least this confidence.", rich_help_panel=_RULES),
    ] = 0.8
    onset: Annotated[
        float, typer.Option(help="Intensity that an event must reach, 0 to 5.", rich_help_panel=_RULES)
    ] = 1.0
    offset: Annotated[float, typer.Option(help="Intensity below which it ends.", rich_help_panel=_RULES)] = (
        0.5
    )
    min_duration: Annotated[
        float, typer.Option(help="Shortest event of an action unit, s.", rich_help_panel=_RULES)
    ] = 0.16
    min_gap: Annotated[
        float, typer.Option(help="Shorter pauses don't end an event, s.", rich_help_panel=_RULES)
    ] = 0.2

    def options(self, *, fps: float | None = None) -> SummaryOptions:
        """What counts.

        Raises
        ------
        OptionError
            The options contradict each other.
        """
        from mien.study.rules import INTENSITY_RULE, PRESENCE_RULE, SummaryOptions

        times = {"min_duration_s": self.min_duration, "min_gap_s": self.min_gap}
        return SummaryOptions(
            min_confidence=self.min_confidence,
            intensity=replace(INTENSITY_RULE, upper=self.onset, lower=self.offset, **times),
            presence=replace(PRESENCE_RULE, **times),
            fps=fps,
        )


@grouped
def summarise(
    tables: Annotated[
        list[Path],
        typer.Argument(help="Tables of mien or OpenFace: .csv, or .parquet of mien.", show_default=False),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The summary, .csv or .parquet.")] = Path(
        "summary.csv"
    ),
    events: Annotated[
        Path | None, typer.Option(help="Write all events, too: .csv or .parquet.", show_default=False)
    ] = None,
    long: Annotated[bool, typer.Option("--long", help="One row for every number.")] = False,
    listing: Annotated[
        Path | None,
        typer.Option("--list", help="CSV with a column file and others that go before the summary's."),
    ] = None,
    elan: Annotated[
        bool, typer.Option("--elan", help="Write each table's events for ELAN, NAME.eaf beside the summary.")
    ] = False,
    praat: Annotated[bool, typer.Option("--praat", help="The same for Praat, NAME.TextGrid.")] = False,
    fps: Annotated[
        float | None, typer.Option(help="Frames per second, in place of the tables' time stamps.")
    ] = None,
    *,
    rules: RuleArguments,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")] = False,
) -> None:
    """Sum up tables, one row for every recording and face, and find their events.

    Beside every file that is written, a .json of the same name says what its columns mean.
    """
    from mien.cli.patterns import files_meant
    from mien.study.listing import read_listing
    from mien.study.tables import summarise_tables

    options = rules.options(fps=fps)
    _refuse_to_replace(tables, [output] if events is None else [output, events])
    summary, found, failures = summarise_tables(
        files_meant(tables), options, None if listing is None else read_listing(listing)
    )
    if len(failures) == len(tables) == 1:
        raise failures[0]
    for failure in failures:
        typer.echo(f"mien: {failure}", err=True)
    if len(failures) == len(tables):
        raise typer.Exit(ExitCode.ERROR)
    summary.save(output, long=long)
    written = [output]
    if events is not None:
        found.save(events)
        written.append(events)
    written += _annotations(found, output.parent, [".eaf"] * elan + [".TextGrid"] * praat)
    if not quiet:
        typer.echo(_said(summary, found, written))
    if failures:
        raise typer.Exit(ExitCode.ERROR)


def _refuse_to_replace(tables: list[Path], written: list[Path]) -> None:
    for path in written:
        if path.exists() and any(table.exists() and table.samefile(path) for table in tables):
            raise OptionError(f"{path} would be replaced, but is a table to sum up; choose another name")


def _annotations(found: Events, folder: Path, endings: list[str]) -> list[Path]:
    from mien.study.annotations import write_each

    return write_each(found, folder, endings) if endings else []


def _said(summary: Summary, found: Events, written: list[Path]) -> str:
    shares = [row.get("usable_share", float("nan")) for row in summary]
    known = [share for share in shares if share == share]
    usable = f"{100 * sum(known) / len(known):.1f} % of their frames usable on average" if known else "empty"
    more = f" and {len(written) - 3} more" if len(written) > 3 else ""
    return (
        f"{len(summary)} rows, {usable}; {len(found)} events. "
        f"Written: {', '.join(map(str, written[:3]))}{more}"
    )

"""The ``mien`` command: one file per subcommand, put together here."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mien.cli.analyze import analyze
from mien.cli.compare import compare
from mien.cli.demo import demo
from mien.cli.exit_codes import EXIT_CODES_HELP, ExitCode
from mien.cli.live import live
from mien.cli.models import app as models
from mien.cli.openface_programs import add_openface_programs, program_called
from mien.cli.plain_values import convert_plainly
from mien.cli.profile import profile
from mien.cli.renormalise import renormalise
from mien.cli.report import report
from mien.cli.sides import sides
from mien.cli.study import study
from mien.cli.summarise import summarise
from mien.cli.warmup import warmup
from mien.cli.words import note, open_missing_streams
from mien.errors import MienError, OptionError, StoppedError
from mien.runtime.own_process import leave_out_unneeded
from mien.runtime.versions import __version__


class ReportingGroup(TyperGroup):
    """Turns the library's errors into one line on standard error and an exit code."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Give the subcommand of a name."""
        command = super().get_command(ctx, cmd_name)
        if command is not None:
            convert_plainly(command, ctx)
        return command

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the options of ``mien`` itself."""
        refuse_empty_words(args)
        convert_plainly(self, ctx)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the subcommand."""
        try:
            return super().invoke(ctx)
        except MienError as error:
            note(f"mien: {error}")
            raise typer.Exit(_code_of(error)) from error
        except KeyboardInterrupt as error:
            note("mien: interrupted")
            raise typer.Exit(ExitCode.INTERRUPTED) from error


def refuse_empty_words(words: list[str]) -> None:
    """End where a word of the command line is empty or blank: as a path it would be the current folder.

    That is what a shell leaves of a variable between quotes that nobody has set.
    """
    for before, word in zip(["mien", *words], words, strict=False):
        option, sign, value = word.partition("=")
        given = option.startswith("--") and sign
        if (value if given else word).strip():
            continue
        after = option if given else before
        note(
            f"mien: what follows {after} is empty; expected a value, a name, or . for the current folder (a "
            "variable between quotes that is not set leaves nothing)"
        )
        raise typer.Exit(ExitCode.USAGE)


def _code_of(error: MienError) -> ExitCode:
    if isinstance(error, StoppedError):
        return ExitCode.INTERRUPTED
    return ExitCode.USAGE if isinstance(error, OptionError) else ExitCode.ERROR


app = typer.Typer(
    name="mien",
    cls=ReportingGroup,
    help="Faces in video as numbers: action units, landmarks, head pose and gaze.",
    epilog=EXIT_CODES_HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mien {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Faces in video as numbers: action units, landmarks, head pose and gaze."""


app.command("analyze", epilog=EXIT_CODES_HELP)(analyze)
app.command("demo")(demo)
app.command("compare")(compare)
app.command("live")(live)
app.command("profile")(profile)
app.command("renormalise")(renormalise)
app.command("report")(report)
app.command("sides")(sides)
app.command("study", epilog=EXIT_CODES_HELP)(study)
app.command("summarise")(summarise)
app.command("warmup")(warmup)
app.add_typer(models, name="models")
add_openface_programs(app)


def _file_or_option(word: str) -> str:
    """A file whose name begins with a dash, such as -3.mp4, is no option."""
    path = Path(word)
    return f".{os.sep}{word}" if word.startswith("-") and path.suffix and path.is_file() else word


def main() -> None:
    """Entry point of the ``mien`` executable."""
    open_missing_streams()
    leave_out_unneeded()
    sys.argv[1:1] = program_called(sys.argv[0])
    sys.argv[1:] = [_file_or_option(word) for word in sys.argv[1:]]
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)


if __name__ == "__main__":
    main()

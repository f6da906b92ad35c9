"""``mien FeatureExtraction``, ``FaceLandmarkImg``, ``FaceLandmarkVidMulti``: the original's programs."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from mien.dropin.flags import SUMMARIES, Program

_HELP = ("-h", "-help", "--help")
_PANEL = "OpenFace's programs, for scripts written for them"


class _Verbatim(TyperCommand):
    """A command that gets its words as they are: the original's flags have one dash and many letters."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, ["--", *args])


def add_openface_programs(app: typer.Typer) -> None:
    """Make the original's programs subcommands."""
    for program in Program:
        register = app.command(
            program.value,
            cls=_Verbatim,
            help=SUMMARIES[program],
            rich_help_panel=_PANEL,
            add_help_option=False,
        )
        register(_command(program))


def program_called(path: str) -> list[str]:
    """The subcommand that an executable stands for whose name, for instance as a link, is a program's."""
    name = PurePath(path).stem
    return [name] if name in tuple(Program) else []


def _command(program: Program) -> Any:
    def run(words: Annotated[list[str] | None, typer.Argument(metavar="FLAGS")] = None) -> None:
        code = _run(program, words or [])
        if code:
            raise typer.Exit(code)

    return run


def _run(program: Program, words: list[str]) -> int:
    from mien.cli.exit_codes import ExitCode
    from mien.dropin.describe import help_text

    if not words or set(words) & set(_HELP):
        typer.echo(help_text(program))
        return ExitCode.OK if words else ExitCode.USAGE
    from mien.cli.openface_run import run_request
    from mien.dropin.request import read_request

    return run_request(read_request(program, words))

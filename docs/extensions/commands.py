"""``{mien-commands}``: every command with its options, from the parser that ``--help`` is printed from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from mien.cli.main import app as mien
from mien.dropin.describe import help_text
from mien.dropin.flags import Program

_ARGUMENTS, _OPTIONS = "Arguments", "Options"


def commands_of(group: Any, name: str) -> Iterator[tuple[str, Any]]:
    """All commands of a group by what is typed to call them, those of its groups too."""
    for word, command in group.commands.items():
        typed = f"{name} {word}"
        if getattr(command, "commands", None):
            yield from commands_of(command, typed)
        else:
            yield typed, command


def all_commands() -> dict[str, Any]:
    """Every command of mien by what is typed: ``mien analyze``, ``mien models fetch``."""
    return dict(commands_of(typer.main.get_command(mien), "mien"))


def records_of(command: Any, typed: str) -> dict[str, list[tuple[str, str]]]:
    """What ``--help`` says of arguments and options, (spelling, text), by the panel they stand in."""
    context = command.make_context(typed, [], resilient_parsing=True)
    panels: dict[str, list[tuple[str, str]]] = {}
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            usual = _ARGUMENTS if parameter.param_type_name == "argument" else _OPTIONS
            panel = getattr(parameter, "rich_help_panel", None) or usual
            spelling, text = (part.replace("\\[", "[") for part in record)
            panels.setdefault(panel, []).append((spelling, text))
    return panels


class CommandsDirective(SphinxDirective):
    """A section for every command."""

    def run(self) -> list[nodes.Node]:
        """Make the sections."""
        return [self._section(typed, command) for typed, command in all_commands().items()]

    def _section(self, typed: str, command: Any) -> nodes.section:
        identifier = typed.replace(" ", "-").lower()
        section = nodes.section(ids=[identifier], names=[typed.lower()])
        section += nodes.title(typed, typed)
        self.state.document.note_explicit_target(section)
        programs = {f"mien {program.value}": program for program in Program}
        if typed in programs:
            text = help_text(programs[typed])
            section += nodes.literal_block(text, text, language="none")
            return section
        section += [nodes.paragraph(text, text) for text in _paragraphs(command.help)]
        for panel, records in records_of(command, typed).items():
            section += nodes.rubric(panel, panel)
            section += _definitions(records)
        section += [nodes.paragraph(text, text) for text in _paragraphs(command.epilog)]
        return section


def _paragraphs(text: str | None) -> list[str]:
    return [" ".join(paragraph.split()) for paragraph in (text or "").split("\n\n") if paragraph.strip()]


def _definitions(records: list[tuple[str, str]]) -> nodes.definition_list:
    items = nodes.definition_list(classes=["options"])
    for spelling, text in records:
        term = nodes.term("", "", nodes.literal(spelling, spelling))
        items += nodes.definition_list_item(
            "", term, nodes.definition("", nodes.paragraph(text, " ".join(text.split())))
        )
    return items


def setup(app: Sphinx) -> dict[str, bool]:
    """Make the directive known."""
    app.add_directive("mien-commands", CommandsDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

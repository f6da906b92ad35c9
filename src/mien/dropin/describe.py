"""The table of flags as text: for ``--help``, and for the documentation."""

from __future__ import annotations

import textwrap

from mien.dropin.flags import FLAGS, SECTIONS, SUMMARIES, Flag, Program, Support

_WIDTH, _LINE = 27, 110


def help_text(program: Program) -> str:
    """What ``mien PROGRAM --help`` prints."""
    lines = [f"Usage: mien {program} FLAGS", "", f"  {SUMMARIES[program]}", ""]
    lines += [
        "  Flags may come in any order. Without any of -2Dfp -3Dfp -pdmparams -pose -aus -gaze -hogalign",
        "  -simalign -tracked all of these outputs are written. docs/openface-commands.md says more.",
    ]
    for section, flags in SECTIONS.items():
        lines += ["", f"{section}:", *(_help_line(flag, program) for flag in flags)]
    return "\n".join(lines)


def _help_line(flag: Flag, program: Program) -> str:
    notes = {
        Support.HONOURED: f" [{flag.default}]" if flag.default else "",
        Support.NO_EFFECT: f" (no effect here: {flag.elsewhere})",
        Support.NO_WINDOW: " (mien opens none)",
        Support.REFUSED: f" (refused: {flag.refused})",
    }
    own = " (mien's own)" if flag.own else ""
    text = flag.meaning + own + notes[flag.support(program)]
    first, *others = textwrap.wrap(text, _LINE - _WIDTH - 2)
    return "\n".join([f"  {flag.usage:{_WIDTH}}{first}", *(" " * (_WIDTH + 2) + line for line in others)])


def markdown_table() -> str:
    """The table of docs/openface-commands.md."""
    rows = ["| flag | meaning | default | mien |", "|---|---|---|---|"]
    for flag in FLAGS:
        default = f"`{flag.default}`" if flag.default else ""
        rows.append(f"| `{flag.usage}` | {flag.meaning} | {default} | {_treatment(flag)} |")
    return "\n".join(rows)


def _treatment(flag: Flag) -> str:
    if flag.window:
        return "a warning: mien opens no windows"
    where = [program for program in Program if program in flag.programs]
    honoured = "mien's own" if flag.own else "as in OpenFace"
    text = f"an error: {flag.refused}" if flag.refused else honoured
    if len(where) < len(Program):
        others = ", ".join(program for program in Program if program not in flag.programs)
        text += f"; no effect in {others}, where a warning says so: {flag.elsewhere}"
    return text

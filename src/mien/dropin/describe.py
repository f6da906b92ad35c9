"""The table of flags as text, for ``--help``."""

from __future__ import annotations

import textwrap

from mien.dropin.flags import SECTIONS, SUMMARIES, Flag, Program, Support

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

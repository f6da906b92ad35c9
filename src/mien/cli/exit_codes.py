"""Exit codes of the command line; scripts may rely on them."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the program says when it ends."""

    OK = 0
    ERROR = 1
    USAGE = 2
    INCOMPLETE_SOURCE = 3
    NO_FACE = 4
    INTERRUPTED = 130


EXIT_CODES_HELP = (
    "Exit codes: 0 done; 1 error; 2 wrong usage; 3 analysed, but part of the source could not be read; "
    "4 with -q: analysed, but no face was found; 130 interrupted, the table so far is kept as "
    "NAME.partial.csv."
)

"""Command lines of the original: flags with one dash, in any order (docs/openface-commands.md)."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mien.dropin.flags import BY_NAME, Flag, Kind, Program, Support
from mien.errors import OptionError


@dataclass(frozen=True, slots=True)
class Arguments:
    """A command line, understood.

    Attributes
    ----------
    program
        Whose it is.
    given
        Flags that are honoured, with their values, in the order of the command line; True for a switch.
    warnings
        What was given and has no effect, and why.
    """

    program: Program
    given: tuple[tuple[str, Any], ...]
    warnings: tuple[str, ...]

    def __contains__(self, name: object) -> bool:
        return any(name == given for given, _ in self.given)

    def all(self, *names: str) -> list[Any]:
        """Every value of these flags, in the order of the command line."""
        return [value for name, value in self.given if name in names]

    def last(self, *names: str, default: Any = None) -> Any:
        """The value that counts: the last one."""
        return (self.all(*names) or [default])[-1]


def parse(program: Program, words: Sequence[str]) -> Arguments:
    """Understand a command line.

    Parameters
    ----------
    program
        Whose it is.
    words
        Its words after the program's name.

    Returns
    -------
    Arguments
        With a warning for everything that has no effect: unknown words, as the original ignores them, flags
        of its other programs, and windows.

    Raises
    ------
    OptionError
        A value is missing or is not what its flag takes, or results would depend on a flag that mien can't
        honour.
    """
    given: list[tuple[str, Any]] = []
    warnings: list[str] = []
    refused: list[Flag] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        flag = BY_NAME.get(word)
        if flag is None:
            warnings.append(_unknown(word, rest))
            continue
        value = True if flag.kind is Kind.SWITCH else _value(flag, rest)
        support = flag.support(program)
        if support is Support.REFUSED:
            refused.append(flag)
        elif support is Support.HONOURED:
            given.append((flag.name, value))
        else:
            warnings.append(_without_effect(flag, program, support))
        if flag.name == "-wild" and any(other.name == "-fdloc" for other in refused):
            refused = [other for other in refused if other.name != "-fdloc"]
            warnings.append("-fdloc: no effect, as -wild after it chooses MTCNN again, in OpenFace too")
    if refused:
        raise OptionError("; ".join(f"{flag.name}: {flag.refused}" for flag in refused))
    return Arguments(program, tuple(given), tuple(dict.fromkeys(warnings)))


def _value(flag: Flag, rest: list[str]) -> Any:
    if not rest or rest[0] in BY_NAME:
        got = f"the flag {rest[0]}" if rest else "the end of the command line"
        raise OptionError(f"{flag.name}: expected {flag.value} ({flag.kind}) after it, got {got}")
    text = rest.pop(0)
    try:
        return _converted(flag.kind, text)
    except ValueError as error:
        raise OptionError(f"{flag.name}: expected {flag.kind}, got {text!r}") from error


def _converted(kind: Kind, text: str) -> Any:
    if kind is Kind.TEXT:
        if not text:
            raise ValueError("empty")
        return text
    if kind is Kind.NUMBER:
        number = float(text)
        if not math.isfinite(number):
            raise ValueError("not finite")
        return number
    whole = int(text)
    if kind is Kind.ZERO_OR_ONE:
        if whole not in (0, 1):
            raise ValueError("neither 0 nor 1")
        return bool(whole)
    return whole


def _unknown(word: str, rest: list[str]) -> str:
    """Name an unknown word, with the values that follow it."""
    words = [word]
    while word.startswith("-") and rest and not rest[0].startswith("-"):
        words.append(rest.pop(0))
    close = difflib.get_close_matches(word, BY_NAME, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"{' '.join(words)}: unknown to OpenFace 2.2, which ignores it, and so does mien{hint}"


def _without_effect(flag: Flag, program: Program, support: Support) -> str:
    if support is Support.NO_WINDOW:
        return f"{flag.name}: mien opens no windows; results do not depend on it"
    return f"{flag.name}: no effect in {program}, in OpenFace neither: {flag.elsewhere}"

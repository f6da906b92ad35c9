"""Conversion of options' values without Pydantic, which newer versions of Typer import for it.

Importing it and building its validators for the options of ``mien analyze`` takes 0.1 s, a sixth of the time
until the first row. Text that is not what an option expects is left to Typer, which says what is wrong. With
other versions of Typer this does nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def convert_plainly(command: Any, ctx: Any) -> None:
    """Make a command's options of the usual types convert their values by the types themselves.

    Parameters
    ----------
    command
        A command as Typer made it.
    ctx
        The context that it is called in.
    """
    for parameter in command.get_params(ctx):
        kind: Any = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
        item = kind.__args__[0] if getattr(kind, "__origin__", None) is list else kind
        if item in _PLAIN and getattr(parameter, "_runtime_param", parameter) is None:
            parameter._runtime_param = _PlainValue(kind, _PLAIN[item])


def _flag(value: Any) -> bool:
    """Let flags pass, which are no text."""
    if isinstance(value, bool):
        return value
    raise ValueError


_PLAIN: dict[Any, Callable[[Any], Any]] = {str: str, int: int, float: float, Path: Path, bool: _flag}


class _PlainValue:
    """What Typer asks for an option's value."""

    def __init__(self, kind: Any, convert: Callable[[str], Any]) -> None:
        self._kind = kind
        self._convert = convert

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Value of an option from its text, or from its default."""
        several = param.multiple or param.nargs == -1
        if value is None:
            return () if several else None
        if not several and value.__class__ is self._kind and self._kind is not str:
            return value
        try:
            if several:
                return [self._convert(text) for text in value]
            return self._convert(value)
        except (TypeError, ValueError):
            param._runtime_param = None
            return param.get_runtime_param().coerce(value, param=param, ctx=ctx)

"""What the documentation shows in fences: commands to type, usage, output, Python."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = sorted(
    page for pattern in ("README.md", "CONTRIBUTING.md", "docs/**/*.md") for page in ROOT.glob(pattern)
)
_FENCE = re.compile(
    r"^(?P<mark><!-- output -->\n+)?(?P<fence>```+)(?P<language>[^\n`]*)\n(?P<text>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
_INLINE = re.compile(r"`(mien [^`]+)`")
_PROGRAM = re.compile(r"^\s*(?:mien|python3?|pip|dask|ln|cp|mkdir|export) ", re.MULTILINE)
_GRAMMAR = re.compile(r"\[[-\w]|…|\b[A-Z]{3,}\b")
_LONG = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
_COMMENT = re.compile(r"(?<!\S)#.*$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fence of a page.

    ``kind`` is "run" (commands), "python", "usage" (what a command takes), "output" (of what stands above) or
    "other" (files, drawings, formulas).
    """

    page: Path
    line: int
    language: str
    kind: str
    text: str


def name_of(page: Path) -> str:
    """How tests call a page."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> Iterator[Block]:
    """All fences of a page, in order."""
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        language = found["language"].strip()
        line = text.count("\n", 0, found.start("fence")) + 1
        kind = "output" if found["mark"] else _kind(language, found["text"])
        yield Block(page, line, language, kind, found["text"])


def _kind(language: str, text: str) -> str:
    if language == "python":
        return "python"
    if language in ("sh", "bash", "shell", "console"):
        return "run"
    if language in ("", "text") and _PROGRAM.search(text):
        return "usage" if language == "text" or _GRAMMAR.search(text) else "run"
    return "other"


def indented_commands(page: Path) -> list[str]:
    """Lines that Markdown shows as code, and that no test would run."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    return [line for line in text.splitlines() if line.startswith("    ") and _PROGRAM.match(line)]


def inline_commands(page: Path) -> list[str]:
    """Commands within sentences."""
    return [
        " ".join(command.split())
        for command in _INLINE.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))
    ]


def options_named(command: str) -> set[str]:
    """Long options that a command or its usage names, also in the alternatives of one."""
    return set(_LONG.findall(_COMMENT.sub("", command)))


def words_of(command: str) -> list[str]:
    """What is typed, as far as a shell can tell its words apart."""
    try:
        return shlex.split(_COMMENT.sub("", command))
    except ValueError:
        return command.split()

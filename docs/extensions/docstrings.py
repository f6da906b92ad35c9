"""Docstrings and pages, written to be read in the repository, made into what Sphinx understands."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

_SEVERAL = re.compile(r"\w+(?:, \w+)+")
_ROOT = Path(__file__).resolve().parent.parent.parent
_ON_GITHUB = "https://github.com/mien-project/mien/blob/main/"
_PAGE = re.compile(r"(?<![\w`/])docs/([\w/-]+)\.md(?:#([\w-]+))?")


def separate_attributes(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Give each of several attributes with one text an entry of its own, as napoleon does with parameters."""
    inside = False
    out: list[str] = []
    waiting: list[str] = []
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if following and set(following) == {"-"}:
            inside = line == "Attributes"
        if waiting and line and not line.startswith(" "):
            waiting = _written(waiting, out)
        (waiting if inside and (waiting or _SEVERAL.fullmatch(line)) else out).append(line)
    _written(waiting, out)
    lines[:] = out


def _written(entry: list[str], out: list[str]) -> list[str]:
    """Write an entry once for each of its names; gives an empty one."""
    for attribute in entry[0].split(", ") if entry else ():
        out += [attribute, *entry[1:]]
    return []


def link_pages(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Turn ``docs/live.md`` in a docstring into a link to that page."""
    for number, line in enumerate(lines):
        lines[number] = _PAGE.sub(lambda found: f":doc:`/{found[1]}`", line)


def link_files(app: Sphinx, doctree: nodes.document) -> None:
    """Send links to files beside ``docs/``, such as a benchmark, to the repository."""
    page = Path(doctree["source"])
    for reference in list(doctree.findall(pending_xref)):
        target = reference.get("reftarget", "")
        file = (page.parent / target.partition("#")[0]).resolve()
        if target.startswith("..") and file.is_relative_to(_ROOT) and file.exists() and not _is_page(file):
            path = posixpath.join(*file.relative_to(_ROOT).parts)
            link = nodes.reference("", "", *reference.children, refuri=_ON_GITHUB + path)
            reference.replace_self(link)


def _is_page(file: Path) -> bool:
    return file.is_relative_to(_ROOT / "docs")


def setup(app: Sphinx) -> dict[str, bool]:
    """Ask to see docstrings and pages."""
    # before napoleon, which reads the sections
    app.connect("autodoc-process-docstring", separate_attributes, priority=400)
    app.connect("autodoc-process-docstring", link_pages)
    app.connect("doctree-read", link_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""The site of the documentation builds without a warning, is complete, and loads nothing from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from documented_blocks import ROOT

from helpers_browser import accessibility_faults, open_browser, wait_for

DOCS = ROOT / "docs"
_LOADS = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "video": "src"}
_ELSEWHERE = re.compile(r"^(?:[a-z]+:)?//", re.IGNORECASE)
_STYLE_URL = re.compile(r"(?:url\(|@import\s+)[\s\"']*((?:https?:)?//[^)\s\"']+)")
_PAGES_LOOKED_AT = ("index.html", "tutorials/first-table.html", "reference/commands.html", "gallery.html")


class Page(HTMLParser):
    """What a page loads, links to and can be linked at."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.words: list[str] = []
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if values.get("id"):
            self.anchors.add(values["id"])
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        if tag in _LOADS and values.get(_LOADS[tag]) and values.get("rel") not in ("next", "prev", "index"):
            self.loaded.append(values[_LOADS[tag]])

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site, built as continuous integration builds it."""
    for package in ("sphinx", "myst_parser", "pydata_sphinx_theme"):
        pytest.importorskip(package, reason=f"needs {package}: pip install 'mien[docs]'")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", str(DOCS), str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site) -> dict[Path, Page]:
    """All pages of the site."""
    return {file: Page(file) for file in site.rglob("*.html")}


def test_every_page_of_the_repository_is_in_the_site(site, pages):
    meant = {page.relative_to(DOCS).with_suffix(".html") for page in DOCS.rglob("*.md")}
    assert meant - {file.relative_to(site) for file in pages} == set()


def test_pages_load_nothing_from_elsewhere(site, pages):
    loaded = [
        (file.name, address)
        for file, page in pages.items()
        for address in page.loaded
        if _ELSEWHERE.match(address)
    ]
    assert loaded == []
    assert sum(len(page.loaded) for page in pages.values()) > 100
    styles = [
        (file.name, _STYLE_URL.findall(file.read_text(encoding="utf-8"))) for file in site.rglob("*.css")
    ]
    assert [(name, found) for name, found in styles if found] == []


def test_links_within_the_site_lead_somewhere(pages):
    dead = []
    for file, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            known = pages[target].anchors if target in pages else None
            if not target.exists() or (parts.fragment and known is not None and parts.fragment not in known):
                dead.append((file.name, link))
    assert dead == []


def test_the_reference_has_every_public_name(pages):
    anchors = set().union(*(page.anchors for page in pages.values()))
    missing = {
        f"{module}.{name}"
        for module in ("mien", "mien.sides", "mien.study", "mien.results")
        for name in import_module(module).__all__
        if not {f"{module}.{name}", f"mien.{name}"} & anchors
    }
    # __version__ is a text, and mien.sides, which is also a module, is documented as its function.
    assert missing == {"mien.__version__", "mien.sides"}
    assert "mien.sides.analysis.sides" in anchors


def test_attributes_that_share_a_text_all_get_it(site, monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS / "extensions"))
    separate = import_module("docstrings").separate_attributes
    lines = ["Attributes", "----------", "a, b", "    Two.", "c", "    x, y", "d, e", "    More.", ""]
    lines += ["Raises", "------", "X, Y"]
    separate(None, "class", "", None, None, lines)
    assert lines[2:6] == ["a", "    Two.", "b", "    Two."]
    assert lines[6:8] == ["c", "    x, y"]
    assert lines[8:14] == ["d", "    More.", "", "e", "    More.", ""]
    assert lines[14:] == ["Raises", "------", "X, Y"]


def test_the_page_of_commands_has_all_that_help_prints(site, pages):
    import typer
    from typer.testing import CliRunner

    from mien.cli.main import app

    shown = set(" ".join(pages[site / "reference" / "commands.html"].words).split())
    commands = {(name,): command for name, command in typer.main.get_command(app).commands.items()}
    for name, command in commands[("models",)].commands.items():
        commands["models", name] = command
    for words in commands:
        said = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).output
        options = set(re.findall(r"(?<=[\s│])--[a-z][a-z-]+", said))
        assert options, words
        assert {option for option in options if not any(option in word for word in shown)} == set(), words


@pytest.fixture(scope="module")
def browser(site):
    """A real browser; it opens pages as files, without a server."""
    with open_browser() as driver:
        yield driver


@pytest.mark.parametrize("address", _PAGES_LOOKED_AT)
def test_pages_can_be_read_by_everybody(site, browser, address):
    browser.get((site / address).as_uri())
    assert accessibility_faults(browser) == []


def test_the_search_works_in_a_folder_without_a_server(site, browser):
    browser.get((site / "search.html").as_uri() + "?q=renormalise")
    assert wait_for(browser, "return document.querySelectorAll('#search-results li a').length") >= 2
    # scripts may have added elements that load something
    loaded = browser.execute_script(
        "return [...document.querySelectorAll('script[src], link[href], img[src], iframe[src]')]"
        ".map(each => each.src || each.href)"
    )
    assert len(loaded) > 5
    assert [address for address in loaded if not address.startswith("file:")] == []

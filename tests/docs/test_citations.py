"""What documentation and docstrings point to exists: pages, anchors, pictures; and their examples run."""

from __future__ import annotations

import doctest
import importlib
import re
import sys
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "benchmarks/*.md", "tests/data/**/*.md")
    for page in ROOT.glob(pattern)
)
CODE = sorted(
    file for folder in ("src", "benchmarks", "tests", "tools") for file in (ROOT / folder).rglob("*.py")
)
ALGORITHMS = ROOT / "docs" / "algorithms"
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CITATION = re.compile(r"docs/[\w./-]+\.md(?:#[\w-]+)?")
_SECTION = chr(0xA7)
_PRIVATE = re.compile(r"(?<![\w/-])(landmarks|action-units|gaze-pose-output)\.md\b")


def names(paths: list[Path]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in paths]


@cache
def anchors(page: Path) -> frozenset[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    found: dict[str, int] = {}
    out = []
    for line in _FENCE.sub("", page.read_text(encoding="utf-8")).splitlines():
        if line.startswith("#"):
            words = re.sub(r"[`*]", "", line.lstrip("#").strip()).lower()
            slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
            count = found[slug] = found.get(slug, -1) + 1
            out.append(f"{slug}-{count}" if count else slug)
    return frozenset(out)


def fault(target: str, page: Path) -> str | None:
    """What is wrong with a relative link, or None."""
    path, _, anchor = target.partition("#")
    file = (page.parent / path).resolve() if path else page
    if not file.exists():
        return f"{target}: no such file"
    if anchor and anchor not in anchors(file):
        return f"{target}: no such heading"
    return None


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_links_of_a_page_resolve(page: Path):
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    targets = [target for target in _LINK.findall(text) if not re.match(r"[a-z]+:", target)]
    assert [wrong for target in targets if (wrong := fault(target, page))] == []


def test_a_missing_file_and_a_missing_heading_are_noticed():
    page = ALGORITHMS / "README.md"
    assert fault("no-such-page.md", page) == "no-such-page.md: no such file"
    assert fault("papers.md#no-such-heading", page) == "papers.md#no-such-heading: no such heading"
    assert fault("papers.md#what-was-published", page) is None


def test_pages_cited_in_code_exist():
    wrong = [
        f"{file.relative_to(ROOT)}: {fault(citation, ROOT / 'README.md')}"
        for file in CODE
        for citation in _CITATION.findall(file.read_text(encoding="utf-8"))
        if fault(citation, ROOT / "README.md") and file != Path(__file__)
    ]
    assert wrong == []


def test_nothing_cites_what_readers_do_not_have():
    wrong = [
        f"{file.relative_to(ROOT)}:{number}"
        for file in (*CODE, *PAGES)
        if file != Path(__file__)
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if _SECTION in line or _PRIVATE.search(line)
    ]
    assert wrong == []


def test_every_page_on_algorithms_is_in_their_list():
    listed = (ALGORITHMS / "README.md").read_text(encoding="utf-8")
    missing = [page.name for page in ALGORITHMS.glob("*.md") if f"({page.name}" not in listed]
    assert missing == ["README.md"]


def test_every_figure_is_shown_and_small():
    shown = {
        (page.parent / target).resolve()
        for page in PAGES
        for target in _LINK.findall(page.read_text(encoding="utf-8"))
    }
    figures = sorted((ALGORITHMS / "images").iterdir())
    assert [figure.name for figure in figures if figure.resolve() not in shown] == []
    assert sum(figure.stat().st_size for figure in figures) < 1_000_000


def exists(name: str) -> bool:
    """Whether a dotted name is a module, or something in one."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


@pytest.mark.parametrize("page", sorted(ALGORITHMS.glob("*.md")), ids=lambda page: page.stem)
def test_names_of_the_package_on_a_page_exist(page: Path):
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    assert [name for name in re.findall(r"`(mien(?:\.\w+)+)", text) if not exists(name)] == []


def test_a_name_that_does_not_exist_is_noticed():
    assert exists("mien.landmarks.kernels.place_reference")
    assert not exists("mien.landmarks.no_such_module")


@pytest.mark.parametrize("page", sorted(ALGORITHMS.glob("*.md")), ids=lambda page: page.stem)
def test_examples_of_a_page_give_what_it_says(page: Path):
    outcome = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert outcome.failed == 0


def test_addresses_elsewhere_are_well_formed():
    """`tools/check_links.py` asks whether they are still there; a test may not need the internet."""
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import check_links
    finally:
        sys.path.pop(0)
    found = check_links.used(check_links.pages())
    assert "https://bids.neuroimaging.io" in found
    wrong = [address for address in found if not is_address(address)]
    assert wrong == []


def is_address(text: str) -> bool:
    """Whether a text is an absolute address with a real host and no blanks or holes."""
    parts = urlsplit(text)
    return bool(
        parts.scheme == "https"
        and re.fullmatch(r"[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}", parts.netloc)
        and re.fullmatch(r"[!-~]*", text)
        and not {"<", ">", "{", "}"} & set(text)
    )


def test_an_address_that_cannot_be_right_is_noticed():
    assert is_address("https://example.org/a/b?c=d#e")
    assert not any(map(is_address, ("http://example.org", "https://example", "https://example.org/<NAME>")))


def test_pictures_of_the_documentation_are_small():
    pictures = [
        file for folder in ("docs/images", "docs/algorithms/images") for file in (ROOT / folder).rglob("*.*")
    ]
    assert sum(picture.stat().st_size for picture in pictures) < 1_500_000
    shown = {
        (page.parent / target).resolve()
        for page in PAGES
        for target in _LINK.findall(page.read_text(encoding="utf-8"))
    }
    assert [picture.name for picture in pictures if picture.resolve() not in shown] == []

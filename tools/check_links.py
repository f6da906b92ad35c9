"""Asks every address that the documentation points to whether it is still there.

    python tools/check_links.py [FILE...]

needs the internet, so no test runs it. Fetches each address once, some at the same time; says which answer
with an error, and ends with 1 if any does. Addresses of this project's own repository are left out: they may
be of the commit that is being checked.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parent.parent
_ADDRESS = re.compile(r"https?://[^\s<>\"'`\])|]+(?:\([^\s()]*\)[^\s<>\"'`\])|]*)*")
_OWN = "https://github.com/mien-project/mien"
_CODE = re.compile(r"^```.*?^```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
_REFUSED = (401, 403, 405, 429)
"""The address is there, but not for programs."""
_HEADERS = {"User-Agent": "mien-documentation-links"}


def pages() -> list[Path]:
    """All pages of the repository."""
    return sorted(page for pattern in ("*.md", "docs/**/*.md") for page in ROOT.glob(pattern))


def addresses(page: Path) -> Iterator[str]:
    """Addresses that a page points to, examples in code left out."""
    for address in _ADDRESS.findall(_CODE.sub("", page.read_text(encoding="utf-8"))):
        yield address.rstrip(".,;:")


def used(files: Iterable[Path]) -> dict[str, list[str]]:
    """Where each address stands."""
    found: dict[str, list[str]] = {}
    for page in files:
        for address in addresses(page):
            found.setdefault(address, []).append(page.name)
    return {address: names for address, names in found.items() if not address.startswith(_OWN)}


def fault(address: str) -> str | None:
    """What is wrong with an address, or None."""
    try:
        answer = requests.get(address, timeout=30, headers=_HEADERS, stream=True)
    except requests.RequestException as error:
        return type(error).__name__
    answer.close()
    return None if answer.ok or answer.status_code in _REFUSED else f"status {answer.status_code}"


def main() -> int:
    """Fetch all of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    places = used(parser.parse_args().files or pages())
    with ThreadPoolExecutor(8) as threads:
        faults = dict(zip(places, threads.map(fault, places), strict=True))
    for address, wrong in faults.items():
        if wrong is not None:
            print(f"{address}: {wrong} (in {', '.join(sorted(set(places[address])))})")
    print(f"{len(places)} addresses, {sum(wrong is not None for wrong in faults.values())} with an error")
    return int(any(faults.values()))


if __name__ == "__main__":
    sys.exit(main())

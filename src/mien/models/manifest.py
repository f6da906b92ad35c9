"""The list of OpenFace's files: sizes, SHA-256 sums, what they are for and where they can be had."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from mien.errors import ModelFileError
from mien.storage.regular_file import read_text

PACKAGED = Path(__file__).with_name("manifest.tsv")
GROUPS = ("clnf", "ce-clm", "extra")
"""What files are for: needed by everything, by the CE-CLM landmark model, by alternatives."""

_COLUMNS = ["path", "size", "sha256", "group", "addresses"]


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a pack.

    Attributes
    ----------
    path
        Where it is below the pack's folder, with forward slashes.
    size
        Bytes.
    sha256
        Its hash, 64 hexadecimal digits.
    group
        One of `GROUPS`.
    addresses
        Where it can be downloaded, to be tried in this order.
    """

    path: str
    size: int
    sha256: str
    group: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """All files of a pack, and its version."""

    version: str
    files: tuple[ModelFile, ...]

    def group(self, *names: str) -> tuple[ModelFile, ...]:
        """Give the files of some groups."""
        return tuple(file for file in self.files if file.group in names)


def read_manifest(path: Path = PACKAGED) -> Manifest:
    """Read a manifest.

    Parameters
    ----------
    path
        A table of tab-separated columns with comment lines ``# version V`` and ``# base ADDRESS``. Addresses
        of files that are no complete ones are completed by each base in turn.

    Returns
    -------
    Manifest
        Its files in the order of the table.

    Raises
    ------
    ModelFileError
        The table is not of this form.
    """
    version, bases, rows = "", [], []
    try:
        lines = read_text(path).splitlines()
    except OSError as error:
        raise ModelFileError(f"{path}: the list of model files cannot be read ({error})") from error
    for number, line in enumerate(lines, 1):
        match line.split():
            case ["#", "version", value]:
                version = value
            case ["#", "base", value]:
                bases.append(value)
            case [] | ["#", *_]:
                pass
            case _:
                rows.append((number, line.split("\t")))
    if not rows or rows[0][1] != _COLUMNS:
        raise ModelFileError(f"{path}: expected a table with columns {', '.join(_COLUMNS)}")
    return Manifest(version, tuple(_read_row(path, number, row, bases) for number, row in rows[1:]))


def _read_row(path: Path, number: int, row: list[str], bases: list[str]) -> ModelFile:
    try:
        name, size, sha256, group, addresses = row
        parts = PurePosixPath(name).parts
        if len(sha256) != 64 or group not in GROUPS or ".." in parts or name.startswith("/"):
            raise ValueError
        return ModelFile(name, int(size), sha256, group, tuple(_complete(addresses.split(), bases)))
    except ValueError:
        columns = ", ".join(_COLUMNS)
        raise ModelFileError(f"{path}: line {number}: expected {columns}, got {row}") from None


def _complete(addresses: list[str], bases: list[str]) -> Iterator[str]:
    for address in addresses:
        if "://" in address:
            yield address
        else:
            yield from (base + quote(address) for base in bases)

"""Finds model files in an existing OpenFace folder or archive, by name and hash."""

from __future__ import annotations

import hashlib
import os
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from mien.errors import MienError, SourceError
from mien.models.manifest import ModelFile

_MOST_TEXT = 1_000_000

Found = Callable[[ModelFile, bytes], None]
"""Called with a file that was wanted and its bytes."""


@dataclass
class SearchReport:
    """What a search came across.

    Attributes
    ----------
    found
        Paths, below the pack's folder, of the files that were found.
    different
        Wanted path by place of a file that has the right name but other content.
    """

    found: set[str] = field(default_factory=set)
    different: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Candidate:
    """A file with a wanted name: where it is, its size, and how to read it."""

    place: str
    size: int
    read: Callable[[], bytes]


def search(source: Path, wanted: tuple[ModelFile, ...], found: Found) -> SearchReport:
    """Look for files anywhere below a folder, or in a zip or tar archive.

    Text files whose lines end in CR LF are recognised too, and given as the original has them.

    Parameters
    ----------
    source
        Folder or archive.
    wanted
        The files to look for.
    found
        Told of each one, once.

    Returns
    -------
    SearchReport
        What was found, and what has the right name only.

    Raises
    ------
    SourceError
        The source does not exist or is neither folder nor archive.
    """
    by_name: dict[str, list[ModelFile]] = {}
    for file in wanted:
        by_name.setdefault(PurePosixPath(file.path).name, []).append(file)
    report = SearchReport()
    with _candidates(source) as candidates:
        for candidate in candidates:
            files = by_name.get(PurePosixPath(candidate.place.replace("\\", "/")).name, [])
            open_files = [file for file in files if file.path not in report.found]
            if open_files:
                _compare(candidate, open_files, report, found)
    for path in report.found:
        report.different.pop(path, None)
    return report


def _compare(candidate: _Candidate, files: list[ModelFile], report: SearchReport, found: Found) -> None:
    """Compare a candidate with all files of its name."""
    sizes = {file.size for file in files}
    if candidate.size not in sizes and candidate.size > _MOST_TEXT:
        data, plain = b"", b""
    else:
        data = candidate.read()
        plain = data.replace(b"\r\n", b"\n") if len(data) <= _MOST_TEXT else data
    sums = {hashlib.sha256(content).hexdigest(): content for content in (plain, data)}
    for file in files:
        if file.sha256 in sums:
            report.found.add(file.path)
            found(file, sums[file.sha256])
        else:
            report.different[file.path] = candidate.place


@contextmanager
def _candidates(source: Path) -> Iterator[Iterator[_Candidate]]:
    """Open a folder or archive and give all its files."""
    try:
        if source.is_dir():
            yield _in_folder(source)
        elif not source.exists():
            raise SourceError(f"{source}: no such folder or archive")
        elif not source.is_file():
            raise SourceError(
                f"{source} is a pipe or a device; expected an OpenFace folder, or an archive of one"
            )
        elif zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as archive:
                yield _in_zip(archive)
        elif tarfile.is_tarfile(source):
            with tarfile.open(source) as tar:
                yield _in_tar(tar)
        else:
            raise SourceError(f"{source}: expected an OpenFace folder, or a zip or tar archive of one")
    except MienError:
        raise
    except Exception as error:
        # zipfile and tarfile raise a dozen kinds of errors for damaged archives, MemoryError among them.
        raise SourceError(f"{source}: cannot be read ({error})") from error


def _in_folder(folder: Path) -> Iterator[_Candidate]:
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(root, name)
            if path.is_file():
                yield _Candidate(str(path), path.stat().st_size, path.read_bytes)


def _in_zip(archive: zipfile.ZipFile) -> Iterator[_Candidate]:
    for info in archive.infolist():
        if not info.is_dir():
            yield _Candidate(info.filename, info.file_size, lambda info=info: archive.read(info))  # type: ignore[misc]


def _in_tar(archive: tarfile.TarFile) -> Iterator[_Candidate]:
    for info in archive:
        if info.isfile():
            yield _Candidate(info.name, info.size, lambda info=info: _read_member(archive, info))  # type: ignore[misc]


def _read_member(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    member = archive.extractfile(info)
    return member.read() if member is not None else b""

"""The recordings of a study: found below a folder, or named by a list."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from mien.errors import OptionError, SourceError
from mien.study.home import HOME, is_own, within_limits
from mien.study.listing import Listing, one_form, read_listing, slashes
from mien.video.source import IMAGE_SUFFIXES, VIDEO_SUFFIXES, are_pictures

LIST_SUFFIXES = (".csv", ".tsv", ".txt")


@dataclass(frozen=True, slots=True)
class Recording:
    """A video or a picture of a study.

    Attributes
    ----------
    source
        The file.
    name
        Its path below the study's folder, with slashes: what it is called everywhere.
    size, modified_ns
        Bytes, and time of the last change, as the file system has it.
    values
        What the list says of it.
    is_picture
        Whether it is a picture; animations are videos.
    fault
        Why it can't be analysed, where that is known already.
    """

    source: Path
    name: str
    size: int = 0
    modified_ns: int = 0
    values: Mapping[str, str] = field(default_factory=dict)
    is_picture: bool = False
    fault: str = ""

    def is_unchanged(self) -> bool:
        """Whether the file is still as it was found; some file systems count in steps of two seconds."""
        try:
            about = self.source.stat()
        except (OSError, ValueError):
            return False
        return about.st_size == self.size and abs(about.st_mtime_ns - self.modified_ns) <= 2e9


@dataclass(frozen=True, slots=True)
class Choice:
    """Which files below a folder are taken.

    Attributes
    ----------
    include
        Patterns such as "*.mp4" or "session1/**"; a file is taken if its name, or its path below the folder,
        fits one of them. Without any, all videos and pictures are.
    exclude
        Patterns of files that are left out all the same.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def takes(self, name: str) -> bool:
        """Whether a file is taken, by its path below the folder."""
        if any(fits(name, pattern) for pattern in self.exclude):
            return False
        if self.include:
            return any(fits(name, pattern) for pattern in self.include)
        return PurePosixPath(name).suffix.lower() in (*VIDEO_SUFFIXES, *IMAGE_SUFFIXES)


def fits(name: str, pattern: str) -> bool:
    """Whether a path with slashes fits a pattern: as a whole, or its last part one without slashes."""
    name, pattern = one_form(name), one_form(slashes(pattern)).removeprefix("./")
    if "/" not in pattern:
        return fnmatchcase(PurePosixPath(name).name.casefold(), pattern.casefold())
    return fnmatchcase(name.casefold(), pattern.casefold())


def find_recordings(
    place: Path, output: Path, choice: Choice | None = None
) -> tuple[list[Recording], tuple[str, ...]]:
    """Find the recordings of a study.

    Parameters
    ----------
    place
        A folder, or a list (`mien.study.listing`), whose files are looked for beside it.
    output
        Where results go; what lies in there is no recording.
    choice
        Which files are taken.

    Returns
    -------
    (list of Recording, tuple of str)
        In the order of their names, or of the list; further columns of the list.

    Raises
    ------
    SourceError
        There is nothing of the kind.
    TableError
        The list can't be read.
    OptionError
        Results would go among the recordings.
    """
    choice = choice or Choice()
    if os.path.isdir(place):
        if output.resolve() == place.resolve():
            raise OptionError(
                f"{output}: expected another folder than that of the recordings; choose it with -o"
            )
        found = [each for each in _walk(place, output, choice) if not _excluded(each, choice)]
        if not found:
            what = f"a file that fits {', '.join(choice.include)}" if choice.include else "videos or pictures"
            raise SourceError(f"{place}: expected {what} in it or its folders, found none")
        return found, ()
    if os.path.isfile(place) and place.suffix.lower() in LIST_SUFFIXES:
        listing = read_listing(place)
        found = [each for each in _listed(listing) if choice.takes(each.name) or not choice.include]
        return [each for each in found if not _excluded(each, choice)], listing.columns
    kind = "is no folder and no list (.csv)" if os.path.exists(place) else "does not exist"
    raise SourceError(f"{place} {kind}; expected a folder with recordings, or a CSV list of them")


def _excluded(recording: Recording, choice: Choice) -> bool:
    names = (recording.name, f"{recording.name}/")  # a folder that can't be read has a fault
    return any(fits(name, pattern) for name in names for pattern in choice.exclude)


def _walk(folder: Path, output: Path, choice: Choice) -> Iterator[Recording]:
    """Files below a folder, in order, and folders that can't be read; hidden ones and results are left out.

    Links to folders elsewhere are followed; no folder is entered twice.
    """
    own = folder.resolve()
    entered, closed = {own, output.resolve()}, list[OSError]()
    for path, folders, files in os.walk(folder, followlinks=True, onerror=closed.append):
        below = Path(path).relative_to(folder)
        folders[:] = [name for name in sorted(folders) if _enters(Path(path, name), own, entered)]
        for name in sorted(files):
            if not name.startswith(".") and choice.takes((below / name).as_posix()):
                yield _recording(Path(path, name), (below / name).as_posix())
    for error in closed:
        place = Path(error.filename)
        if place == folder:
            raise SourceError(f"{folder} can't be read: {error.strerror}; expected a folder with recordings")
        name = place.relative_to(folder).as_posix()
        yield Recording(place, name, fault=f"the folder {place} can't be read: {error.strerror}")


def _enters(path: Path, own: Path, entered: set[Path]) -> bool:
    """Whether a folder is looked into: not if it is hidden, has results, or is or was looked into anyway."""
    real = path.resolve()
    known = path.is_symlink() and (real.is_relative_to(own) or own.is_relative_to(real))
    if path.name.startswith(".") or known or real in entered or os.path.isdir(path / HOME):
        return False
    entered.add(real)
    return True


def _recording(source: Path, name: str, values: Mapping[str, str] | None = None) -> Recording:
    try:
        about = source.stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return Recording(source, name, values=values or {}, fault=f"{source}: {reason}; expected a file")
    if not source.is_file():
        return Recording(source, name, values=values or {}, fault=f"{source} is no file; expected one")
    return Recording(
        source, name, about.st_size, about.st_mtime_ns, values or {}, is_picture=are_pictures(source)
    )


def _listed(listing: Listing) -> list[Recording]:
    """Recordings of a list; those elsewhere keep their folders from the one that all have in common."""
    base = Path(os.path.abspath(listing.path.parent))
    sources = [Path(os.path.abspath(base / _as_here(line.file, base))) for line in listing.lines]
    if not all(source.is_relative_to(base) for source in sources):
        try:
            base = Path(os.path.commonpath([source.parent for source in sources]))
        except ValueError:  # several drives of Windows
            base = Path()
    made = []
    for source, line in zip(sources, listing.lines, strict=True):
        below = source.relative_to(base) if source.is_relative_to(base) else _without_drive(source)
        made.append(_recording(source, below.as_posix(), line.values))
    twice = [name for name, count in Counter(each.name for each in made).items() if count > 1]
    if twice:
        raise OptionError(f"{listing.path}: {twice[0]} is named several times; expected every file once")
    return made


def _as_here(file: str, base: Path) -> str:
    """A file as this system writes it: lists may come from Windows, files from a Mac that takes ü apart."""
    there = slashes(file)
    ways = (file, there, *(unicodedata.normalize(form, there) for form in ("NFC", "NFD")))
    return next((way for way in dict.fromkeys(ways) if os.path.exists(base / way)), there)


def _without_drive(path: Path) -> Path:
    return Path(*(part.strip(":\\/") for part in path.parts))


def table_bases(names: Sequence[str]) -> list[PurePosixPath]:
    """What the results of recordings are called below the folder of results.

    Parameters
    ----------
    names
        Paths of the recordings, with slashes.

    Returns
    -------
    list of PurePosixPath
        The same path without its ending; with it where recordings differ in nothing else, or where files of
        the study itself or of analyses that ended early are called so. Very long names are cut.
    """
    bare = [PurePosixPath(name).with_suffix("") for name in names]
    count = Counter(str(path).casefold() for path in bare)
    made = [
        path if count[str(path).casefold()] == 1 and not _is_taken(path) else PurePosixPath(name)
        for path, name in zip(bare, names, strict=True)
    ]
    return [path.with_name(within_limits(path.name)) for path in made]


def _is_taken(path: PurePosixPath) -> bool:
    return (len(path.parts) == 1 and is_own(path.name)) or path.suffix.lower() == ".partial"

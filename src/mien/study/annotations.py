"""Events as tiers of annotations, for ELAN and for Praat."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.errors import OutputError
from mien.results.annotation_tiers import need_annotations
from mien.results.files import whole_file
from mien.study.find import table_bases

if TYPE_CHECKING:
    from mien.study.event import Event

_ANNOTATOR = "mien"


def write_annotations(
    events: Sequence[Event],
    path: str | Path,
    *,
    media: str | Path | None = None,
    end_s: float | None = None,
) -> None:
    """Write events of one recording as tiers, one for every face, name and signal.

    Parameters
    ----------
    events
        The events. Those of one tier don't overlap.
    path
        NAME.eaf for ELAN, NAME.TextGrid for Praat.
    media
        The video, which ELAN opens beside its tiers.
    end_s
        How long the recording is, s; by default the events end with it.

    Raises
    ------
    OptionError
        pympi-ling is not installed.
    OutputError
        The file can't be written there, its name ends in something else, or the events are of several
        recordings.
    """
    path = Path(path)
    need_annotations()
    if len({event.file for event in events}) > 1:
        raise OutputError(f"{path}: expected events of one recording, got several; write one file for each")
    if path.suffix.lower() == ".eaf":
        _write_elan(events, path, media)
    elif path.suffix.lower() == ".textgrid":
        _write_praat(events, path, end_s)
    else:
        raise OutputError(f"{path}: expected a name that ends in .eaf or .TextGrid")


def write_each(events: Iterable[Event], folder: Path, endings: Sequence[str]) -> list[Path]:
    """Write the events of every recording into files named after it, in its folders where names are the same.

    Parameters
    ----------
    events
        Events of one or more recordings.
    folder
        Where the files go.
    endings
        ".eaf", ".TextGrid".

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    OptionError, OutputError
        As `write_annotations`.
    """
    of_file = {file: list(found) for file, found in groupby(events, key=lambda event: event.file)}
    written = []
    for base, found in zip(_bases(list(of_file)), of_file.values(), strict=True):
        for ending in endings:
            path = folder / f"{base}{ending}"
            write_annotations(found, path)
            written.append(path)
    return written


def _bases(files: Sequence[str]) -> list[str]:
    """What files of these recordings are called: as they, or where two have one name, with their folders."""
    bare = [Path(file).stem for file in files]
    if len({name.casefold() for name in bare}) == len(bare):
        return bare
    places = [Path(os.path.abspath(file)) for file in files]
    try:
        base = os.path.commonpath([place.parent for place in places])
    except ValueError as error:  # several drives of Windows
        raise OutputError("several recordings have the same name; write their events one by one") from error
    return [str(name) for name in table_bases([place.relative_to(base).as_posix() for place in places])]


def tiers(events: Iterable[Event]) -> Iterator[tuple[str, list[Event]]]:
    """Names of tiers with their events."""
    events = list(events)
    several = len({event.face_id for event in events}) > 1

    def place(event: Event) -> tuple[int, str, str]:
        return event.face_id, event.name, event.signal

    for (face_id, name, signal), found in groupby(sorted(events, key=place), key=place):
        before = f"face {face_id} " if several else ""
        yield f"{before}{name} ({signal})", list(found)


def label(event: Event) -> str:
    """What an annotation says: the peak, and which end of the event is not seen."""
    peak = "present" if math.isnan(event.peak) else f"{event.peak:.2f}"
    return f"{'…' * (not event.onset_seen)}{peak}{'…' * (not event.offset_seen)}"


def _write_elan(events: Sequence[Event], path: Path, media: str | Path | None) -> None:
    from pympi.Elan import Eaf

    document = Eaf(author=_ANNOTATOR)
    document.remove_tier("default")
    if media is not None:
        video = Path(media).resolve()
        kind = _MEDIA_TYPES.get(video.suffix.lower(), "video/*")
        relative = None
        with contextlib.suppress(ValueError):
            relative = f"./{video.relative_to(path.resolve().parent).as_posix()}"
        document.add_linked_file(video.as_uri(), relpath=relative, mimetype=kind)
    for name, found in tiers(events):
        document.add_tier(name, ann=_ANNOTATOR)
        for event in found:
            begin, end = round(1000 * event.onset_s), round(1000 * event.offset_s)
            document.add_annotation(name, max(0, begin), max(end, begin + 1, 1), label(event))
    if not document.tiers:
        document.add_tier("no event", ann=_ANNOTATOR)
    _save(path, document)


_MEDIA_TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".mpg": "video/mpeg",
    ".mpeg": "video/mpeg",
    ".avi": "video/x-msvideo",
    ".wmv": "video/x-ms-wmv",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
}


def _write_praat(events: Sequence[Event], path: Path, end_s: float | None) -> None:
    from pympi.Praat import TextGrid

    # An object of Praat's has some length.
    document = TextGrid(xmax=max([1e-3, end_s or 0.0, *(event.offset_s for event in events)]))
    for name, found in tiers(events):
        tier = document.add_tier(name.replace('"', '""'))
        for event in found:
            tier.add_interval(max(0.0, event.onset_s), event.offset_s, label(event))
    if not document.tiers:
        document.add_tier("no event")
    _save(path, document)


def _save(path: Path, document: Any) -> None:
    """Let pympi write under a temporary name: it moves files away that are in its place."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "annotations"
        document.to_file(str(draft))
        with whole_file(path) as file:
            file.write(draft.read_bytes())

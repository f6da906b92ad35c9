"""Pictures as sources: single files, folders, and folders whose pictures follow one another like a video."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import Frame
from mien.errors import OptionError, SourceError
from mien.storage.regular_file import read_text
from mien.video.folders import is_hidden, missing_numbers, natural_key
from mien.video.source import IMAGE_SUFFIXES, FrameSource, SourceInfo, frame_of
from mien.video.stills import count_pages, read_still

_FARTHEST_PX = 1e7
OPENFACE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")
"""Endings that OpenFace takes from a folder, in this case only (docs/algorithms/output-table.md#reader)."""
NOMINAL_FPS = 30.0
"""Frame rate that a sequence of pictures is said to have where nobody gives one."""
_NAMED = 3
"""Files that a message names."""


def read_boxes(path: str | Path) -> NDArray[np.float32]:
    """Read the face boxes of one picture (docs/algorithms/pictures.md).

    Parameters
    ----------
    path
        Text with one face per line: min_x min_y max_x max_y, px, tight around the landmarks (brow to chin,
        cheek to cheek).

    Returns
    -------
    ndarray
        (N, 4) float32: x, y of the top-left corner, width, height.

    Raises
    ------
    SourceError
        The file is missing, or a line is not four numbers that make a box.
    """
    path = Path(path)
    try:
        lines = read_text(path).splitlines()
    except OSError as error:
        raise SourceError(f"{path}: expected the face boxes of a picture: {error.strerror}") from error
    rows = [_box(line, path, number) for number, line in enumerate(lines, start=1) if line.strip()]
    return np.array(rows, np.float32).reshape(-1, 4)


def _box(line: str, path: Path, number: int) -> tuple[float, float, float, float]:
    try:
        x0, y0, x1, y1 = (float(word) for word in line.replace(",", " ").split())
    except ValueError as error:
        raise SourceError(f"{path}, line {number}: expected min_x min_y max_x max_y, got {line!r}") from error
    if not (np.abs((x0, y0, x1, y1)).max() < _FARTHEST_PX and x1 > x0 and y1 > y0):
        raise SourceError(f"{path}, line {number}: expected min below max, got {line!r}")
    return x0, y0, x1 - x0, y1 - y0


def list_images(folder: str | Path, *, compat: str | None = None) -> list[Path]:
    """Pictures in a folder, sorted by name, numbers by their value: frame2 comes before frame10.

    Parameters
    ----------
    folder
        The folder; folders in it are not searched.
    compat
        "openface" takes only files ending in .jpg, .jpeg, .png or .bmp, in lower case, sorted character by
        character, as OpenFace does.

    Raises
    ------
    SourceError
        There is no such folder, or no picture in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise SourceError(f"{folder}: no such folder; expected one with pictures")
    wanted = OPENFACE_SUFFIXES if compat else IMAGE_SUFFIXES
    files = (path for path in folder.iterdir() if path.is_file())
    if compat:
        found = sorted((path for path in files if path.suffix in wanted), key=str)
    else:
        files = (path for path in files if not is_hidden(path))
        found = sorted((path for path in files if path.suffix.lower() in wanted), key=natural_key)
    if not found:
        raise SourceError(
            f"{folder} holds no picture; expected files ending in {', '.join(wanted)} (videos are given by "
            f"their own names: {folder / '*.mp4'})"
        )
    return found


def list_other_files(folder: str | Path) -> list[Path]:
    """Files of a folder that are no pictures by their names, hidden ones left out."""
    files = (path for path in Path(folder).iterdir() if path.is_file() and not is_hidden(path))
    return sorted((path for path in files if path.suffix.lower() not in IMAGE_SUFFIXES), key=natural_key)


class _Pictures:
    """Picture files in order; those that cannot be read are left out and counted, unless none can."""

    def __init__(self, source: str | Path | Sequence[str | Path], compat: str | None) -> None:
        single = isinstance(source, str | Path)
        sources = [Path(source)] if isinstance(source, str | Path) else [Path(path) for path in source]
        self._root = sources[0] if single else None
        if self._root is not None and not self._root.exists():
            raise SourceError(f"{source}: no such file or folder; expected pictures")
        self._files, self._other = list[Path](), list[Path]()
        for path in sources:
            self._files += list_images(path, compat=compat) if path.is_dir() else [path]
            self._other += list_other_files(path) if path.is_dir() else []
        if not self._files:
            raise SourceError("expected at least one picture, got none")
        self._name = self._files[0].name if len(self._files) == 1 else f"{len(self._files)} pictures"
        if self._root is not None:
            self._name = self._root.resolve().name
        self._pages = [0] * len(self._files)
        self._unreadable: list[Path] = []
        self._further: dict[Path, int] = {}

    @property
    def files(self) -> tuple[Path, ...]:
        """All picture files, in order; a frame's index counts them."""
        return tuple(self._files)

    @property
    def lost(self) -> str:
        """Which pictures could not be read so far, and of which only a part was; empty when all were."""
        parts = []
        if self._unreadable:
            count = len(self._unreadable)
            noun = "picture" if count == 1 else "pictures"
            parts.append(f"{count} {noun} could not be read: {_names(self._unreadable)}")
        if self._further:
            count = sum(self._further.values())
            noun = "further picture was" if count == 1 else "further pictures were"
            parts.append(f"{count} {noun} left out, of files that hold several: {_names(self._further)}")
        return "; ".join(parts)

    @property
    def notes(self) -> tuple[str, ...]:
        """What else a user should know: files that were passed over."""
        if not self._other:
            return ()
        noun = "file that is no picture was" if len(self._other) == 1 else "files that are no pictures were"
        names = _names(self._other)
        return (f"{len(self._other)} {noun} passed over: {names} (videos are given by their own names)",)

    def _read_all(self) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        self._unreadable.clear()
        self._further.clear()
        expanded = len(set(self._files)) < len(self._files)
        for index, (path, page) in enumerate(zip(self._files, self._pages, strict=True)):
            try:
                still = read_still(path, page)
            except SourceError as error:
                self._unreadable.append(path)
                if len(self._unreadable) == len(self._files):
                    raise self._none_readable(error) from error
                continue
            if still.further and not expanded:
                self._further[path] = still.further
            yield index, still.bgr

    def _none_readable(self, last: SourceError) -> SourceError:
        if len(self._files) == 1:
            return last
        return SourceError(f"none of {len(self._files)} pictures could be read; of the last: {last}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is kept open."""


def _names(paths: Iterable[Path]) -> str:
    """The first of some files by name, and how many more there are."""
    names = [path.name for path in paths]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


class ImageSet(_Pictures):
    """Pictures that have nothing to do with one another.

    Parameters
    ----------
    source
        A file, a folder, or several of them.
    compat
        "openface" takes from a folder what OpenFace takes; see `list_images`.
    boxes
        Folder with a text file of face boxes per picture, ``<picture's name without ending>.txt``; see
        `read_boxes`. By default faces are detected.

    Raises
    ------
    SourceError
        There is no picture, or a file of boxes is missing.
    """

    def __init__(
        self,
        source: str | Path | Sequence[str | Path],
        *,
        compat: str | None = None,
        boxes: str | Path | None = None,
    ) -> None:
        super().__init__(source, compat)
        self._boxes = None
        if boxes is not None:
            self._boxes = [read_boxes(Path(boxes) / f"{path.stem}.txt") for path in self._files]

    def __iter__(self) -> Iterator[Frame]:
        """Deliver the pictures; a frame's index is its place among `files`, its time 0."""
        for index, bgr in self._read_all():
            frame = frame_of(bgr, index)
            yield frame if self._boxes is None else replace(frame, boxes=self._boxes[index])

    def info_of(self, frame: Frame) -> SourceInfo:
        """Name and size of a picture."""
        path = self._files[frame.index]
        height, width = frame.gray.shape
        return SourceInfo(path.name, path, width, height, NOMINAL_FPS, 1)

    @property
    def name(self) -> str:
        """Short name for messages."""
        return self._name


class ImageSequence(_Pictures, FrameSource):
    """Pictures that follow one another: a video in single files.

    Parameters
    ----------
    source
        A folder, files in the order of time, or one file of many pages (TIFF) or frames.
    compat
        "openface": time stamps are 0, and a folder's files are those OpenFace takes.
    fps
        Pictures per second. By default it is not known, and all time stamps are 0.

    Raises
    ------
    SourceError
        There is no picture, or the first one cannot be read.
    OptionError
        The rate is not positive.
    """

    def __init__(
        self,
        source: str | Path | Sequence[str | Path],
        *,
        compat: str | None = None,
        fps: float | None = None,
    ) -> None:
        if fps is not None and not (fps > 0 and np.isfinite(fps)):
            raise OptionError(f"fps: expected more than 0 pictures per second, got {fps}")
        super().__init__(source, compat)
        if len(self._files) == 1 and (pages := count_pages(self._files[0])) > 1 and not compat:
            self._files *= pages
            self._pages = list(range(pages))
        self._gaps = missing_numbers(self._files) if len(set(self._files)) > 1 else ""
        self._interval_s = 0.0 if fps is None or compat else 1.0 / fps
        height, width = self._first_size()
        self._info = SourceInfo(self._name, self._root, width, height, fps or NOMINAL_FPS, len(self._files))
        self._sizes: list[str] = []

    @property
    def info(self) -> SourceInfo:
        """Name, number of pictures, size of the first."""
        return self._info

    @property
    def notes(self) -> tuple[str, ...]:
        """What else a user should know: files that were passed over, numbers that are missing."""
        more = len(self._sizes) - _NAMED
        rest = (f"the size of the pictures changes {more} more times",) if more > 0 else ()
        return (*super().notes, *((self._gaps,) if self._gaps else ()), *self._sizes[:_NAMED], *rest)

    def _first_size(self) -> tuple[int, ...]:
        """Height and width of the first picture that can be read."""
        for path, page in zip(self._files, self._pages, strict=True):
            try:
                return read_still(path, page).bgr.shape[:2]
            except SourceError as error:
                failure = error
        raise self._none_readable(failure) from failure

    def __iter__(self) -> Iterator[Frame]:
        """Deliver the pictures that can be read; the index counts all."""
        before = (self._info.height, self._info.width)
        self._sizes.clear()
        for index, bgr in self._read_all():
            if bgr.shape[:2] != before:
                (height, width), (old_height, old_width) = bgr.shape[:2], before
                size, old = f"{width}x{height} px", f"{old_width}x{old_height}"
                self._sizes.append(f"from frame {index + 1} on the picture is {size} instead of {old}")
                before = (height, width)
            yield frame_of(bgr, index, index * self._interval_s)

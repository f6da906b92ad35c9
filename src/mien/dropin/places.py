"""Where the original puts its files, and how it names them (docs/algorithms/output-table.md#names)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path


class Source(StrEnum):
    """What an input is."""

    FILE = "file"
    FOLDER = "folder"
    CAMERA = "camera"


@dataclass(frozen=True, slots=True)
class Input:
    """One input.

    Attributes
    ----------
    kind
        What it is.
    path
        As the user gave it, below -inroot; of a camera its number.
    """

    kind: Source
    path: str


@dataclass(frozen=True, slots=True)
class Place:
    """Folder of an input's outputs, and what their names begin with."""

    folder: Path
    base: str

    @property
    def table(self) -> Path:
        """The CSV file."""
        return self.folder / f"{self.base}.csv"


@dataclass(frozen=True, slots=True)
class Places:
    """Gives every input its place.

    Attributes
    ----------
    out_dir
        Folder of all outputs.
    names
        Values of -of; each is for the input at the same position.
    """

    out_dir: str = "processed"
    names: tuple[str, ...] = ()

    def of(self, position: int, source: Input) -> Place:
        """Place of the outputs of the input at a position, counted from 0."""
        if position < len(self.names):
            name = self.names[position]
            folder, last = os.path.split(name)
            return Place(Path(self.out_dir) / folder, Path(last).stem)
        return Place(Path(self.out_dir), base_of(source))


def base_of(source: Input) -> str:
    """A file's name without folder and last ending, a folder's own name, a camera's date and time."""
    if source.kind is Source.CAMERA:
        return f"webcam_{datetime.now():%Y-%m-%d-%H-%M}"
    path = Path(source.path)
    return path.resolve().name if source.kind is Source.FOLDER else path.stem


def below(root: str | None, path: str) -> str:
    """A path below -inroot; an absolute one stays as it is."""
    return path if root is None else os.path.join(root, path)

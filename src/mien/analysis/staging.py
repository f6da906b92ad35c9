"""A hidden folder in which the files of one source come together, before all of them get their places.

What processes that have died left behind is removed by the next one that writes there; see
`mien.storage.leftovers`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mien.errors import OutputError
from mien.results.files import naming_errors
from mien.storage.leftovers import remove_leftovers_once, unfinished_name, without_unfinished_folders


@contextmanager
def naming_places() -> Iterator[None]:
    """Let errors name the file that was wanted, not the hidden one."""
    try:
        yield
    except OutputError as error:
        raise OutputError(without_unfinished_folders(str(error))) from error


class Staging:
    """The hidden folder of one source.

    Parameters
    ----------
    folder
        Where its files shall be; made if needed.

    Raises
    ------
    OutputError
        Nothing can be written there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / unfinished_name()
        with naming_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            remove_leftovers_once(folder)
            self.path.mkdir()

    def commit(self, names: Iterable[str]) -> list[Path]:
        """Put files and folders in their places, in this order, then whatever else is there.

        New files are moved into a folder that exists already. Names that are not there are passed over.

        Parameters
        ----------
        names
            Of files and folders in the hidden folder.

        Returns
        -------
        list of Path
            Where those named are now.

        Raises
        ------
        OutputError
            Something can't be put there.
        """
        moved = [self.folder / name for name in names if self._move(name)]
        with naming_errors(self.folder):
            rest = sorted(entry.name for entry in os.scandir(self.path))
        for name in rest:
            self._move(name)
        self.discard()
        return moved

    def discard(self) -> None:
        """Remove what is in the hidden folder, and the folder."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _move(self, name: str) -> bool:
        staged, place = self.path / name, self.folder / name
        with naming_errors(place):
            if not staged.exists():
                return False
            if not (staged.is_dir() and place.is_dir()):
                os.replace(staged, place)
                return True
            for entry in list(os.scandir(staged)):
                os.replace(entry.path, place / entry.name)
        return True

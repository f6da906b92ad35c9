"""Output files and folders that exist whole or not at all."""

from __future__ import annotations

import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Self

from mien.errors import OutputError
from mien.storage.leftovers import remove_leftovers_once, unfinished_name


@contextmanager
def naming_errors(path: Path) -> Iterator[None]:
    """Turn the system's errors into an `OutputError` that names the file or folder."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(
            f"{path} can't be written: {reason}; choose another place or free the disk"
        ) from error


class Unfinished(ABC):
    """Something that is written under a temporary name beside its place and renamed when it is whole.

    `close` puts it in its place and `abort` removes it; called again, both do nothing. As a context manager
    it is closed at the end, or aborted if an error passes. What processes that were killed left beside it is
    removed first.

    Parameters
    ----------
    path
        Where it shall be.

    Raises
    ------
    OutputError
        It can't be written there.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.temporary = self.path.with_name(unfinished_name())
        self._open = False
        with self.naming_errors():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            remove_leftovers_once(self.path.parent)
            self._begin()
        self._open = True

    def naming_errors(self) -> AbstractContextManager[None]:
        """Turn the system's errors into an `OutputError` that names the file."""
        return naming_errors(self.path)

    def close(self, path: str | Path | None = None) -> None:
        """Put it in its place.

        Parameters
        ----------
        path
            Another place in the same folder, such as the name for what remained incomplete.

        Raises
        ------
        OutputError
            It can't be put there; what was written is lost.
        """
        if not self._open:
            return
        try:
            with self.naming_errors():
                self._finish(self.path if path is None else Path(path))
        except BaseException:
            self.abort()
            raise
        self._open = False

    def abort(self) -> None:
        """Remove what was written; what was in its place before stays as it was."""
        if self._open:
            self._open = False
            self._remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    @abstractmethod
    def _begin(self) -> None:
        """Make it under its temporary name."""

    @abstractmethod
    def _finish(self, path: Path) -> None:
        """Put it in its place."""

    @abstractmethod
    def _remove(self) -> None:
        """Remove what is there under the temporary name."""


class WholePath(Unfinished):
    """A file that a library writes to the path ``temporary``. See `Unfinished`."""

    def _begin(self) -> None:
        if self.path.is_dir():
            raise IsADirectoryError(None, "it is a folder")
        self.temporary.open("xb").close()

    def _finish(self, path: Path) -> None:
        os.replace(self.temporary, path)

    def _remove(self) -> None:
        with suppress(OSError):
            self.temporary.unlink()


class WholeFile(WholePath):
    """A file; write to ``file``. See `Unfinished`."""

    file: BinaryIO

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes; the system's errors are raised as `OutputError`."""
        with self.naming_errors():
            self.file.write(data)

    def _begin(self) -> None:
        super()._begin()
        self.file = self.temporary.open("wb")

    def _finish(self, path: Path) -> None:
        self.file.close()
        super()._finish(path)

    def _remove(self) -> None:
        with suppress(OSError):
            self.file.close()
        super()._remove()


class WholeFolder(Unfinished):
    """A folder of files; write into ``temporary``.

    Where the folder exists already, the new files are moved into it and replace those of the same names.
    See `Unfinished`.
    """

    def _begin(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise FileExistsError(None, "it is a file, expected a folder")
        self.temporary.mkdir()

    def _finish(self, path: Path) -> None:
        if not path.exists():
            os.rename(self.temporary, path)
            return
        with os.scandir(self.temporary) as entries:
            for entry in entries:
                os.replace(entry.path, path / entry.name)
        self.temporary.rmdir()

    def _remove(self) -> None:
        shutil.rmtree(self.temporary, ignore_errors=True)


@contextmanager
def whole_file(path: str | Path) -> Iterator[BinaryIO]:
    """Write a file under a temporary name beside it and rename it when all is written.

    Missing folders are made. If anything goes wrong, the file that was there before stays as it was.

    Parameters
    ----------
    path
        Where the file shall be.

    Yields
    ------
    BinaryIO
        The open temporary file.

    Raises
    ------
    OutputError
        The file can't be written there.
    """
    with WholeFile(path) as whole, whole.naming_errors():
        yield whole.file

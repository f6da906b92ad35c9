"""Where the lines of a live analysis go."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Protocol

from mien.errors import OutputError


class LineSink(Protocol):
    """Takes lines as they come."""

    def write(self, line: str) -> None:
        """Pass a line on at once."""
        ...

    def close(self) -> None:
        """No more lines will come; may be called more than once."""
        ...


class StreamSink:
    """Lines into an open binary stream, such as standard output.

    Parameters
    ----------
    stream
        Left open by `close`.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, line: str) -> None:
        """Pass a line on at once.

        Raises
        ------
        BrokenPipeError
            Nobody reads the stream any more.
        """
        self._stream.write(line.encode())
        self._stream.flush()

    def close(self) -> None:
        """Nothing to do."""


class FileSink:
    """Lines into a file that can be read while it grows; what was there before is replaced.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    OutputError
        It can't be written there.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("wb", buffering=0)
        except OSError as error:
            raise self._failed(error) from error

    def write(self, line: str) -> None:
        """Pass a line on at once.

        Raises
        ------
        OutputError
            The disk is full or gone.
        """
        data = memoryview(line.encode())
        try:
            while data:
                data = data[self._file.write(data) :]
        except OSError as error:
            raise self._failed(error) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _failed(self, error: OSError) -> OutputError:
        reason = error.strerror or str(error)
        return OutputError(f"{self._path} can't be written: {reason}; choose another place or free the disk")

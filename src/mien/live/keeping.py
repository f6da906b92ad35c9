"""What is kept of a live analysis: recordings that grow as lines, and the whole table so far."""

from __future__ import annotations

import math
import re
import shutil
import tempfile
import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from mien.datatypes import FaceResult
from mien.errors import OutputError
from mien.live.sinks import FileSink
from mien.results import RecordedSource, ResultBuilder
from mien.results.columns import GroupChoice
from mien.results.provenance import provenance_path

_LONGEST_STEM = 60
_LOOK_ROWS = 512
_LEAST_FREE_BYTES = 200e6
"""Room that is left to others where rows are kept; looked at every so many rows."""


class Names:
    """Names of files that say what was seen and when, and are not taken yet.

    Parameters
    ----------
    folder
        Where the files are.
    source
        Name of the source; what a name of a file should not have becomes "_".
    """

    def __init__(self, folder: Path, source: str) -> None:
        stem = re.sub(r"[^\w.-]+", "_", Path(source).stem, flags=re.ASCII).strip("._-")
        self._folder = folder
        self._stem = stem[:_LONGEST_STEM] or "live"

    def next(self, suffix: str) -> Path:
        """A free name, of this second."""
        now = f"{self._stem}-live-{datetime.now():%Y%m%d-%H%M%S}"
        count = 1
        while True:
            path = self._folder / f"{now}{f'-{count}' if count > 1 else ''}{suffix}"
            if not path.exists() and not provenance_path(path).exists():
                return path
            count += 1


class Recorder:
    """Writes lines into a file from the moment it is asked to; the file can be read while it grows.

    Every method may be called from any thread. A disk that is full ends the recording, not the analysis.

    Parameters
    ----------
    names
        Names of files.
    header
        The first line of every file.
    """

    def __init__(self, names: Names, header: str) -> None:
        self._names = names
        self._header = header
        self._lock = threading.Lock()
        self._sink: FileSink | None = None
        self.path: Path | None = None
        self.rows = 0

    @property
    def recording(self) -> bool:
        """Whether it is at it."""
        return self._sink is not None

    def start(self) -> None:
        """Begin a new file; nothing happens while one is written.

        Raises
        ------
        OutputError
            It can't be written.
        """
        with self._lock:
            if self._sink is None:
                path = self._names.next(".jsonl")
                sink = FileSink(path)
                sink.write(self._header)
                self._sink, self.path, self.rows = sink, path, 0

    def write(self, line: str) -> None:
        """Add a line to the file, if there is one.

        Raises
        ------
        OutputError
            The disk is full or gone; the recording has ended.
        """
        with self._lock:
            if self._sink is None:
                return
            try:
                self._sink.write(line)
            except OutputError:
                self._sink.close()
                self._sink = None
                raise
            self.rows += 1

    def stop(self) -> Path | None:
        """End the file; gives it, or None where there is none."""
        with self._lock:
            if self._sink is None:
                return None
            self._sink.close()
            self._sink = None
            return self.path


class TableSoFar:
    """Keeps every row since the start, and saves them as a table whenever it is asked to.

    Rows beyond the first two thousand are in a temporary file without a name: memory stays as it is.
    `append` and `save` may be called from different threads; a row never waits for a table to be written.

    Parameters
    ----------
    names
        Names of files.
    groups
        Groups of columns, as in `mien.results.write_openface_csv`.
    """

    def __init__(self, names: Names, groups: GroupChoice = None) -> None:
        self._names = names
        self._groups = groups
        self._lock = threading.Lock()
        self._builder = ResultBuilder()
        self._about: dict[str, Any] = {}
        self.full = False

    def begin(self, source: RecordedSource, provenance: Mapping[str, Any], units: str) -> None:
        """Forget all rows; those that come are of this source.

        Parameters
        ----------
        source, provenance
            What is analysed, and how.
        units
            What the action units are, in a word or two.
        """
        with self._lock:
            self._builder = ResultBuilder(source=source, provenance=provenance)
            self._about = {"action_units": units, "started": _now()}
            self.full = False

    def __len__(self) -> int:
        return len(self._builder)

    def append(self, face: FaceResult, dropped: int) -> None:
        """Add a row.

        Parameters
        ----------
        face
            The row.
        dropped
            Frames dropped so far, for the provenance.

        Raises
        ------
        OutputError
            The disk is nearly full; the rows before can still be saved, later ones are not taken.
        """
        with self._lock:
            if self.full:
                return
            self.full = len(self._builder) % _LOOK_ROWS == 0 and _free_bytes() < _LEAST_FREE_BYTES
            if self.full:
                raise OutputError(
                    f"the table ends here: the disk of {tempfile.gettempdir()}, where rows are kept, is "
                    "nearly full; save the table, free the disk, then start anew"
                )
            self._builder.append(face)
            self._about["dropped"] = dropped

    def save(self) -> tuple[Path, int]:
        """Write all rows so far, whole, with their provenance beside them.

        Returns
        -------
        Path, int
            The table, and its rows.

        Raises
        ------
        OutputError
            It can't be written, or there are no rows yet.
        """
        with self._lock:
            if not len(self._builder):
                raise OutputError("there are no rows yet; save the table when something has been analysed")
            about = self._about | {"saved": _now()}
            self._builder.provenance = {**self._builder.provenance, "live": about}
            result = self._builder.finish()
        path = self._names.next(".csv")
        result.save(path, groups=self._groups)
        return path, len(result)


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")


def _free_bytes() -> float:
    """Room where temporary files are; endless where the system can't say."""
    try:
        return shutil.disk_usage(tempfile.gettempdir()).free
    except OSError:
        return math.inf

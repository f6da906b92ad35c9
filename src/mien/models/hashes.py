"""SHA-256 sums of files, remembered so that an unchanged file is read only once."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from functools import cache
from pathlib import Path

from mien.storage.cache_folder import cache_folder, is_safe, is_trusted, stamp_of, write_whole

_log = logging.getLogger(__name__)


def sha256_of_file(path: Path) -> str:
    """Compute the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def default_memory_path() -> Path:
    """Where sums are remembered: in the cache folder."""
    return cache_folder() / "sha256.json"


class HashMemory:
    """Sums by path, size, and times of writing and change.

    Parameters
    ----------
    path
        The file that keeps them from run to run; it may be lost at any time. It ends with a sum of its own:
        one that was damaged, or that others may have written, is not believed.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or default_memory_path()
        self._entries = self._load()
        self._changed = False

    def sha256(self, path: Path, expected: str | None = None) -> str:
        """Give the sum of a file.

        Parameters
        ----------
        path
            The file.
        expected
            What it should be: where another one is remembered the file is read again.

        Returns
        -------
        str
            Computed only if the file has changed since the last time.
        """
        stamp = list(stamp_of(path.stat()))
        key = os.path.abspath(path)
        entry = self._entries.get(key)
        if entry is not None and entry[0] == stamp and expected in (None, entry[1]):
            return entry[1]
        digest = sha256_of_file(path)
        if entry != (stamp, digest):
            self._entries[key] = stamp, digest
            self._changed = True
        return digest

    def save(self) -> None:
        """Keep what was learnt of files that are still there; a failure to do so costs only time."""
        if not self._changed:
            return
        kept = {path: entry for path, entry in self._entries.items() if os.path.exists(path)}
        text = json.dumps(kept, sort_keys=True)
        try:
            if is_safe(self._path.parent):
                write_whole(self._path, json.dumps({"files": text, "sha256": _sum(text)}).encode())
            self._changed = False
        except OSError as error:
            _log.debug("sums of model files could not be remembered in %s: %s", self._path, error)

    def _load(self) -> dict[str, _Entry]:
        try:
            if not is_safe(self._path.parent) or not is_trusted(self._path.stat()):
                return {}
            whole = json.loads(self._path.read_text("utf-8"))
            text = whole["files"]
            if whole["sha256"] != _sum(text):
                raise ValueError("its sum is wrong")
            return {path: (stamp, str(digest)) for path, (stamp, digest) in json.loads(text).items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            _log.info("%s is not used, files are read again: %s", self._path, error)
            return {}


_Entry = tuple[list[int], str]


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def memory_at(path: Path) -> HashMemory:
    """Remembered sums, read once per process."""
    return HashMemory(path)

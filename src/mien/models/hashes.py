"""SHA-256 sums of files, remembered so that an unchanged file is read only once."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from functools import cache
from pathlib import Path

_log = logging.getLogger(__name__)


def sha256_of_file(path: Path) -> str:
    """Compute the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def default_memory_path() -> Path:
    """Where sums are remembered: in the user's cache folder."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("mien", appauthor=False)) / "sha256.json"


class HashMemory:
    """Sums by path, size and time of modification.

    Parameters
    ----------
    path
        The file that keeps them from run to run; it may be lost at any time.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or default_memory_path()
        self._entries = self._load()
        self._changed = False

    def sha256(self, path: Path) -> str:
        """Give the sum of a file, computed only if the file has changed since the last time."""
        stamp = path.stat()
        key = os.path.abspath(path)
        entry = self._entries.get(key)
        if entry is not None and entry[:2] == [stamp.st_size, stamp.st_mtime_ns]:
            return str(entry[2])
        digest = sha256_of_file(path)
        self._entries[key] = [stamp.st_size, stamp.st_mtime_ns, digest]
        self._changed = True
        return digest

    def save(self) -> None:
        """Keep what was learnt of files that are still there; a failure to do so costs only time."""
        if not self._changed:
            return
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            kept = {path: entry for path, entry in self._entries.items() if os.path.exists(path)}
            temporary.write_text(json.dumps(kept), "utf-8")
            temporary.replace(self._path)
            self._changed = False
        except OSError as error:
            _log.debug("sums of model files could not be remembered in %s: %s", self._path, error)

    def _load(self) -> dict[str, list[int | str]]:
        try:
            loaded = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(loaded, dict):
            return {}
        return {key: value for key, value in loaded.items() if isinstance(value, list) and len(value) == 3}


def default_memory() -> HashMemory:
    """The user's remembered sums, read once per process."""
    return _memory_at(default_memory_path())


@cache
def _memory_at(path: Path) -> HashMemory:
    return HashMemory(path)

"""Names of files and folders that are not whole yet, and removal of what dead processes left unfinished.

A name says whose it is: ``.mien-HOST-PROCESS-RANDOM.part``. Whatever is written whole or not at all has one
until it is renamed, so that the next one who writes into the same folder can remove what remained of a
process that was killed.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import secrets
import shutil
import sys
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

_BEGIN, _END = ".mien-", ".part"
_FOLDERS = re.compile(r"\.mien-[\w.-]+?\.part[\\/]")
_ABANDONED_S = 7 * 86400.0
"""After this time without a change, what nobody can tell the process of counts as left behind, too."""


def unfinished_name() -> str:
    """A name that nobody else uses, for what this process begins to write now."""
    process = f"{os.getpid()}.{_began('self')}"
    return f"{_BEGIN}{_host()}-{process}-{secrets.token_hex(4)}{_END}"


def without_unfinished_folders(text: str) -> str:
    """A message without names of folders that only this process knows."""
    return _FOLDERS.sub("", text)


def remove_leftovers(folder: Path) -> None:
    """Remove what dead processes left unfinished in a folder."""
    with suppress(OSError):
        for entry in list(os.scandir(folder)):
            if entry.name.startswith(_BEGIN) and entry.name.endswith(_END) and _left_behind(entry):
                _remove(entry)


@cache
def remove_leftovers_once(folder: Path) -> None:
    """Like `remove_leftovers`, for a folder of which this process has not asked it before."""
    remove_leftovers(folder)


def _remove(entry: os.DirEntry[str]) -> None:
    if entry.is_dir(follow_symlinks=False):
        shutil.rmtree(entry.path, ignore_errors=True)
    else:
        with suppress(OSError):
            os.unlink(entry.path)


def _left_behind(entry: os.DirEntry[str]) -> bool:
    host, _, rest = entry.name[len(_BEGIN) :].partition("-")
    number, _, began = rest.partition("-")[0].partition(".")
    lives = _lives(number, began) if host == _host() and number.isdecimal() else None
    if lives is not None:
        return not lives
    with suppress(OSError):
        return time.time() - _last_change(entry) > _ABANDONED_S
    return False


def _last_change(entry: os.DirEntry[str]) -> float:
    """When something was last written, s; of a folder, in it: its own time knows only of names."""
    last = entry.stat(follow_symlinks=False).st_mtime
    if entry.is_dir(follow_symlinks=False) and time.time() - last > _ABANDONED_S:
        with os.scandir(entry.path) as within:
            last = max([last, *map(_last_change, within)])
    return last


@cache
def _host() -> str:
    """Tells machines, and on Linux containers, apart: numbers of processes mean something within one only."""
    parts = [platform.node(), _space()]
    with suppress(OSError):  # machines of a network may have the same name
        parts.append(Path("/etc/machine-id").read_text("utf-8", "replace").strip())
    return hashlib.sha256(" ".join(parts).encode("utf-8", "replace")).hexdigest()[:8]


@cache
def _space() -> str:
    """Within which numbers of processes mean something on Linux; empty without a /proc of one's own."""
    with suppress(OSError):
        if os.readlink("/proc/self") == str(os.getpid()):
            return os.readlink("/proc/self/ns/pid")
    return ""


def _lives(number: str, began: str) -> bool | None:
    """Whether a process is still there, and no other has its number now; None where nobody can tell."""
    if os.name == "nt" or (sys.platform == "linux" and not _space()):  # on Windows signal 0 ends a process
        return None
    try:
        os.kill(int(number), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        pass  # somebody else's
    now = _began(number)
    return now == began if now and began else None


def _began(number: str) -> str:
    """When a process began, in the system's ticks; on Linux, elsewhere nothing is known of it.

    Clocks play no part: those of file servers differ from the machine's own. A process that has ended and was
    not waited for is "gone".
    """
    with suppress(OSError, IndexError):
        state, *fields = Path(f"/proc/{number}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return "gone" if state in "ZX" else fields[18]
    return ""

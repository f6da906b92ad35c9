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
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

_BEGIN, _END = ".mien-", ".part"
_FOLDERS = re.compile(r"\.mien-[\w.-]+?\.part[\\/]")
_ABANDONED_S = 7 * 86400.0
"""After this time without a change, what other machines wrote counts as left behind, too."""


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
    if host == _host() and number.isdecimal() and not _lives(number, began):
        return True
    with suppress(OSError):
        return time.time() - entry.stat(follow_symlinks=False).st_mtime > _ABANDONED_S
    return False


@cache
def _host() -> str:
    """Tells machines, and on Linux containers, apart: numbers of processes mean something within one only."""
    space = ""
    with suppress(OSError):
        space = os.readlink("/proc/self/ns/pid")
    return hashlib.sha256(f"{platform.node()} {space}".encode()).hexdigest()[:8]


def _lives(number: str, began: str) -> bool:
    """Whether a process is still there, and no other has its number now."""
    if os.name == "nt":  # where signal 0 would end the process
        return True
    try:
        os.kill(int(number), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    now = _began(number)
    return not began or not now or now == began


def _began(number: str) -> str:
    """When a process began, in the system's ticks; on Linux, elsewhere nothing is known of it.

    Clocks play no part: those of file servers differ from the machine's own. A process that has ended and was
    not waited for is "gone".
    """
    with suppress(OSError, IndexError):
        state, *fields = Path(f"/proc/{number}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return "gone" if state in "ZX" else fields[18]
    return ""

"""A hidden folder in which the files of one source come together, before all of them get their places.

Its name says whose it is: ``.mien-HOST-PROCESS-RANDOM.part``. What processes that have died left behind is
removed by the next one that writes there.
"""

from __future__ import annotations

import hashlib
import os
import platform
import secrets
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

from mien.results.files import naming_errors

_ABANDONED_S = 7 * 86400.0
"""After this time without a change, folders of other machines count as left behind, too."""


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
        self.path = folder / f".mien-{_host()}-{os.getpid()}-{secrets.token_hex(4)}.part"
        with naming_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            _remove_abandoned_once(folder)
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


def remove_abandoned(folder: Path) -> None:
    """Remove what dead processes left in a folder."""
    with suppress(OSError):
        for entry in list(os.scandir(folder)):
            if entry.name.startswith(".mien-") and entry.name.endswith(".part") and _abandoned(entry):
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    with suppress(OSError):
                        os.unlink(entry.path)


@cache
def _remove_abandoned_once(folder: Path) -> None:
    remove_abandoned(folder)


def _abandoned(entry: os.DirEntry[str]) -> bool:
    host, _, process = entry.name[len(".mien-") :].partition("-")
    number = process.partition("-")[0]
    try:
        written_s = entry.stat(follow_symlinks=False).st_mtime
    except OSError:
        return False
    if host == _host() and number.isdigit() and not _lives(int(number), written_s):
        return True
    return time.time() - written_s > _ABANDONED_S


@cache
def _host() -> str:
    """Tells machines, and on Linux containers, apart: numbers of processes mean something within one only."""
    space = ""
    with suppress(OSError):
        space = os.readlink("/proc/self/ns/pid")
    return hashlib.sha256(f"{platform.node()} {space}".encode()).hexdigest()[:8]


def _lives(process: int, written_s: float) -> bool:
    """Whether the process that wrote something then is still there, and no other has its number now."""
    if os.name == "nt":  # where signal 0 would end the process
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    with suppress(OSError, ValueError, IndexError):
        state, *fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        began_s = _boot_s() + int(fields[18]) / os.sysconf("SC_CLK_TCK")
        return state != "Z" and began_s < written_s + 1
    return True


@cache
def _boot_s() -> float:
    """When the system was started."""
    lines = Path("/proc/stat").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("btime"))

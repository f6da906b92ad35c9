"""What killed processes left unfinished is removed by the next that writes there, and nothing else is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import mien
from mien.analysis.staging import Staging
from mien.results.files import WholeFile, WholeFolder, WholePath
from mien.storage import leftovers
from mien.storage.cache_folder import write_whole
from mien.storage.leftovers import remove_leftovers, remove_leftovers_once, unfinished_name

POSIX = pytest.mark.skipif(os.name != "posix", reason="Windows does not tell whether a process lives")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells when a process began")

KILLED = {
    "file": "from mien.results.files import WholeFile; WholeFile('f').write(b'half')",
    "path": "from mien.results.files import WholePath; WholePath('p')",
    "folder": "from mien.results.files import WholeFolder; (WholeFolder('d').temporary / 'x').touch()",
    "staging": "from mien.analysis.staging import Staging; (Staging(Path('.')).path / 'x').touch()",
    "cache": """
from mien.storage import cache_folder
cache_folder.os.fsync = lambda _: os._exit(9)
cache_folder.write_whole(Path('c').absolute(), b'half')""",
}
WRITERS = {
    "file": lambda folder: WholeFile(folder / "f").close(),
    "path": lambda folder: WholePath(folder / "p").close(),
    "folder": lambda folder: WholeFolder(folder / "d").close(),
    "staging": lambda folder: Staging(folder).commit([]),
    "cache": lambda folder: write_whole(folder / "c", b"whole"),
}


def hidden(folder):
    return [name for name in os.listdir(folder) if name.startswith(".mien-")]


def leave(folder, kind):
    """Let a process die in the midst of writing; what it left."""
    text = f"import os\nfrom pathlib import Path\n{KILLED[kind]}\nos._exit(9)"
    assert subprocess.run([sys.executable, "-c", text], cwd=folder, timeout=60).returncode == 9
    return hidden(folder)


@POSIX
@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("kind", KILLED)
def test_whatever_is_written_next_removes_it(tmp_path, kind, writer):
    assert len(leave(tmp_path, kind)) == 1
    WRITERS[writer](tmp_path)
    assert not hidden(tmp_path)
    assert all(path.name in "fpdc" for path in tmp_path.iterdir())


@pytest.mark.parametrize("writer", WRITERS)
def test_what_a_living_process_writes_stays(tmp_path, writer):
    open_ones = [WholeFile(tmp_path / "a"), WholeFolder(tmp_path / "b"), Staging(tmp_path)]
    remove_leftovers_once.cache_clear()
    WRITERS[writer](tmp_path)
    assert len(hidden(tmp_path)) == len(open_ones)


@POSIX
def test_a_process_that_nobody_waited_for_is_dead(tmp_path):
    text = "from mien.results.files import WholePath; WholePath('p')"
    process = subprocess.Popen([sys.executable, "-c", text], cwd=tmp_path, stdout=subprocess.PIPE)
    process.stdout.read()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    remove_leftovers(tmp_path)
    try:
        assert bool(hidden(tmp_path)) == (sys.platform != "linux")
    finally:
        process.communicate()


@LINUX
def test_another_process_with_the_number_of_the_dead_one_protects_nothing(tmp_path):
    own = unfinished_name()
    number = f"{os.getpid()}."
    began = own.partition(number)[2].partition("-")[0]
    other = own.replace(f"{number}{began}", f"{number}{int(began) - 1}")
    for name in (own, other):
        (tmp_path / name).touch()
    remove_leftovers(tmp_path)
    assert hidden(tmp_path) == [own]


@LINUX
def test_the_clock_of_a_file_server_does_not_matter(tmp_path):
    """What a living process wrote seems older than the process where the server's clock is slow."""
    path = tmp_path / unfinished_name()
    path.touch()
    os.utime(path, (path.stat().st_mtime - 86_400,) * 2)
    remove_leftovers(tmp_path)
    assert path.exists()


@pytest.mark.parametrize("days", [6, 8])
def test_what_another_machine_wrote_stays_for_a_week(tmp_path, monkeypatch, days):
    path = tmp_path / unfinished_name()
    path.mkdir()
    os.utime(path, (path.stat().st_mtime - 86_400 * days,) * 2)
    monkeypatch.setattr(leftovers, "_host", lambda: "another0")
    remove_leftovers(tmp_path)
    assert path.exists() == (days < 7)


def test_a_folder_that_is_still_written_into_is_as_new_as_its_files(tmp_path, monkeypatch):
    """A long recording's folder gets its names at the beginning; only its files grow."""
    folder = tmp_path / unfinished_name() / "clip_aligned"
    folder.mkdir(parents=True)
    monkeypatch.setattr(leftovers, "_host", lambda: "another0")
    (folder / "frame.png").touch()
    for path in (folder, folder.parent):
        os.utime(path, (path.stat().st_mtime - 86_400 * 8,) * 2)
    remove_leftovers(tmp_path)
    assert folder.exists()
    os.utime(folder / "frame.png", (folder.stat().st_mtime,) * 2)
    remove_leftovers(tmp_path)
    assert not hidden(tmp_path)


@LINUX
def test_what_a_living_process_of_this_machine_writes_stays_however_long_it_takes(tmp_path):
    path = tmp_path / unfinished_name()
    path.touch()
    os.utime(path, (path.stat().st_mtime - 86_400 * 400,) * 2)
    remove_leftovers(tmp_path)
    assert path.exists()


@LINUX
@pytest.mark.parametrize("alive", [True, False])
def test_a_process_of_somebody_else_is_told_by_when_it_began(tmp_path, monkeypatch, alive):
    """It may not be sent a signal, and is there nevertheless."""

    def refuse(*_):
        raise PermissionError

    name = unfinished_name()
    if not alive:
        name = name.replace(f"{os.getpid()}.", f"{os.getpid()}.1")
    (tmp_path / name).touch()
    monkeypatch.setattr(leftovers.os, "kill", refuse)
    remove_leftovers(tmp_path)
    assert (tmp_path / name).exists() == alive


@LINUX
@pytest.mark.parametrize("proc", ["none", "that of other processes"])
def test_without_a_proc_of_its_own_nobody_is_dead(tmp_path, monkeypatch, proc):
    """Containers with one name may share a folder: numbers of processes mean nothing then."""
    read = os.readlink

    def readlink(path, *more):
        if os.fspath(path).startswith("/proc/self") and (proc == "none" or path == "/proc/self"):
            if proc == "none":
                raise FileNotFoundError
            return "4000000"
        return read(path, *more)

    monkeypatch.setattr(leftovers.os, "readlink", readlink)
    for function in (leftovers._host, leftovers._space):
        function.cache_clear()
    try:
        name = unfinished_name().replace(f"-{os.getpid()}.", "-4000001.")
        (tmp_path / name).touch()
        remove_leftovers(tmp_path)
        assert hidden(tmp_path) == [name]
    finally:
        for function in (leftovers._host, leftovers._space):
            function.cache_clear()


@pytest.mark.parametrize(
    "name",
    [".mien-.part", ".mien--.part", ".mien-12-345678.part", "notes.part", ".mien-study", ".mien-é-½.x-.part"],
)
def test_other_names_are_left_alone(tmp_path, name):
    (tmp_path / name).touch()
    remove_leftovers(tmp_path)
    assert os.listdir(tmp_path) == [name]


@POSIX
def test_a_link_is_removed_and_not_what_it_leads_to(tmp_path):
    (name,) = leave(tmp_path, "path")
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "x").touch()
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to(tmp_path / "kept", target_is_directory=True)
    remove_leftovers(tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["kept"]
    assert (tmp_path / "kept" / "x").exists()


def test_names_of_unfinished_files_are_made_in_one_place():
    """Another way to name them would leave behind what nobody removes."""
    folder = Path(mien.__file__).parent
    ways = re.compile(r"mkstemp|NamedTemporaryFile|token_hex\(4\)|\.part\b[\"']|\.tmp\b[\"']")
    found = {path.name for path in folder.rglob("*.py") if ways.search(path.read_text("utf-8"))}
    assert found == {"leftovers.py", "download.py"}  # a broken download goes on where it ended

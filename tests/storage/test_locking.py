"""Locks between processes, also where the file system has none."""

from __future__ import annotations

import errno
import logging
import os
import subprocess
import sys

import pytest
from filelock import Timeout

from mien.storage.locking import locked

NO_LOCKS = ("ENOSYS", "ENOLCK", "ENOTSUP", "EOPNOTSUPP")


def test_one_process_holds_a_lock_until_it_ends(tmp_path):
    text = """
import sys
from pathlib import Path
from mien.storage.locking import locked
with locked(Path("lock"), 0) as held:
    print(held, flush=True)
    sys.stdin.read()
"""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-c", text], cwd=tmp_path, text=True, **pipes)
    assert process.stdout.readline() == "True\n"
    with pytest.raises(Timeout), locked(tmp_path / "lock", 0):
        pass
    process.kill()
    process.communicate()
    with locked(tmp_path / "lock", 5) as held:
        assert held


@pytest.mark.skipif(os.name != "posix", reason="other systems lock otherwise")
@pytest.mark.parametrize("name", NO_LOCKS)
def test_where_there_are_no_locks_the_work_is_done_all_the_same(tmp_path, monkeypatch, name, recwarn):
    def flock(*_):
        raise OSError(getattr(errno, name), "no locks")

    monkeypatch.setattr("fcntl.flock", flock)
    done = []
    with locked(tmp_path / "lock", 0):
        done.append(name)
    assert done
    assert not recwarn.list


@pytest.mark.parametrize("raised", [NotImplementedError("no flock"), OSError(errno.ENOLCK, "no locks")])
def test_a_study_says_that_nothing_keeps_another_away(tmp_path, monkeypatch, caplog, raised):
    """Older versions of the library and its newest answer in different ways."""
    from mien.analysis.outputs import OutputOptions
    from mien.options import AnalysisOptions
    from mien.study.planning import Planning
    from mien.study.run import _alone

    def acquire(*_, **__):
        raise raised

    monkeypatch.setattr("filelock.FileLock.acquire", acquire)
    planning = Planning(home=tmp_path, options=AnalysisOptions(), wanted=OutputOptions())
    with caplog.at_level(logging.WARNING), _alone(planning):
        pass
    assert "has no locks: see to it that no other mien study" in caplog.text


def test_other_errors_are_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"), locked(tmp_path / "file" / "lock", 0):
        pass

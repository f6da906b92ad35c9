"""ONNX Runtime sends nothing, keeps nothing, and is imported in one place that sees to it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mien.runtime.onnx_runtime import VARIABLE, import_onnx_runtime, refuse_telemetry

ROOT = Path(__file__).resolve().parents[2]
SESSION = """
import os, sys, time
import {first}
from pathlib import Path
import numpy as np
from mien.models.records import NetworkLayer
from mien.runtime.onnx_graph import INPUT_NAME, network_to_onnx
from mien.runtime.sessions import create_session

layer = NetworkLayer("dense", np.full((1, 1), 2, np.float32), np.zeros(1, np.float32))
session = create_session(network_to_onnx([layer], channels=1))
answer = session.run(None, {{INPUT_NAME: np.full((1, 1, 1, 1), 3, np.float32)}})[0].item()
time.sleep({wait})
sockets = []
if os.path.isdir("/proc/self/fd"):
    links = [f"/proc/self/fd/{{name}}" for name in os.listdir("/proc/self/fd")]
    sockets = [link for link in links if os.path.lexists(link) and os.readlink(link).startswith("socket:")]
print(answer, len(sockets))
"""
FOLDERS = (
    "HOME",
    "TMPDIR",
    "TEMP",
    "TMP",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "XDG_CONFIG_HOME",
    "LOCALAPPDATA",
)


@pytest.fixture
def fresh(tmp_path):
    """Environment of a user who has never run anything, and who is no test: those are left in peace."""
    environment = {key: value for key, value in os.environ.items() if key not in ("CI", VARIABLE)}
    for name in FOLDERS:
        (tmp_path / name).mkdir()
        environment[name] = str(tmp_path / name)
    # ONNX Runtime empties what this link points at.
    victim = tmp_path / "victim"
    victim.write_text("dear")
    if hasattr(os, "symlink") and sys.platform != "win32":
        os.symlink(victim, tmp_path / "TMPDIR" / ".ses")
    return environment


def left_behind(folder: Path) -> list[str]:
    found = [path for name in FOLDERS for path in (folder / name).rglob("*")]
    return sorted(str(path.relative_to(folder)) for path in found if path.is_file() and path.name != ".ses")


def run_session(environment, *, first: str, wait: float, before: tuple[str, ...] = ()):
    code = SESSION.format(first=first, wait=wait)
    command = [*before, sys.executable, "-B", "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=True)


def test_a_session_leaves_no_file_and_opens_no_socket(fresh, tmp_path):
    done = run_session(fresh, first="mien", wait=2)
    assert done.stdout.split() == ["6.0", "0"]
    assert left_behind(tmp_path) == []
    assert (tmp_path / "victim").read_text() == "dear"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace to see every call")
def test_a_session_makes_no_call_to_the_network(fresh, tmp_path):
    """Its first attempt would come within ten seconds."""
    log = tmp_path / "calls"
    tracer = ("strace", "-f", "-qq", "-e", "trace=socket,connect,sendto,sendmsg", "-o", str(log))
    if subprocess.run([*tracer, "true"], capture_output=True, check=False).returncode:
        pytest.skip("strace may not trace here")
    done = run_session(fresh, first="mien", wait=12, before=tracer)
    assert done.stdout.split() == ["6.0", "0"]
    calls = [line for line in log.read_text().splitlines() if re.search(r"(socket|connect|send\w+)\(", line)]
    assert calls == []


def test_a_user_may_allow_it(monkeypatch):
    monkeypatch.setenv(VARIABLE, "0")
    assert not refuse_telemetry()
    assert os.environ[VARIABLE] == "0"


@pytest.mark.parametrize("value", ["", "1", "true"])
def test_anything_else_refuses_it(monkeypatch, value):
    monkeypatch.setenv(VARIABLE, value)
    assert refuse_telemetry()
    assert os.environ[VARIABLE] == "1"


def test_whoever_imported_it_before_mien_is_told_too(monkeypatch):
    module = import_onnx_runtime()
    told = []
    monkeypatch.setattr(module, "disable_telemetry_events", lambda: told.append(True), raising=False)
    import_onnx_runtime()
    assert told


def test_nothing_else_imports_it():
    statement = re.compile(r"^\s*(import|from)\s+onnxruntime\b", re.MULTILINE)
    files = [path for folder in ("src", "tools", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    assert files
    found = {path.name for path in files if statement.search(path.read_text("utf-8"))}
    assert found == {"onnx_runtime.py"}


def test_importing_mien_is_enough(fresh):
    code = f"import mien, os; print(os.environ[{VARIABLE!r}])"
    done = subprocess.run(
        [sys.executable, "-c", code], env=fresh, capture_output=True, text=True, timeout=600, check=True
    )
    assert done.stdout.strip() == "1"

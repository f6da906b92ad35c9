"""Compiled kernels: never stale, never somebody else's, never compiled twice at a time."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mien
from mien.runtime import kernel_cache
from mien.runtime.kernel_cache import digest, kernel_folder, sources

PACKAGE = Path(mien.__file__).parent
POSIX = pytest.mark.skipif(os.name != "posix", reason="owners and modes are POSIX's")


@pytest.fixture(autouse=True)
def forget():
    yield
    kernel_folder.cache_clear()
    digest.cache_clear()


@pytest.fixture
def caches(monkeypatch, tmp_path):
    """The chosen cache and the user's own."""
    chosen, own = tmp_path / "chosen", tmp_path / "own"
    monkeypatch.setattr(kernel_cache, "cache_folder", lambda: chosen)
    monkeypatch.setattr(kernel_cache.platformdirs, "user_cache_dir", lambda *_, **__: str(own))
    kernel_folder.cache_clear()
    return chosen, own


# --- never stale ------------------------------------------------------------------------------------------

STALE = """
import sys
from pathlib import Path
import numpy as np
from mien.runtime.compilation import counting_compilations
with counting_compilations() as compiled:
    from mien.pose.kernels import matrix_to_euler
    out = np.empty(3)
    matrix_to_euler(np.eye(3), out)
    from mien.detection.kernels import suppress
    kept = np.zeros(2, np.int64)
    boxes = np.array([[0, 0, 10, 10], [1, 1, 10, 10]])
    print(suppress(boxes, np.arange(2), 0.5, False, kept), compiled())
"""


def run(source: Path, cache: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", STALE],
        env=os.environ
        | {"PYTHONPATH": str(source), "MIEN_CACHE": str(cache), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_a_changed_part_in_another_file_is_met_nowhere_stale(tmp_path):
    """Numba alone would not notice: it looks at the file of the kernel that is called."""
    source, cache = tmp_path / "source", tmp_path / "cache"
    shutil.copytree(PACKAGE, source / "mien", ignore=shutil.ignore_patterns("__pycache__"))
    part_file, kernel_file = source / "mien/imaging/kernels.py", source / "mien/detection/kernels.py"
    text = kernel_file.read_text()
    start = text.index("@part\ndef _shared")
    part_file.write_text(part_file.read_text() + "\n\n" + text[start:])
    moved = text[:start].replace("import linear_taps", "import linear_taps, _shared")
    kernel_file.write_text(moved)
    assert run(source, cache) == ["1", "2"]
    assert run(source, cache) == ["1", "0"]
    changed = part_file.read_text().replace("return max(min(", "return 0 * max(min(")
    assert changed != part_file.read_text()
    part_file.write_text(changed)
    assert run(source, cache) == ["2", "2"]


def test_the_digest_covers_whatever_kernels_import():
    """What a kernel is compiled from must be in a file that the folder's name depends on."""
    known = set(sources())
    for path in known:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mien"):
                module = PACKAGE.parent.joinpath(*node.module.split("."))
                names = [module / name.name for name in node.names] if module.is_dir() else [module]
                for name in names:
                    assert name.with_suffix(".py") in known | NOT_COMPILED, f"{path} imports {name}"


NOT_COMPILED = {PACKAGE / "runtime" / "kernel_cache.py"}
"""What says where kernels are kept; no kernel uses it."""


def test_every_kernel_is_in_a_file_of_kernels():
    for path in PACKAGE.rglob("*.py"):
        if path not in sources():
            assert "runtime.jit" not in path.read_text(), path


@pytest.mark.parametrize("changed", ["numba", "llvmlite", "np"])
def test_the_digest_depends_on_versions(monkeypatch, changed):
    before = digest()
    digest.cache_clear()
    monkeypatch.setattr(getattr(kernel_cache, changed), "__version__", "another")
    assert digest() != before


def test_the_digest_depends_on_the_processor(monkeypatch):
    before = digest()
    digest.cache_clear()
    monkeypatch.setattr(kernel_cache, "target", lambda: ("x86_64-unknown-linux-gnu", "generic", ""))
    assert digest() != before


# --- never somebody else's --------------------------------------------------------------------------------


def test_the_chosen_folder_is_used_and_private(caches):
    folder = kernel_folder()
    assert folder is not None
    assert folder.is_relative_to(caches[0])
    if os.name == "posix":
        assert folder.stat().st_mode & 0o777 == 0o700


@POSIX
def test_a_generous_umask_does_not_open_it(caches):
    before = os.umask(0)
    try:
        folder = kernel_folder()
    finally:
        os.umask(before)
    assert folder is not None
    assert folder.is_relative_to(caches[0])


@POSIX
@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o1777])
@pytest.mark.parametrize("level", ["compiled", "digest"])
def test_a_folder_that_others_can_write_to_is_refused_and_said(caches, caplog, mode, level):
    chosen, own = caches
    folder = chosen / "compiled" / digest()
    folder.mkdir(parents=True, mode=0o700)
    folder.parent.chmod(0o700)
    (folder if level == "digest" else folder.parent).chmod(mode)
    found = kernel_folder()
    assert found is not None
    assert found.is_relative_to(own)
    assert "other users can write" in caplog.text


@POSIX
def test_a_folder_of_another_user_is_refused_and_said(caches, caplog, monkeypatch):
    monkeypatch.setattr(kernel_cache.os, "getuid", lambda: 12345)
    assert kernel_folder() is None
    assert "belongs to another user" in caplog.text
    assert "compiled anew by every process" in caplog.text


@POSIX
def test_a_link_to_a_folder_elsewhere_is_refused(caches, tmp_path):
    chosen, own = caches
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (chosen / "compiled").mkdir(parents=True)
    (chosen / "compiled" / digest()).symlink_to(tmp_path / "elsewhere")
    found = kernel_folder()
    assert found is not None
    assert found.is_relative_to(own)


def test_a_folder_that_cannot_be_made_is_refused(caches):
    chosen, own = caches
    chosen.write_text("a file")
    found = kernel_folder()
    assert found is not None
    assert found.is_relative_to(own)


# --- never twice ------------------------------------------------------------------------------------------

ALONE = """
import sys, time
from pathlib import Path
from mien.runtime.compilation import compiling_alone
log = Path(sys.argv[1])
with compiling_alone():
    with log.open("a") as file: file.write("begin ")
    time.sleep(0.3)
    with log.open("a") as file: file.write("end ")
"""


def test_two_processes_compile_one_after_the_other(tmp_path):
    log = tmp_path / "log"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ALONE, str(log)], env=os.environ | {"MIEN_CACHE": str(tmp_path / "cache")}
        )
        for _ in range(2)
    ]
    assert [process.wait(60) for process in processes] == [0, 0]
    assert log.read_text().split() == ["begin", "end"] * 2


# --- never damaged ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".nbi", ".nbc"])
@pytest.mark.parametrize("damage", ["shortened", "flipped", "empty"])
def test_damaged_files_of_kernels_are_compiled_again_and_replaced(tmp_path, ending, damage):
    cache = tmp_path / "cache"
    assert run(PACKAGE.parent, cache) == ["1", "2"]
    damaged = [path for path in cache.rglob(f"*{ending}") if "suppress" in path.name]
    assert len(damaged) == 1
    content = bytearray(damaged[0].read_bytes())
    content[len(content) // 2] ^= 1
    short = {"shortened": content[: len(content) // 2], "flipped": content, "empty": b""}
    damaged[0].write_bytes(short[damage])
    assert run(PACKAGE.parent, cache) == ["1", "1"]
    assert run(PACKAGE.parent, cache) == ["1", "0"]

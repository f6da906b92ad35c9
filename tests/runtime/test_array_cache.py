"""Arrays are built once, whoever asks, and mapped by all."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from mien.runtime.array_cache import ArrayCache

PROCESS = """
import sys, time
from pathlib import Path
import numpy as np
from mien.runtime.array_cache import ArrayCache

def build():
    time.sleep(0.5)
    with open(sys.argv[2], "a") as file:
        file.write("built\\n")
    return np.arange(5.0)

print(ArrayCache(Path(sys.argv[1])).get("a", build).sum())
"""


def test_an_array_is_built_once_and_mapped(tmp_path):
    built = []
    for _ in range(2):
        array = ArrayCache(tmp_path / "cache").get("a", lambda: built.append(1) or np.arange(3))
        assert array.tolist() == [0, 1, 2]
        assert isinstance(array.base, np.memmap)
    assert built == [1]


def test_processes_that_start_together_share_one_copy(tmp_path):
    command = [sys.executable, "-c", PROCESS, str(tmp_path / "cache"), str(tmp_path / "log")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=300)[0].strip() for process in running] == ["10.0", "10.0"]
    assert (tmp_path / "log").read_text() == "built\n"


def test_threads_share_one_copy_too(tmp_path):
    built = []

    def build():
        time.sleep(0.1)
        built.append(1)
        return np.ones(2)

    with ThreadPoolExecutor(3) as pool:
        arrays = list(pool.map(lambda _: ArrayCache(tmp_path).get("a", build), range(3)))
    assert built == [1]
    assert all(array.tolist() == [1, 1] for array in arrays)


def test_a_damaged_file_is_built_again(tmp_path):
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY damaged")
    assert ArrayCache(tmp_path).get("a", lambda: np.zeros(1)).tolist() == [0]
    assert ArrayCache(tmp_path).get("a", lambda: np.ones(1)).tolist() == [0]


def test_without_a_folder_that_can_be_written_the_array_is_built_every_time(tmp_path):
    (tmp_path / "file").touch()
    for value in (1, 2):
        assert ArrayCache(tmp_path / "file").get("a", lambda v=value: np.full(1, v)).tolist() == [value]

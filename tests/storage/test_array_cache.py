"""Arrays are built once, whoever asks, and mapped by all."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from mien.storage.array_cache import ArrayCache
from mien.storage.checked_array import DoubtfulFileError, load_array, store_array

PROCESS = """
import sys, time
from pathlib import Path
import numpy as np
from mien.storage.array_cache import ArrayCache

def build():
    time.sleep(0.5)
    with open(sys.argv[2], "a") as file:
        file.write("built\\n")
    return np.arange(5.0)

print(ArrayCache(Path(sys.argv[1])).get("a", build, shape=(5,), dtype=float).sum())
"""


class Recipe:
    """Builds an array, and counts how often."""

    def __init__(self, array=None) -> None:
        self.array = np.arange(24, dtype=np.float32).reshape(2, 12) if array is None else array
        self.built = 0

    def __call__(self):
        self.built += 1
        return self.array

    def get(self, folder, key="a", **arguments):
        return ArrayCache(folder).get(key, self, shape=self.array.shape, dtype=self.array.dtype, **arguments)


def heals(folder, recipe) -> None:
    """What is in the way is replaced: the right array comes, now and from the file."""
    before = recipe.built
    for _ in range(2):
        np.testing.assert_array_equal(recipe.get(folder), recipe.array)
    assert recipe.built == before + 1


def test_an_array_is_built_once_and_mapped(tmp_path):
    recipe = Recipe(np.arange(3))
    for _ in range(2):
        array = recipe.get(tmp_path / "cache")
        assert array.tolist() == [0, 1, 2]
        assert isinstance(array.base, np.memmap)
    assert recipe.built == 1


def test_the_map_is_shared_within_a_process_and_given_back(tmp_path):
    recipe = Recipe()
    first, second = recipe.get(tmp_path), recipe.get(tmp_path)
    assert np.shares_memory(first, second)
    mapped = weakref.ref(first.base)
    del first, second
    gc.collect()
    assert mapped() is None


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
        arrays = list(
            pool.map(lambda _: ArrayCache(tmp_path).get("a", build, shape=(2,), dtype=float), range(3))
        )
    assert built == [1]
    assert all(array.tolist() == [1, 1] for array in arrays)


def test_without_a_folder_that_can_be_written_the_array_is_built_every_time(tmp_path):
    (tmp_path / "file").touch()
    for value in (1, 2):
        assert Recipe(np.full(1, value)).get(tmp_path / "file").tolist() == [value]


# --- damage -----------------------------------------------------------------------------------------------


def test_every_single_flipped_bit_is_noticed(tmp_path):
    recipe = Recipe(np.arange(3, dtype=np.float32))
    recipe.get(tmp_path)
    path = tmp_path / "a.npy"
    whole = path.read_bytes()
    for bit in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with pytest.raises(DoubtfulFileError):
            load_array(path, "a ", np.float32, (3,))
    path.write_bytes(whole)
    assert load_array(path, "a ", np.float32, (3,)).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: b"",
        lambda data: data + b"\0",
        lambda data: b"\x93NUMPY damaged",
        lambda data: data.replace(b"(2, 12)", b"(9, 99)"),
        lambda data: data.replace(b"(2, 12)", b"(-1, 2)"),
        lambda data: data.replace(b"<f4", b"|O8"),
        lambda data: bytes(len(data)),
    ],
)
def test_a_damaged_file_is_replaced(tmp_path, damage):
    recipe = Recipe()
    recipe.get(tmp_path)
    path = tmp_path / "a.npy"
    path.write_bytes(damage(path.read_bytes()))
    heals(tmp_path, recipe)


def test_damage_that_keeps_the_time_of_writing_is_noticed(tmp_path):
    recipe = Recipe()
    in_use = recipe.get(tmp_path)
    path = tmp_path / "a.npy"
    status, data = path.stat(), bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    heals(tmp_path, recipe)
    del in_use


@pytest.mark.parametrize("name", ["npy_OverflowError.npy", "npy_TokenError.npy"])
def test_files_that_numpy_stumbles_over_are_replaced(tmp_path, cases_dir, name):
    (tmp_path / "a.npy").write_bytes((cases_dir / "damage" / name).read_bytes())
    heals(tmp_path, Recipe())


def test_a_plain_npy_without_a_checksum_is_replaced(tmp_path):
    recipe = Recipe()
    np.save(tmp_path / "a.npy", recipe.array)
    heals(tmp_path, recipe)


def test_the_file_of_another_array_is_not_taken_for_this_one(tmp_path):
    other = Recipe(np.full((2, 12), 7, np.float32))
    other.get(tmp_path, "b")
    shutil.copy(tmp_path / "b.npy", tmp_path / "a.npy")
    heals(tmp_path, Recipe())


@pytest.mark.parametrize(
    "array", [np.zeros((2, 12)), np.zeros((12, 2), np.float32), np.zeros(24, np.float32)]
)
def test_another_type_or_shape_is_replaced(tmp_path, array):
    store_array(tmp_path / "a.npy", "a ", array)
    heals(tmp_path, Recipe())


def test_what_was_made_from_something_older_is_replaced(tmp_path):
    old, new = Recipe(np.zeros(3)), Recipe(np.ones(3))
    assert old.get(tmp_path, made_from="monday").sum() == 0
    assert new.get(tmp_path, made_from="tuesday").sum() == 3
    assert [path.name for path in tmp_path.glob("*.npy")] == ["a.npy"]


def test_a_write_that_fails_leaves_nothing_and_costs_nothing(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    recipe = Recipe()
    np.testing.assert_array_equal(recipe.get(tmp_path), recipe.array)
    assert [path.name for path in tmp_path.iterdir() if path.name != ".lock"] == []


def test_a_folder_in_the_place_of_a_file_is_left_alone(tmp_path):
    (tmp_path / "a.npy").mkdir()
    recipe = Recipe()
    np.testing.assert_array_equal(recipe.get(tmp_path), recipe.array)


# --- whose it is ------------------------------------------------------------------------------------------

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps the user's folders from others")


@posix
def test_a_folder_where_everybody_may_write_is_not_used(tmp_path, caplog):
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    recipe = Recipe()
    for _ in range(2):
        np.testing.assert_array_equal(recipe.get(folder), recipe.array)
    assert recipe.built == 2
    assert list(folder.iterdir()) == []
    assert caplog.text.count("MIEN_CACHE") == 1


@posix
def test_a_folder_for_temporary_files_is_used(tmp_path):
    """Nobody may replace another's file there."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    folder.chmod(0o1777)
    recipe = Recipe()
    heals(folder, recipe)


@posix
def test_a_file_that_everybody_may_write_to_is_replaced(tmp_path):
    recipe = Recipe()
    recipe.get(tmp_path)
    (tmp_path / "a.npy").chmod(0o666)
    heals(tmp_path, recipe)
    assert (tmp_path / "a.npy").stat().st_mode & 0o077 == 0


@posix
def test_a_link_is_replaced_and_what_it_points_at_is_left_alone(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("dear")
    (tmp_path / "a.npy").symlink_to(victim)
    heals(tmp_path, Recipe())
    assert victim.read_text() == "dear"


@posix
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.npy")
    heals(tmp_path, Recipe())


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() != 0, reason="only root can give files away")
def test_somebody_elses_folder_or_file_is_not_used(tmp_path):
    folder = tmp_path / "cache"
    recipe = Recipe()
    recipe.get(folder)
    os.chown(folder / "a.npy", 12345, -1)
    heals(folder, recipe)
    os.chown(folder, 12345, -1)
    before = recipe.built
    recipe.get(folder)
    assert recipe.built == before + 1

"""Kernels are called through entry points of their own: exact types, kept machine code, no Numba."""

import math
import subprocess
import sys
import threading

import numpy as np
import pytest

from mien.runtime import linking, machine_code
from mien.runtime.compilation import counting_compilations
from mien.runtime.jit import FASTMATH, Kernel, intrinsic, kernel

KINDS = "bhilBHILfd?"


@pytest.fixture(autouse=True)
def own_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(machine_code, "folder", lambda: tmp_path)


def plain(function):
    """A kernel whose entry point must do: it may not fall back on Numba's."""
    made = kernel(function)
    made.__dict__["_by_numba"] = None
    return made


def test_numbers_come_in_and_go_out():
    @plain
    def mixed(a, b, c, d):
        return a + 1, b * 2, not c, d

    assert mixed(2, 1.5, True, None) == (3, 3.0, False, None)
    assert mixed(np.int64(-1), np.float64(0.5), np.False_, None) == (0, 1.0, True, None)
    assert mixed(2**62, -0.0, np.True_, None) == (2**62 + 1, 0.0, False, None)
    assert mixed(-1, 0.0, False, None)[0] == 0


def test_nothing_returned_is_none():
    @plain
    def nothing(a):
        a[0] = 1

    assert nothing(np.zeros(1)) is None


@pytest.mark.parametrize("kind", KINDS)
def test_scalars_of_numpy_keep_their_type(kind):
    @plain
    def same(x):
        return x

    value = np.array([1], kind)[0]
    assert same(value) == value
    assert type(same(value)) is {"f": float, "b": bool}.get(value.dtype.kind, int)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", ["C", "F", "A"])
def test_arrays_of_any_type_and_layout_are_read_in_place(kind, order):
    @plain
    def copy(source, out):
        for i in range(source.shape[0]):
            for j in range(source.shape[1]):
                out[i, j] = source[i, j]

    numbers = np.arange(12).reshape(3, 4) % 2
    source = (
        np.repeat(numbers, 2, axis=1).astype(kind)[:, ::2] if order == "A" else numbers.astype(kind, order)
    )
    out = np.zeros((3, 4), kind)
    copy(source, out)
    np.testing.assert_array_equal(out, source)


def test_types_have_entry_points_of_their_own():
    @plain
    def total(values):
        sum_ = values[0] - values[0]
        for value in values:
            sum_ += value
        return sum_

    floats = np.arange(4.0)
    read_only = floats.copy()
    read_only.flags.writeable = False
    for values in (floats, floats[::2], floats.astype(np.float32), np.arange(4), read_only):
        with counting_compilations() as compiled:
            assert total(values) == values.sum()
            assert compiled() == 1
            assert total(values) == values.sum()
            assert compiled() == 1


def test_tuples_may_be_nested():
    @plain
    def pick(pair, number):
        (first, (second,)) = pair
        return first[0] + second[0] + number

    assert pick((np.ones(2), (np.full(2, 2.0),)), 3.0) == 6.0


def test_memory_inside_a_kernel_is_given_back():
    @plain
    def scratch(n):
        total = 0.0
        for _ in range(n):
            block = np.ones(4096)
            total += block.reshape(-1, 2)[5, 1]
        return total

    assert scratch(50_000) == 50_000


def test_sizes_that_do_not_fit_are_an_error():
    @plain
    def rows(a):
        return a.reshape(-1, 2)[1, 1]

    assert rows(np.arange(4.0)) == 3
    with pytest.raises(ValueError, match="sizes"):
        rows(np.zeros(3))


def test_what_has_no_entry_point_is_left_to_numba():
    @kernel
    def make(n):
        return np.zeros(n)

    assert make(3).tolist() == [0, 0, 0]
    assert make(2).tolist() == [0, 0]

    @kernel
    def first(x):
        return x[0]

    assert first(np.array([1 + 2j])) == 1 + 2j
    swapped = np.arange(3, dtype=">i4")
    with pytest.raises(Exception, match="Unsupported"):
        first(swapped)


def test_a_wrong_number_of_arguments_is_an_error():
    @kernel
    def two(a, b):
        return a + b

    assert two(1, 2) == 3
    with pytest.raises(TypeError):
        two(1)


def test_kernels_call_kernels():
    @plain
    def inner(x):
        return x + 1

    @plain
    def outer(x):
        return inner(x) * 2

    assert outer(3) == 8

    inlined = Kernel(inner.py_func, {**inner.targetoptions, "fastmath": FASTMATH, "inline": "always"})

    @plain
    def around(x):
        return inlined(x) * 2

    assert around(3) == 8


def test_intrinsics_are_known_inside_kernels():
    @intrinsic
    def twice(typing_context, x):
        def generate(context, builder, signature, arguments):
            return builder.add(arguments[0], arguments[0])

        return x(x), generate

    @plain
    def four_times(x):
        return twice(twice(x))

    assert four_times(3) == 12


def test_several_threads_may_be_the_first():
    @plain
    def add(x, out):
        out[0] += x

    outs = [np.zeros(1) for _ in range(8)]
    threads = [threading.Thread(target=add, args=(1.0, out)) for out in outs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [out[0] for out in outs] == [1.0] * 8


PROGRAM = """
import sys
from pathlib import Path
import numpy as np
from mien.runtime import linking, machine_code
machine_code.folder = lambda: Path(sys.argv[1])
from mien.imaging.kernels import bgr_to_gray
out = np.empty((4, 6), np.uint8)
bgr_to_gray(np.full((4, 6, 3), 200, np.uint8), out)
print(int(out.sum()), "numba" in sys.modules)
"""


def test_a_later_process_needs_no_numba(tmp_path):
    runs = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, check=True
        )
        for _ in range(2)
    ]
    assert [run.stdout.split() for run in runs] == [["4800", "True"], ["4800", "False"]]


def test_what_cannot_be_joined_is_left_to_llvm(monkeypatch, tmp_path):
    def refuse(objects, entry):
        raise linking.NotPlainError

    monkeypatch.setattr(linking, "link", refuse)

    @plain
    def scaled(values, factor):
        return math.sin(values.copy()[1]) * factor

    again = plain(scaled.py_func)
    for call in (scaled, again):
        assert call(np.arange(3.0), 2.0) == math.sin(1.0) * 2.0
    (path,) = tmp_path.glob("*.code")
    assert path.read_bytes().startswith(b"mien objects")


@pytest.mark.parametrize("data", [b"", b"MZ", b"\x7fELF\x02\x01" + bytes(100)])
def test_other_object_files_are_refused(data):
    with pytest.raises(linking.NotPlainError):
        linking.link([data], "entry")


def _emptied(data: bytes) -> bytes:
    return b""


def _cut(data: bytes) -> bytes:
    return data[:-100]


def _one_bit_turned(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize("damage", [_emptied, _cut, _one_bit_turned])
def test_damaged_files_are_compiled_again(tmp_path, damage):
    @plain
    def one():
        return 1

    assert one() == 1
    (path,) = tmp_path.glob("*.code")
    whole = path.read_bytes()
    path.write_bytes(damage(whole))

    again = plain(one.py_func)
    assert again() == 1
    assert len(path.read_bytes()) == len(whole)


def test_the_folder_depends_on_the_kernels_sources(monkeypatch):
    monkeypatch.undo()
    assert machine_code.folder() == machine_code.folder()
    assert machine_code.folder().parent.name == "kernels"

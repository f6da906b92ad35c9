"""Kernels are Numba's, with flags of their own and a cache of their own."""

import sys

import numba
import numpy as np
import pytest

from mien.runtime import jit
from mien.runtime.compilation import counting_compilations
from mien.runtime.jit import fast_kernel, fast_part, kernel, part
from mien.runtime.kernel_cache import kernel_folder


def subtract(a, b):
    return a - b


def test_exact_kernels_never_inherit_the_flags_of_fast_ones():
    @part
    def exact(a, b, c):
        return a * b + c

    @fast_kernel
    def fast(a, b, c):
        return exact(a, b, c)

    a = 1.0 + 2.0**-30
    assert fast(a, a, -1.0 - 2.0**-29) == 0.0  # Fused, it would be 2^-60.
    assert kernel(exact.py_func)(a, a, -1.0 - 2.0**-29) == 0.0


@pytest.mark.parametrize("decorate", [kernel, fast_kernel, part, fast_part])
def test_what_is_not_a_number_stays_so(decorate):
    function = decorate(subtract)
    assert np.isnan(function(np.inf, np.inf))
    assert np.isnan(function(np.nan, 1.0))


@pytest.mark.parametrize("decorate", [kernel, fast_kernel])
def test_division_by_zero_is_no_error(decorate):
    @decorate
    def divide(a, b):
        return a / b

    assert divide(1.0, 0.0) == np.inf


def test_kernels_are_kept_in_our_folder_and_nobody_elses_are():
    before = numba.config.CACHE_DIR
    assert kernel(subtract).stats.cache_path.startswith(str(kernel_folder()))
    assert before == numba.config.CACHE_DIR
    assert not numba.njit(cache=True)(subtract).stats.cache_path.startswith(str(kernel_folder()))


def test_parts_are_not_kept():
    assert part(subtract).stats.cache_path is None


def test_without_a_folder_kernels_work_in_this_process(monkeypatch):
    monkeypatch.setattr(jit, "kernel_folder", lambda: None)
    alone = kernel(subtract)
    assert alone.stats.cache_path is None
    assert alone(3, 1) == 2


def test_a_folder_that_numba_does_not_use_is_no_folder(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setattr(jit, "kernel_folder", lambda: tmp_path / "file")
    assert kernel(subtract).stats.cache_path is None


def test_several_threads_may_be_the_first():
    from concurrent.futures import ThreadPoolExecutor

    @kernel
    def add(x, out):
        out[0] += x

    outs = [np.zeros(1) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, [1.0] * 8, outs))
    assert [out[0] for out in outs] == [1.0] * 8


def test_a_kernel_counts_once_with_all_its_parts_and_not_again():
    @part
    def double(x):
        return 2 * x

    @kernel
    def triple(x):
        return double(x) + x

    with counting_compilations() as compiled:
        assert triple(1) == 3
        assert compiled() == 1
        assert triple(2) == 6
        assert compiled() == 1
        assert triple(2.0) == 6.0
        assert compiled() == 2


def test_nothing_of_numba_is_imported_with_the_package():
    import subprocess

    program = "import sys, mien, mien.cli.main; print([n for n in ('numba', 'llvmlite') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

"""What kernels compute does not depend on where in memory their arrays lie.

Heaps differ from run to run and with the number of threads. A loop that a compiler may reorder begins with a
check whether its arrays overlap, which can fail where they only lie close to each other.
"""

from __future__ import annotations

import ast
import inspect
import random
import sys

import numba
import numpy as np
import pytest
from numba.core.registry import CPUDispatcher

import mien
import synthetic_face
from mien.runtime.jit import fast_kernel
from synthetic_face import Pose
from synthetic_video import write_video

TRIALS = 16
CALLS = 3
LARGEST = 1 << 22
"""Calls with an array of more bytes are left out: it has pages of its own."""


def kept_kernels():
    """Kernels that Python calls, with the modules that name them."""
    for name, module in sorted(sys.modules.items()):
        if not name.startswith("mien."):
            continue
        for key, value in list(vars(module).items()):
            if isinstance(value, CPUDispatcher) and not value.targetoptions.get("forceinline"):
                yield module, key, value


class Packed:
    """Calls a kernel with its arrays side by side in one piece of memory, in any order, several times."""

    def __init__(self, kernel, tried: dict):
        self.kernel, self.tried = kernel, tried
        self.rng = random.Random(kernel.py_func.__name__)
        self.memory = np.zeros(4 * LARGEST, np.uint8)

    def __call__(self, *args):
        name = f"{self.kernel.py_func.__module__}.{self.kernel.py_func.__name__}"
        seen = self.tried.setdefault(name, [0, set()])
        if seen[0] < CALLS and not unfit(args):
            seen[0] += 1
            order = list(range(len(args)))
            for _ in range(TRIALS):
                seen[1].add((seen[0], self.called(args, order)))
                self.rng.shuffle(order)
        return self.kernel(*args)

    def called(self, args, order):
        """Everything that the kernel gives, as bytes."""
        at = 16 * self.rng.randrange(256)
        placed = list(args)
        for index in order:
            one = args[index]
            if isinstance(one, np.ndarray) and one.size:
                placed[index] = np.ndarray(one.shape, one.dtype, self.memory, at, one.strides)
                placed[index][...] = one
                placed[index].flags.writeable = one.flags.writeable
                at += -(-(extent(one) + self.rng.choice((8, 24))) // 16) * 16
        result = self.kernel(*placed)
        return repr(result), *(one.tobytes() if isinstance(one, np.ndarray) else None for one in placed)


def extent(array):
    return sum((n - 1) * step for n, step in zip(array.shape, array.strides, strict=True)) + array.itemsize


def unfit(args):
    arrays = [one for one in args if isinstance(one, np.ndarray) and one.size]
    odd = any(extent(one) > LARGEST or min(one.strides) < 0 for one in arrays)
    return odd or any(np.may_share_memory(a, b) for i, a in enumerate(arrays) for b in arrays[:i])


def assert_independent(work, monkeypatch):
    work()  # Compiles: kernels name one another.
    tried = {}
    for module, key, value in list(kept_kernels()):
        monkeypatch.setattr(module, key, Packed(value, tried))
    work()
    assert len(tried) > 8
    assert [name for name, (calls, results) in tried.items() if len(results) != calls] == []


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    pictures = [synthetic_face.picture(Pose(1.5, x=320 + k, y=240)) for k in range(3)]
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", pictures)


@pytest.mark.parametrize("options", [{"landmarks": "clnf"}, {"landmarks": "ce-clm"}, {"fit": "exact"}])
def test_analyses_do_not_depend_on_it(clip, options, monkeypatch, synthetic_openface):
    monkeypatch.setenv("MIEN_MODELS", str(synthetic_openface))
    assert_independent(lambda: mien.sides(clip, models="openface", threads=1, **options), monkeypatch)


def test_analyses_of_real_faces_do_not_either(media_dir, monkeypatch, openface_dir):
    monkeypatch.setenv("MIEN_MODELS", str(openface_dir))
    video = media_dir / "2015-10-15-15-14.avi"
    assert_independent(lambda: mien.sides(video, models="openface", threads=1, end_s=0.15), monkeypatch)


def test_a_dependence_would_be_found():
    @fast_kernel
    def places(values, out):
        out[0] = values.ctypes.data % 4096

    tried = {}
    packed = Packed(places, tried)
    for _ in range(CALLS):
        packed(np.zeros(8), np.zeros(1))
    ((calls, results),) = tried.values()
    assert len(results) > calls


def fast_loops():
    """Innermost loops that a compiler may reorder, with the function that they are in."""
    for name, module in sorted(sys.modules.items()):
        if not name.startswith("mien."):
            continue
        for value in list(vars(module).values()):
            if not isinstance(value, CPUDispatcher) or value.py_func.__module__ != name:
                continue
            if value.targetoptions.get("fastmath"):
                tree = ast.parse(inspect.getsource(value.py_func))
                for loop in ast.walk(tree):
                    if isinstance(loop, ast.For) and not any(
                        isinstance(one, ast.For) for inner in loop.body for one in ast.walk(inner)
                    ):
                        yield value.py_func, loop


def named(targets):
    return [node for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]


def test_no_fast_loop_both_adds_up_and_writes(clip, synthetic_openface, monkeypatch):
    monkeypatch.setenv("MIEN_MODELS", str(synthetic_openface))
    mien.analyze(clip, models="openface", landmarks="ce-clm", threads=1)
    found, looked_at = [], 0
    for function, loop in fast_loops():
        looked_at += 1
        nodes = [node for statement in loop.body for node in ast.walk(statement)]
        stored = [node for node in nodes if isinstance(getattr(node, "ctx", None), ast.Store)]
        begun = {one.id for node in nodes if isinstance(node, ast.Assign) for one in named(node.targets)}
        sums = {
            node.target.id
            for node in nodes
            if isinstance(node, ast.AugAssign)
            and isinstance(node.target, ast.Name)
            and not isinstance(node.value, ast.Constant)
        }
        if sums - begun and any(isinstance(node, ast.Subscript) for node in stored):
            found.append(f"{function.__module__}.{function.__name__}:{loop.lineno}")
    assert looked_at > 30
    assert found == []


def test_numba_says_what_the_tests_above_ask():
    assert fast_kernel(lambda a: a).targetoptions["fastmath"]
    assert numba.njit(forceinline=True)(lambda a: a).targetoptions["forceinline"]

"""The profiler adds up time per frame, from outside, and leaves nothing behind."""

import sys
import time
import types

import pytest

from mien.runtime.memory import peak_memory_mb
from mien.runtime.profiler import Probe, Profiler


class Inner:
    def work(self):
        time.sleep(0.02)
        return 7


class Outer:
    def __init__(self):
        self.inner = Inner()

    def work(self):
        time.sleep(0.01)
        return self.inner.work()

    def __iter__(self):
        for i in range(3):
            time.sleep(0.01)
            yield i


@pytest.fixture
def probes():
    module = types.ModuleType("profiled_module")
    module.Inner, module.Outer = Inner, Outer
    sys.modules["profiled_module"] = module
    yield {
        "inner": Probe("inner", "profiled_module", "Inner.work"),
        "outer": Probe("outer", "profiled_module", "Outer.work"),
        "whole": Probe("outer", "profiled_module", "Outer.work", whole=True),
        "items": Probe("items", "profiled_module", "Outer.__iter__", iterates=True),
    }
    del sys.modules["profiled_module"]


def by_name(profiler):
    return {stage.stage: stage for stage in profiler.times()}


def test_time_of_a_nested_stage_is_not_counted_twice(probes):
    profiler = Profiler()
    with profiler.watching([probes["inner"], probes["outer"]]):
        assert Outer().work() == 7
    profiler.next_frame()
    times = by_name(profiler)
    assert times["inner"].frame_ms[0] >= 20
    assert times["outer"].frame_ms[0] >= 10
    assert times["inner"].percentile_ms(95) == times["inner"].frame_ms[0]


def test_stages_inside_a_whole_count_as_part_of_it_but_are_still_observed(probes):
    profiler, seen = Profiler(), []
    observers = {"Inner.work": lambda result: seen.append((result, profiler.inside("outer")))}
    with profiler.watching([probes["inner"], probes["whole"]], observers):
        Outer().work()
        Inner().work()
    profiler.next_frame()
    times = by_name(profiler)
    assert seen == [(7, True), (7, False)]
    assert times["inner"].calls == 1
    assert times["outer"].frame_ms[0] >= 30


def test_iterators_are_timed_item_by_item(probes):
    profiler = Profiler()
    with profiler.watching([probes["items"]]):
        for item in Outer():
            profiler.next_frame()
            if item == 2:
                break
    times = by_name(profiler)["items"]
    assert times.calls == 3
    assert (times.frame_ms >= 10).all()


def test_nothing_stays_wrapped_even_after_an_error(probes):
    originals = Inner.work, Outer.work, Outer.__iter__
    with pytest.raises(ZeroDivisionError), Profiler().watching(list(probes.values())):
        raise ZeroDivisionError
    assert (Inner.work, Outer.work, Outer.__iter__) == originals


def test_forgetting_starts_anew(probes):
    profiler = Profiler()
    with profiler.watching([probes["inner"]]):
        Inner().work()
        profiler.forget()
        profiler.next_frame()
    assert profiler.times() == []


def test_a_probe_of_something_that_does_not_exist_is_an_error():
    with pytest.raises(AttributeError, match="nothing_here"):
        Probe("x", "mien.pipeline", "Pipeline.nothing_here").find()


def test_peak_memory_is_plausible():
    peak = peak_memory_mb()
    assert peak is None or 10 < peak < 1e6

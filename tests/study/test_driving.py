"""Tasks and what becomes of them when workers die: with real processes that really end."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from mien.analysis.outputs import OutputOptions
from mien.errors import OptionError, OutputError, StoppedError
from mien.options import AnalysisOptions
from mien.study.driving import DIED, drive
from mien.study.engines import ExecutorEngine, LocalEngine, free_memory, usual_workers
from mien.study.find import Recording, _recording
from mien.study.ledger import Item, Making
from mien.study.planning import Planning, Shard
from mien.study.rules import SummaryOptions
from mien.study.run import _alone
from mien.study.work import Ended, Task, _finished, run_task


def task(name):
    item = Item(Recording(Path(name), name, size=1), OutputOptions(base=name), Path("out"))
    now = Making({}, None, "openface", "clnf", {}, {}, "")
    return Task(items=(item,), options=AnalysisOptions(), now=now, rules=SummaryOptions(), run="run")


def work(task):
    """What a worker does here: its file says whether it dies, always or the first time."""
    name = task.items[0].name
    if name.startswith("dies"):
        os._exit(9)
    if name.startswith("once"):
        marker = Path(os.environ["MIEN_TEST_MARKERS"]) / name
        if not marker.exists():
            marker.touch()
            os._exit(9)
    if name.startswith("slow"):
        with (Path(os.environ["MIEN_TEST_MARKERS"]) / name).open("a") as marker:
            marker.write("begun once")
        time.sleep(2)
    if name.startswith("wrong"):
        raise ValueError(f"{name} is wrong")
    if name.startswith("option"):
        raise OptionError("holds for all")
    return [Ended(name=name, frames=1)]


class Mortal(LocalEngine):
    """Local processes that do `work`."""

    def _work(self, task):
        return partial(work, task)


def driven(names, engine):
    taken = {}

    def take(task, every):
        for ended in every:
            assert ended.name not in taken
            taken[ended.name] = ended

    with closing(engine):
        drive([task(name) for name in names], engine, take, threading.Event())
    return taken


@pytest.fixture(autouse=True)
def markers(tmp_path, monkeypatch):
    monkeypatch.setenv("MIEN_TEST_MARKERS", str(tmp_path))


@pytest.mark.parametrize("workers", [1, 3])
def test_a_recording_that_kills_its_worker_is_a_failure_and_takes_no_other_with_it(workers):
    names = [*(f"good{number}" for number in range(6)), "dies1", "good6", "once", "dies2", "good7"]
    taken = driven(names, Mortal(workers))
    assert sorted(taken) == sorted(names)
    assert {name for name, ended in taken.items() if ended.failed} == {"dies1", "dies2"}
    assert taken["dies1"].reason == DIED


def test_what_others_are_at_goes_on_when_a_worker_dies(tmp_path):
    driven(["slow", "dies", "good"], Mortal(2))
    assert (tmp_path / "slow").read_text() == "begun once"


def test_workers_that_die_before_their_first_task_are_replaced():
    engine = Mortal(2)
    engine.kill()
    wait_until(lambda: all(getattr(pool, "_broken", False) for pool in engine._pools))
    assert engine.prepare(os.getpid).result(timeout=60) != os.getpid()
    assert sorted(driven(["a", "b", "c"], engine)) == ["a", "b", "c"]


def wait_until(condition):
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("nothing came of it in a minute")


def test_an_executor_that_is_broken_or_gives_up_ends_the_study():
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:

        class Pool(ExecutorEngine):
            def submit(self, task):
                return pool.submit(work, task)

        with pytest.raises(BrokenExecutor):
            driven(["dies", "good"], Pool(pool, 1))

    class Gone(ExecutorEngine):
        def submit(self, task):
            future = Future()
            future.cancel()
            return future

    with pytest.raises(StoppedError, match="the workers are gone"):
        driven(["good"], Gone(None, 1))


def test_a_recording_that_changed_in_the_meantime_is_no_result(tmp_path):
    source = tmp_path / "clip.mp4"
    source.write_bytes(b"before")
    item = Item(_recording(source, "clip.mp4"), OutputOptions(folder=tmp_path, base="clip"), tmp_path)
    of_one = replace(task("clip"), items=(item,))
    (tmp_path / "clip.csv").write_text("frame,timestamp,confidence,success\n1,0,1,1\n")
    assert not _finished(item, Ended(name="clip.mp4"), of_one).failed
    source.write_bytes(b"after it")
    assert "has changed" in _finished(item, Ended(name="clip.mp4"), of_one).reason


def test_where_the_disk_is_full_nothing_is_analysed_in_vain(monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1000))
    (ended,) = run_task(task("clip"))
    assert "free the disk" in ended.reason


def test_calls_that_would_do_the_same_recordings_exclude_one_another(tmp_path):
    def planning(part):
        return Planning(
            home=tmp_path, options=AnalysisOptions(), wanted=OutputOptions(), shard=Shard.parse(part)
        )

    for first, second in (("1/1", "1/1"), ("1/1", "1/2"), ("1/2", "1/1"), ("1/2", "1/3"), ("1/2", "1/2")):
        said = pytest.raises(OutputError, match="another mien study is at work")
        with _alone(planning(first)), said, _alone(planning(second)):
            pass
    with _alone(planning("1/2")), _alone(planning("2/2")):
        pass


def test_an_error_that_nobody_thought_of_is_the_failure_of_one():
    taken = driven(["good", "wrong", "good2"], Mortal(2))
    assert taken["wrong"].reason == "ValueError: wrong is wrong"
    assert not taken["good2"].failed


def test_an_error_that_holds_for_all_ends_the_study():
    with pytest.raises(OptionError, match="holds for all"):
        driven(["option", "good"], Mortal(1))


def test_any_executor_will_do():
    with ThreadPoolExecutor(2) as pool:

        class Threads(ExecutorEngine):
            def submit(self, task):
                return pool.submit(work, task)

        assert len(driven([f"good{number}" for number in range(9)], Threads(pool, 2))) == 9


def test_once_stopped_nothing_further_begins():
    stopped, taken = threading.Event(), []

    def take(task, every):
        taken.extend(every)
        stopped.set()

    with closing(Mortal(1)) as engine:
        drive([task(f"good{number}") for number in range(50)], engine, take, stopped)
    assert 1 <= len(taken) < 10


def test_workers_are_as_many_as_cores_and_memory_allow():
    assert 1 <= usual_workers() <= (os.cpu_count() or 1)
    assert free_memory() is None or free_memory() > 0
    with pytest.raises(OptionError, match="workers"):
        LocalEngine(0)

"""A study on a Dask cluster: a real scheduler and two workers in their own processes; one is killed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest
from study_process import done, environment, leftovers, rows, start, tables

pytest.importorskip("distributed")


@pytest.fixture
def cluster(study_models, tmp_path):
    """The scheduler's file, and a function that starts a worker."""
    with ExitStack() as processes:
        place = tmp_path / "scheduler.json"

        def begin(*arguments):
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *map(str, arguments)],
                env=environment(study_models) | {"DASK_DISTRIBUTED__WORKER__DAEMON": "False"},
                cwd=tmp_path,
                stdout=subprocess.DEVNULL,
                stderr=(tmp_path / f"dask-{arguments[0]}.txt").open("ab"),
            )
            processes.callback(process.wait, 30)
            processes.callback(process.terminate)
            return process

        begin("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", place)
        _wait_for(place.exists)

        def worker(name):
            return begin(
                "worker",
                "--scheduler-file",
                place,
                "--nthreads",
                "1",
                "--no-nanny",
                "--no-dashboard",
                "--name",
                name,
            )

        yield place, worker


@pytest.fixture
def many(drawn, tmp_path):
    """Twenty-four clips."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(24):
        shutil.copyfile(drawn / ("one.mp4" if number % 2 else "two.mp4"), folder / f"{number:02}.mp4")
    return folder


def test_no_result_is_lost_and_none_made_twice_when_a_worker_is_killed(
    cluster, many, study, study_models, tmp_path
):
    place, worker = cluster
    workers = [worker("first"), worker("second")]
    _wait_for(lambda: _workers(place) == 2)
    process = start(study_models, tmp_path, "many", "-o", "out", "--scheduler", place)
    out = tmp_path / "out"
    _wait_for(lambda: (out / "study.log").exists() and len(done(out)) >= 5, process)
    workers[0].kill()
    workers[0].wait()
    text, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    assert "24 of 24 recordings done, 24 of them now" in text
    assert done(out) == [f"{number:02}.mp4" for number in range(24)]
    assert len(rows(out / "study.csv")) == 24
    assert not leftovers(out)
    study("many", "-o", "local", "-q")
    assert tables(out) == tables(tmp_path / "local")


def test_a_cluster_without_workers_and_none_at_all_are_one_line(cluster, many, study, tmp_path):
    place, _ = cluster
    assert "has no workers" in study("many", "-o", "out", "--scheduler", place, code=2).stderr
    gone = study("many", "-o", "out", "--scheduler", "tcp://127.0.0.1:9", code=2)
    assert "no Dask scheduler answers there" in gone.stderr
    assert "Traceback" not in gone.stderr
    both = study("many", "-o", "out", "--scheduler", place, "--workers", "2", code=2)
    assert "leave one of both out" in both.stderr


def _workers(place):
    from distributed import Client

    with Client(scheduler_file=os.fspath(place), set_as_default=False) as client:
        return len(client.nthreads())


def _wait_for(condition, process=None, seconds=600.0):
    end = time.monotonic() + seconds
    while not condition():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.05)

"""Sixty files cut from real videos: as single runs, however often the study is killed in the midst of it."""

from __future__ import annotations

import json
import os
import random
import signal
import time

import pytest
from study_clips import DAMAGED, make_study
from study_process import done, leftovers, rows, start, tables

from mien.analysis.jobs import run_job
from mien.analysis.outcome import Job
from mien.analysis.outputs import OutputOptions
from mien.options import AnalysisOptions

pytestmark = [
    pytest.mark.models,
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="signals of POSIX systems"),
]
KILLS = 10


def entries(out):
    """Recordings that are noted as done, with the moment at which their table was put in its place."""
    found = {}
    for path in (out / ".mien-study" / "done").rglob("*.json"):
        entry = json.loads(path.read_bytes())  # never half
        name = path.relative_to(out / ".mien-study" / "done").as_posix().removesuffix(".json")
        moments = [
            (out / name).parent.joinpath(file).stat().st_mtime_ns
            for file, size in entry["files"].items()
            if size
        ]
        found[name] = (entry["run"], *moments)
    return found


def test_a_study_killed_ten_times_is_whole_and_as_single_runs(media_dir, openface_dir, tmp_path, monkeypatch):
    names = make_study(media_dir, tmp_path / "in")
    assert len(names) >= 60
    out, known = tmp_path / "out", {}
    chance = random.Random(20240229)
    for kill in range(KILLS):
        process = start(openface_dir, tmp_path, "in", "-o", "out", "--workers", "2", "-q")
        before = len(known)
        end = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < end:
            now = len(entries(out)) if out.exists() else 0
            if now > before:
                break
            time.sleep(0.02)
        time.sleep(chance.uniform(0, 0.6))
        if process.poll() is None:
            if kill % 2:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()  # its workers end by themselves
        process.communicate()
        time.sleep(0.3)
        now = entries(out)
        assert {name: now.get(name) for name in known} == known, "computed twice, or lost"
        known = now
    process = start(openface_dir, tmp_path, "in", "-o", "out", "--workers", "2", "-q")
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 1, errors  # some are damaged
    now = entries(out)
    assert {name: now.get(name) for name in known} == known, "computed twice, or lost"
    assert sorted(now) == sorted(set(names) - set(DAMAGED))
    assert not leftovers(out)
    logged = done(out)
    assert len(set(logged)) == len(logged), "computed twice"
    assert sorted(row["file"] for row in rows(out / "failures.csv")) == DAMAGED
    assert {row["file"] for row in rows(out / "study.csv")} == set(now)
    _same_as_single_runs(out, tmp_path, openface_dir, monkeypatch)


def _same_as_single_runs(out, tmp_path, openface_dir, monkeypatch):
    monkeypatch.setenv("MIEN_MODELS", str(openface_dir))
    found = tables(out)
    for row in rows(out / "study.csv"):
        source = tmp_path / "in" / row["file"]
        if source.suffix in (".jpg", ".png"):
            continue
        run_job(Job(source, OutputOptions(folder=tmp_path, base="single")), AnalysisOptions(threads=2))
        assert found.pop(row["table"]) == (tmp_path / "single.csv").read_bytes(), row["file"]
    assert sorted(found) == ["odd/sample1.csv", "odd/sample2.csv"]
    process = start(
        openface_dir, tmp_path / "in" / "odd", "sample1.jpg", "-o", "../../single.csv", command="analyze"
    )
    process.communicate(timeout=120)
    assert found["odd/sample1.csv"] == (tmp_path / "single.csv").read_bytes()

"""A study through the real command line: what is done, what is done again, and what is left."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from study_process import done, leftovers, log, rows, start, tables

from mien.analysis.jobs import run_job
from mien.analysis.outcome import Job
from mien.analysis.outputs import OutputOptions
from mien.options import AnalysisOptions

ALL = [
    "day1/a.mp4",
    "day1/b.mp4",
    "day2/a.avi",
    "day2/a.mp4",
    "day2/nobody.mp4",
    "photos/face.png",
    "photos/nobody.png",
]


def test_a_study_keeps_folders_goes_on_after_failures_and_sums_up(study, recordings, tmp_path):
    ran = study("recordings", "-o", "out", "--long", code=1)
    out = tmp_path / "out"
    assert "7 of 8 recordings done" in ran.stdout
    assert "No face was found in day2/nobody.mp4, photos/nobody.png." in ran.stdout
    assert done(out) == ALL
    assert set(tables(out)) == {
        "day1/a.csv",
        "day1/b.csv",
        "day2/a.mp4.csv",
        "day2/a.avi.csv",
        "day2/nobody.csv",
        "photos/face.csv",
    }
    (failure,) = rows(out / "failures.csv")
    assert failure["file"] == "day2/damaged.mp4"
    assert "not a video" in failure["reason"]
    assert len([line for line in ran.stderr.splitlines() if line.startswith("mien:")]) == 1
    found = {row["file"]: row for row in rows(out / "study.csv")}
    assert list(found) == ALL
    assert found["day1/a.mp4"]["usable_share"] == "1"
    assert float(found["day2/nobody.mp4"]["success_share"]) == 0
    assert found["photos/nobody.png"]["frames"] == "0"
    assert found["day2/a.avi"]["table"] == "day2/a.avi.csv"
    assert {row["file"] for row in rows(out / "study_long.csv")} >= {"day1/a.mp4"}
    described = json.loads((out / "study.json").read_text("utf-8"))
    assert set(rows(out / "study.csv")[0]) <= set(described)
    assert {row["column"] for row in rows(out / "dictionary.csv")} >= set(rows(out / "study.csv")[0])
    assert not leftovers(out)


def test_recordings_may_be_called_as_files_of_the_study_and_at_great_length(study, drawn, tmp_path):
    names = [
        "study.mp4",
        "events.mp4",
        f"{'ü' * 120}.mp4",
        "a.mp4",
        "a.partial.mp4",
        "Ä ö (1), +2; 👩‍👧.mp4",
    ]
    (tmp_path / "in").mkdir()
    for name in names:
        shutil.copyfile(drawn / "one.mp4", tmp_path / "in" / name)
    study("in", "-o", "out")
    found = {row["file"]: row for row in rows(tmp_path / "out" / "study.csv")}
    assert sorted(found) == sorted(names)
    contents = {(tmp_path / "out" / row["table"]).read_bytes() for row in found.values()}
    assert len(contents) == 1
    assert b"AU12_r" in contents.pop()
    assert "6 of 6 recordings done, 0 of them now" in study("in", "-o", "out").stdout


def test_what_a_stopped_analysis_kept_goes_when_there_is_a_whole_one(study, drawn, tmp_path):
    out = tmp_path / "out"
    (out / "a.partial_aligned").mkdir(parents=True)
    for name in ("a.partial.csv", "a.partial.provenance.json", "a.partial.scores.npz", "a.partial.txt"):
        (out / name).touch()
    (tmp_path / "in").mkdir()
    shutil.copyfile(drawn / "one.mp4", tmp_path / "in" / "a.mp4")
    study("in", "-o", "out", "--aligned")
    assert [path.name for path in out.glob("*.partial*")] == ["a.partial.txt"]


def test_a_second_call_does_what_failed_or_changed_and_nothing_else(study, recordings, tmp_path):
    out = tmp_path / "out"
    study("recordings", "-o", "out", "-q", code=1)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.csv") if path.name != "failures.csv"}
    again = study("recordings", "-o", "out", code=1)
    assert "7 of 8 recordings done, 0 of them now" in again.stdout
    assert {path: path.stat().st_mtime_ns for path in before} == before
    shutil.copyfile(recordings / "day1" / "b.mp4", recordings / "day2" / "damaged.mp4")
    os.utime(recordings / "day1" / "a.mp4")  # touched, with the same content
    shutil.copyfile(recordings / "day1" / "a.mp4", recordings / "day1" / "new.mp4")
    shutil.copyfile(recordings / "day1" / "a.mp4", recordings / "day2" / "a.mp4")  # changed
    (out / "day1" / "b.csv").unlink()
    third = study("recordings", "-o", "out")
    assert "9 of 9 recordings done, 4 of them now" in third.stdout
    assert {line.split(":")[0] for line in log(out)[-4:]} == {
        "done day1/b.mp4",
        "done day1/new.mp4",
        "done day2/a.mp4",
        "done day2/damaged.mp4",
    }
    assert not (out / "failures.csv").exists()


def test_other_options_rules_and_lost_entries_are_noticed(study, recordings, tmp_path):
    out = tmp_path / "out"
    only = ("--include", "day1/*.mp4")
    study("recordings", "-o", "out", *only)
    said = study("recordings", "-o", "out", *only, "--dry-run").stdout
    assert "2 recordings: 2 done, 0 to do" in said
    said = study("recordings", "-o", "out", *only, "--dry-run", "--skip", "gaze").stdout
    assert "missing day1/a.mp4 (made with another skip)" in said
    said = study("recordings", "-o", "out", *only, "--dry-run", "--redo").stdout
    assert "0 done, 2 to do" in said
    said = study("recordings", "-o", "out", *only, "--dry-run", "--hog").stdout
    assert "other files are wanted" in said
    shutil.rmtree(out / ".mien-study" / "done")  # provenance says that the tables are right
    again = study("recordings", "-o", "out", *only)
    assert "2 of 2 recordings done, 0 of them now" in again.stdout
    assert sorted(log(out)[-2:]) == ["summed up day1/a.mp4", "summed up day1/b.mp4"]
    usual = rows(out / "study.csv")[0]["rule"]
    study("recordings", "-o", "out", *only, "--min-confidence", "0.5")
    assert usual.endswith("0.8")
    assert rows(out / "study.csv")[0]["rule"].endswith("0.5")
    assert len(done(out)) == 2
    (out / ".mien-study" / "summaries" / "day1" / "a.mp4.json").write_bytes(b"{")
    table = out / "day1" / "a.csv"
    said = study("recordings", "-o", "out", *only, "--dry-run", "--min-confidence", "0.5").stdout
    assert "unsummed day1/a.mp4\ndone day1/b.mp4" in said
    table.write_bytes(table.read_bytes()[:-100])
    said = study("recordings", "-o", "out", *only, "--dry-run", "--min-confidence", "0.5").stdout
    assert "a.csv has another size" in said


@pytest.mark.skipif(os.name != "posix", reason="Windows does not tell whether a process lives")
@pytest.mark.parametrize("dirty", [False, True], ids=["nothing to do", "something to do"])
def test_what_killed_processes_left_in_any_folder_is_removed(study, recordings, tmp_path, dirty):
    out = tmp_path / "out"
    only = ("--include", "day1/*.mp4")
    study("recordings", "-o", "out", *only)
    folders = [out, *(path for path in out.rglob("*") if path.is_dir())]
    assert {"day1", "done", "summaries"} <= {folder.name for folder in folders}
    dying = "import os, sys; from mien.results.files import WholePath; paths = sys.argv[1:]"
    left = "kept = [WholePath(path + '/x') for path in paths]; os._exit(9)"
    command = [sys.executable, "-c", f"{dying}; {left}", *map(str, folders)]
    assert subprocess.run(command, timeout=60).returncode == 9
    assert len(leftovers(out)) == len(folders)
    if dirty:
        (out / "day1" / "b.csv").unlink()
    assert f"{int(dirty)} of them now" in study("recordings", "-o", "out", *only).stdout
    assert not leftovers(out)


def test_tables_are_those_of_single_runs_byte_for_byte(
    study, study_models, recordings, tmp_path, monkeypatch
):
    study("recordings", "-o", "out", "--include", "*.mp4", "--exclude", "damaged*")
    monkeypatch.setenv("MIEN_MODELS", str(study_models))
    for name, table in tables(tmp_path / "out").items():
        path = name.removesuffix(".csv")
        source = recordings / (path if path.endswith((".mp4", ".avi")) else f"{path}.mp4")
        run_job(Job(source, OutputOptions(folder=tmp_path, base="single")), AnalysisOptions(threads=2))
        assert (tmp_path / "single.csv").read_bytes() == table


def test_a_persons_recordings_share_a_neutral_face(study, study_models, recordings, tmp_path):
    (recordings / "list.csv").write_text(
        "file;person;condition\nday1/a.mp4;P1;x\nday1/b.mp4;P1;y\nday2/a.mp4;P2;x\nday2/missing.mp4;P2;y\n"
    )
    study("recordings/list.csv", "-o", "out", code=1)
    out = tmp_path / "out"
    process = start(
        study_models,
        recordings / "day1",
        "a.mp4",
        "b.mp4",
        "--person",
        "P1",
        "-o",
        "../../single",
        command="analyze",
    )
    assert process.wait(120) == 0
    process.communicate()
    assert tables(out)["day1/a.csv"] == (tmp_path / "single" / "a.csv").read_bytes()
    assert tables(out)["day1/b.csv"] == (tmp_path / "single" / "b.csv").read_bytes()
    (failure,) = rows(out / "failures.csv")
    assert (failure["file"], failure["person"], failure["condition"]) == ("day2/missing.mp4", "P2", "y")
    found = rows(out / "study.csv")
    assert [(row["file"], row["person"], row["condition"]) for row in found] == [
        ("day1/a.mp4", "P1", "x"),
        ("day1/b.mp4", "P1", "y"),
        ("day2/a.mp4", "P2", "x"),
    ]
    again = study("recordings/list.csv", "-o", "out", code=1)
    assert "0 of them now" in again.stdout
    (out / "day1" / "b.csv").unlink()
    again = study("recordings/list.csv", "-o", "out", code=1)
    assert "2 of them now" in again.stdout  # with the one that shares its neutral face
    own = study("recordings/list.csv", "-o", "out", "--own-neutral", "--dry-run")
    assert "2 to do" in own.stdout


def test_a_persons_damaged_recording_takes_no_other_with_it(study, study_models, recordings, drawn, tmp_path):
    out, listed = tmp_path / "out", recordings / "list.csv"
    names = ["day1/a.mp4", "day2/damaged.mp4", "day1/b.mp4"]
    listed.write_text("file,person\n" + "".join(f"{name},P1\n" for name in names))
    clips = ["a.mp4", "b.mp4", "--person", "P1", "-o", "../../single"]
    process = start(study_models, recordings / "day1", *clips, command="analyze")
    process.communicate()
    study(listed, "-o", "out", code=1)
    assert [row["file"] for row in rows(out / "failures.csv")] == ["day2/damaged.mp4"]
    found = tables(out)
    assert found == {f"day1/{n}.csv": (tmp_path / "single" / f"{n}.csv").read_bytes() for n in "ab"}
    again = study(listed, "-o", "out", "--dry-run")
    assert "missing day2/damaged.mp4 (new)" in again.stdout
    assert "3 recordings: 2 done, 1 to do" in again.stdout
    for options in ([], ["--onset", "2"]):
        again = study(listed, "-o", "out", *options, code=1)  # it is tried again, alone
        assert "2 of 3 recordings done, 0 of them now" in again.stdout
        assert done(out) == ["day1/a.mp4", "day1/b.mp4"]
        assert len(rows(out / "study.csv")) == 2
    assert tables(out) == found
    shutil.copyfile(drawn / "two.mp4", recordings / "day2" / "damaged.mp4")
    again = study(listed, "-o", "out")
    assert "3 of 3 recordings done, 3 of them now" in again.stdout  # all with the neutral face of three
    assert set(tables(out)) == {"day1/a.csv", "day1/b.csv", "day2/damaged.csv"}
    assert "3 of 3 recordings done, 0 of them now" in study(listed, "-o", "out").stdout
    (out / "day1" / "b.csv").unlink()
    (recordings / "day1" / "b.mp4").write_bytes(b"")
    again = study(listed, "-o", "out", code=1)  # the others get a neutral face without it
    assert "2 of 3 recordings done, 2 of them now" in again.stdout


def test_tables_of_a_person_with_other_recordings_do_not_count(study, study_models, recordings, tmp_path):
    listed = recordings / "list.csv"
    listed.write_text("file,person\nday1/a.mp4,P1\nday1/b.mp4,P1\nday2/a.mp4,P1\n")
    clips = ["a.mp4", "b.mp4", "--person", "P1", "-o", "../../out/day1"]
    process = start(study_models, recordings / "day1", *clips, command="analyze")
    process.communicate()
    planned = study(listed, "-o", "out", "--dry-run")
    assert "missing day1/a.mp4" in planned.stdout
    assert "3 recordings: 0 done, 3 to do" in planned.stdout
    listed.write_text("file,person\nday1/a.mp4,P1\nday1/b.mp4,P1\n")
    assert "0 of them now" in study(listed, "-o", "out").stdout


def test_shards_share_the_work_and_a_last_call_sums_up(study, recordings, tmp_path):
    out = tmp_path / "out"
    for part in ("1/3", "2/3", "3/3"):
        study("recordings", "-o", "out", "--shard", part, "--exclude", "damaged*", "-q")
        assert not (out / "study.csv").exists()
    assert done(out) == ALL
    last = study("recordings", "-o", "out", "--exclude", "damaged*")
    assert "7 of 7 recordings done, 0 of them now" in last.stdout
    assert len(rows(out / "study.csv")) == 7


def test_failures_of_parts_are_those_of_the_whole_in_the_end(study, recordings, tmp_path):
    chosen = ("recordings", "-o", "out", "--include", "damaged*")
    study(*chosen, "--shard", "1/2", code=1)
    out = tmp_path / "out"
    assert [row["file"] for row in rows(out / "failures-1of2.csv")] == ["day2/damaged.mp4"]
    study(*chosen, code=1)
    assert sorted(path.name for path in out.glob("failures*")) == ["failures.csv"]


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "a/b", "1/0"])
def test_parts_that_there_are_not_are_refused(study, recordings, text):
    assert (
        "shard: expected a part such as 3/20"
        in study("recordings", "-o", "out", "--shard", text, code=2).stderr
    )


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX systems")
def test_an_interrupted_study_ends_cleanly_and_goes_on(study, study_models, drawn, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(30):
        shutil.copyfile(drawn / "one.mp4", folder / f"{number:02}.mp4")
    out = tmp_path / "out"
    process = start(study_models, tmp_path, "many", "-o", "out", "--workers", "2")
    _wait_for(lambda: (out / "study.log").exists() and len(done(out)) >= 3, process)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert "goes on from here" in errors
    some = done(out)
    assert 3 <= len(some) < 30
    assert len(rows(out / "study.csv")) == len(some)
    assert not leftovers(out)
    study("many", "-o", "out", "-q")
    assert done(out) == [f"{number:02}.mp4" for number in range(30)]


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX systems")
def test_a_second_ctrl_c_ends_at_once(study_models, drawn, face_hours, tmp_path):
    out = tmp_path / "out"
    process = start(study_models, tmp_path, face_hours, "-o", "out", "--workers", "1")
    _wait_for(lambda: list(out.rglob(".mien-*.part")), process)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX systems")
def test_a_study_that_is_at_work_is_not_disturbed_by_another(study, study_models, drawn, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(20):
        shutil.copyfile(drawn / "one.mp4", folder / f"{number:02}.mp4")
    out = tmp_path / "out"
    process = start(study_models, tmp_path, "many", "-o", "out", "--workers", "1", "-q")
    _wait_for(lambda: (out / "study.log").exists(), process)
    assert "another mien study is at work" in study("many", "-o", "out", code=1).stderr
    assert process.wait(120) == 0
    process.communicate()


def _wait_for(condition, process, seconds=600.0):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)

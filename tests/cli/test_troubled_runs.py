"""Full disks, signals, closed streams and bugs: what is kept, what is said, and how the command ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from cli_process import environment, executable
from PIL import Image

from mien.analysis.staging import Staging
from synthetic_video import write_video

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="limits and signals of POSIX")
KIB = 1024


def names(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def rows(table):
    return len(Path(table).read_text().splitlines()) - 1


def start(models, *arguments, **kwargs):
    """Start ``mien analyze`` with the synthetic CLNF model."""
    command = [executable(), "analyze", *map(str, arguments), "--models", "openface", "--landmarks", "clnf"]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | kwargs
    return subprocess.Popen(command, env=environment(models), **streams)


def limit_files(size):
    """What makes the files of a process end at so many bytes."""

    def limit():
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


@pytest.fixture(scope="module")
def warm(models_folder, face_video, tmp_path_factory):
    """Compiled kernels: their files would run into limits."""
    start(models_folder, face_video, "--hog", "--aligned", cwd=tmp_path_factory.mktemp("warm")).communicate()


@POSIX
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(
    ("wish", "size"), [(["--hog"], 400 * KIB), (["--aligned", "--gray", "--details", "--hog"], 400 * KIB)]
)
def test_a_file_that_grows_too_large_costs_itself_and_the_rows_so_far_are_kept(
    warm, models_folder, face_video, tmp_path, wish, size, threads
):
    process = start(
        *(models_folder, face_video, "-o", "out/t.csv", "--threads", threads, *wish),
        cwd=tmp_path,
        preexec_fn=limit_files(size),
    )
    said = process.communicate(timeout=120)[1].decode()
    assert process.returncode == 1
    assert names(tmp_path / "out") == ["t.partial.csv", "t.partial.provenance.json"]
    assert 15 <= rows(tmp_path / "out/t.partial.csv") < 50
    assert said.count("can't be written") == 1
    assert "out/t.hog can't be written: File too large" in said
    assert "Traceback" not in said


@POSIX
def test_a_table_of_pictures_that_grows_too_large_is_told_by_its_own_name(
    warm, models_folder, face_pictures, tmp_path
):
    (tmp_path / "in").mkdir()
    Image.fromarray(face_pictures[0][..., ::-1]).save(tmp_path / "in" / "a.png")
    limit = limit_files(KIB)
    process = start(models_folder, "in", "-o", "out/t.csv", cwd=tmp_path, preexec_fn=limit)
    said = process.communicate(timeout=120)[1].decode()
    assert process.returncode == 1
    assert "out/t.csv can't be written: File too large" in said
    assert ".mien-" not in said
    assert "Traceback" not in said


@POSIX
def test_the_rest_of_a_batch_goes_on_after_one_ran_out_of_room(warm, models_folder, face_pictures, tmp_path):
    for name, count in (("a", 5), ("long", 50), ("z", 5)):
        write_video(tmp_path / f"{name}.mp4", face_pictures[:count])
    process = start(
        *(models_folder, "a.mp4", "long.mp4", "z.mp4", "-o", "out", "--hog", "-q"),
        cwd=tmp_path,
        preexec_fn=limit_files(400 * KIB),
    )
    said = process.communicate(timeout=120)[1].decode()
    assert process.returncode == 1
    found = [name for name in names(tmp_path / "out") if "provenance" not in name]
    assert found == ["a.csv", "a.hog", "long.partial.csv", "z.csv", "z.hog"]
    assert said.count("\n") == 2
    assert "long.mp4" in said


@POSIX
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_systems_wish_to_end_keeps_the_rows_so_far(warm, models_folder, face_pictures, tmp_path, number):
    write_video(tmp_path / "long.mp4", face_pictures * 12)
    process = start(models_folder, "long.mp4", "-o", "out/t.csv", "--hog", cwd=tmp_path)
    wait_for(lambda: any(path.stat().st_size for path in tmp_path.glob("out/.mien-*/.mien-*")))
    process.send_signal(number)
    said = process.communicate(timeout=600)[1].decode()
    assert process.returncode == 130
    assert names(tmp_path / "out") == ["t.partial.csv", "t.partial.hog", "t.partial.provenance.json"]
    assert 0 < rows(tmp_path / "out/t.partial.csv") < 600
    assert "interrupted" in said


@POSIX
def test_the_end_of_the_terminal_keeps_the_rows_so_far(warm, models_folder, face_pictures, tmp_path):
    import pty

    write_video(tmp_path / "long.mp4", face_pictures * 12)
    terminal, its_end = pty.openpty()
    # Begins in a process of its own: this one has threads, and must not fork.
    begin = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])"""
    command = ["analyze", "long.mp4", "-o", "out/t.csv", "--hog", "--landmarks", "clnf"]
    process = subprocess.Popen(
        [sys.executable, "-c", begin, executable(), *command],
        cwd=tmp_path,
        env=environment(models_folder),
        stdin=its_end,
        stdout=its_end,
        stderr=its_end,
        start_new_session=True,
    )
    os.close(its_end)
    wait_for(lambda: any(path.stat().st_size for path in tmp_path.glob("out/.mien-*/.mien-*")))
    os.close(terminal)
    assert process.wait(timeout=600) == 130
    assert names(tmp_path / "out") == ["t.partial.csv", "t.partial.hog", "t.partial.provenance.json"]


@POSIX
def test_what_a_killed_run_left_is_removed_by_the_next_and_nothing_else(
    warm, models_folder, face_pictures, face_video, tmp_path
):
    write_video(tmp_path / "long.mp4", face_pictures * 12)
    process = start(models_folder, "long.mp4", "-o", "out/t.csv", "--hog", cwd=tmp_path)
    wait_for(lambda: any(tmp_path.glob("out/.mien-*/.mien-*")))
    process.kill()
    process.communicate()
    assert len(names(tmp_path / "out")) == 1
    other = Staging(tmp_path / "out")  # of a process that lives: this one
    done = start(models_folder, face_video, "-o", "out/s.csv", "--end", 0.1, cwd=tmp_path)
    assert done.wait(timeout=600) == 0
    assert names(tmp_path / "out") == [other.path.name, "s.csv", "s.provenance.json"]


def wait_for(condition, seconds=600):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@POSIX
@pytest.mark.parametrize(
    "streams",
    [">&-", "2>&-", "<&- >&- 2>&-", ">/dev/full", "2>/dev/full", ">/dev/full 2>/dev/full", "| true"],
)
def test_the_work_is_done_whoever_listens(models_folder, face_video, tmp_path, streams):
    if "full" in streams and not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    command = f'"{executable()}" analyze "{face_video}" -o t.csv --end 0.2 --landmarks clnf {streams}'
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        env=environment(models_folder),
        cwd=tmp_path,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0
    assert names(tmp_path) == ["t.csv", "t.provenance.json"]
    assert rows(tmp_path / "t.csv") == 5


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes on Linux")
@pytest.mark.parametrize("name", [b"caf\xe9.mp4", b"red\x1b[31m.mp4", b"two\nlines.mp4"])
def test_names_that_are_no_text_are_names(models_folder, face_video, tmp_path, name):
    video = tmp_path / os.fsdecode(name)
    video.write_bytes(face_video.read_bytes())
    process = start(
        *(models_folder, video.name, face_video, "-o", "out", "--end", 0.1, "--details", "--hog"),
        *("--also", "jsonl,parquet"),
        cwd=tmp_path,
    )
    said, complaints = process.communicate(timeout=120)
    assert process.returncode == 0, complaints
    endings = [".csv", ".hog", ".jsonl", ".parquet", ".provenance.json", "_of_details.txt"]
    assert names(tmp_path / "out") == sorted(base + end for base in (video.stem, "face") for end in endings)
    made = json.loads((tmp_path / "out" / f"{video.stem}.provenance.json").read_text("utf-8"))
    assert made["source"]["path"] == str(video)
    assert said.count(b"\n") == 4
    assert b"\x1b" not in said + complaints


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pipe.mp4", "is a pipe"),
        ("/dev/zero", "is a device"),
        ("http://localhost/a.mp4", "is an address"),
        ("-", "is standard input"),
        ("x" * 300 + ".mp4", "name too long"),
        ("x" * 300 + "/" + "x" * 300 + ".mp4", "name too long"),
        ("loop.ffconcat", "give those files|not a video"),
        ("nothing.mp4", "no such file"),
    ],
)
@POSIX
def test_what_cannot_be_a_source_is_one_clear_line(analyze, tmp_path, name, message):
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "loop.ffconcat").write_text("ffconcat version 1.0\nfile loop.ffconcat\n")
    before = names(tmp_path)
    done = analyze(name, "-q")
    assert done.returncode == 1
    assert re.search(message, done.stderr.lower())
    assert done.stderr.count("\n") == 1
    assert len(done.stderr) < 250
    assert names(tmp_path) == before


def test_an_output_with_an_impossible_name_is_one_clear_line(analyze, face_video):
    for output in ("x" * 300 + ".csv", "x" * 300 + "/", "x" * 300 + "/t.csv"):
        done = analyze(face_video, "-o", output)
        assert done.returncode == 1
        assert "name too long" in done.stderr.lower()
        assert done.stderr.count("\n") == 1


def test_no_face_is_said_and_with_q_is_the_exit_code(analyze, tmp_path):
    write_video(tmp_path / "room.avi", [np.full((240, 320, 3), 90, np.uint8)] * 3)
    done = analyze("room.avi")
    assert done.returncode == 0
    assert "No face was found in room.avi." in done.stdout
    done = analyze("room.avi", "-q")
    assert (done.returncode, done.stdout, done.stderr) == (4, "", "")


def test_no_face_in_any_picture_is_the_exit_code_with_q(mien, tmp_path):
    from PIL import Image

    Image.new("RGB", (160, 120), "grey").save(tmp_path / "a.png")
    done = mien("analyze", "a.png", "--models", "open", "-q")
    assert (done.returncode, done.stdout, done.stderr) == (4, "", "")
    done = mien("analyze", "a.png", "--models", "open")
    assert done.returncode == 0
    assert "No face was found in a.png." in done.stdout

"""``mien analyze`` from end to end: the real executable on synthetic videos with synthetic models."""

import csv
import json
import os
import re
import sys
import time

import numpy as np
import pytest
from cli_process import environment, executable

from synthetic_face import Pose, picture
from synthetic_video import write_video

COLUMNS = 714
"""Columns of a sequence's table in OpenFace 2.2 (docs/algorithms/output-table.md#columns)."""


def read(path):
    with path.open(newline="") as table:
        rows = list(csv.reader(table))
    return rows[0], rows[1:]


def test_version(mien):
    done = mien("--version")
    assert done.returncode == 0
    assert re.fullmatch(r"mien \d+\.\d+\.\d+\n", done.stdout)


def test_help_names_the_exit_codes(mien):
    done = mien("analyze", "--help")
    assert done.returncode == 0
    for code in ("0 done", "1 error", "2 wrong usage", "3 analysed", "130"):
        assert code in re.sub(r"[\s│]+", " ", done.stdout)


def test_a_video_gives_a_table_and_its_provenance(analyze, face_video, tmp_path):
    done = analyze(face_video)
    assert done.returncode == 0, done.stderr
    header, rows = read(tmp_path / "face.csv")
    assert len(header) == COLUMNS
    assert [row[0] for row in rows] == [str(i) for i in range(1, 51)]
    assert [float(row[2]) for row in rows] == pytest.approx([i / 25 for i in range(50)], abs=1e-3)
    assert all(row[4] == "1" for row in rows)
    text = " ".join(done.stdout.split())
    assert "50 frames" in text
    assert "frames/s" in text
    assert "100.0 %" in text
    assert "face.csv" in text
    (beside,) = tmp_path.glob("*.json")
    json.loads(beside.read_text())


def test_intrinsics_place_the_head(analyze, face_video, tmp_path):
    """Twice the focal length: the same picture is of a head twice as far away."""
    camera = tmp_path / "camera.json"
    camera.write_text(json.dumps({"fx": 1000, "fy": 1000, "cx": 320, "cy": 240}))
    distances = []
    for name, intrinsics in (("near", "500,500,320,240"), ("far", camera)):
        table = tmp_path / f"{name}.csv"
        done = analyze(face_video, "-q", "--end", 0.2, "--intrinsics", intrinsics, "-o", table)
        assert done.returncode == 0, done.stderr
        header, rows = read(table)
        distances.append(float(rows[-1][header.index("pose_Tz")]))
    assert distances[1] / distances[0] == pytest.approx(2, rel=0.05)


def test_intrinsics_that_are_none_are_refused(analyze, face_video):
    done = analyze(face_video, "--intrinsics", "12")
    assert done.returncode == 2
    assert "FX,FY" in done.stderr


def test_quiet_says_nothing(analyze, face_video, tmp_path):
    done = analyze(face_video, "-q", "-o", tmp_path / "out" / "table.csv", "--end", 0.2)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(read(tmp_path / "out" / "table.csv")[1]) == 5


def test_a_selection_gives_the_same_frame_numbers(analyze, face_video, tmp_path):
    assert analyze(face_video, "--start", 0.5, "--end", 1.0).returncode == 0
    _, rows = read(tmp_path / "face.csv")
    assert [row[0] for row in rows] == [str(i) for i in range(14, 26)]


def test_threads_do_not_change_the_table(analyze, face_video, tmp_path):
    for threads in (1, 3):
        done = analyze(face_video, "-o", f"{threads}.csv", "--threads", threads, "--end", 1)
        assert done.returncode == 0
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "3.csv").read_bytes()


def test_no_face_at_all_still_gives_every_row(analyze, tmp_path):
    path = write_video(tmp_path / "empty_room.avi", [np.full((240, 320, 3), 90, np.uint8)] * 12)
    done = analyze(path)
    assert done.returncode == 0, done.stderr
    _, rows = read(tmp_path / "empty_room.csv")
    assert [row[4] for row in rows] == ["0"] * 12
    assert "0.0 %" in done.stdout


def test_a_truncated_video_gives_its_rows_and_exit_code_3(analyze, face_video, face_pictures, tmp_path):
    path = write_video(tmp_path / "cut.mp4", face_pictures, options={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    done = analyze(path)
    assert done.returncode == 3, done.stderr
    _, rows = read(tmp_path / "cut.csv")
    assert 25 <= len(rows) < 50
    assert "earlier than its header says" in done.stdout


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.mp4", None, "no such file"),
        ("empty.mp4", b"", "is empty"),
        ("notes.txt", b"hello " * 99, "not a video"),
    ],
)
def test_files_that_are_no_videos_are_errors(mien, tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = mien("analyze", name)
    assert done.returncode == 1
    assert message in done.stderr
    assert name in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("*.csv"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--no-such-option"],
        ["--start", "two"],
        ["--start", "2", "--end", "1"],
        ["--threads", "0"],
        ["--compat", "matlab"],
        ["--models", "caffe"],
    ],
)
def test_wrong_usage_is_exit_code_2(mien, face_video, arguments):
    done = mien("analyze", face_video, *arguments)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr


def test_an_unwritable_output_is_reported_before_the_analysis(mien, face_video, tmp_path):
    (tmp_path / "file").write_text("")
    begin = time.monotonic()
    done = mien("analyze", face_video, "-o", tmp_path / "file" / "table.csv")
    assert done.returncode == 1
    assert "can't be written" in done.stderr
    assert time.monotonic() - begin < 60


def test_missing_models_are_named_with_the_command_that_installs_them(mien, face_video, tmp_path):
    done = mien("analyze", face_video, "--models", "openface", models=tmp_path / "nothing")
    assert done.returncode == 1
    assert "mien models fetch" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_ctrl_c_keeps_the_table_so_far(models_folder, face_pictures, tmp_path):
    import pty

    write_video(tmp_path / "long.mp4", face_pictures * 100)
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(tmp_path)
        os.execve(
            executable(), ["mien", "analyze", "long.mp4", "--landmarks", "clnf"], environment(models_folder)
        )
    shown = _read_until(terminal, rb"[1-9]\d*/5000")
    os.write(terminal, b"\x03")
    shown += _read_until(terminal, None)
    _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) == 130, shown
    _, rows = read(tmp_path / "long.partial.csv")
    assert 0 < len(rows) < 5000
    assert [row[0] for row in rows] == [str(i) for i in range(1, len(rows) + 1)]
    assert not (tmp_path / "long.csv").exists()
    assert b"long.partial.csv" in shown.replace(b"\r\n", b"")


def _read_until(terminal, pattern, seconds=600):
    shown, end = b"", time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            shown += os.read(terminal, 4096)
        except OSError:
            return shown
        if pattern and re.search(pattern, shown):
            return shown
    raise AssertionError(f"not within {seconds} s: {pattern!r} in {shown!r}")


def test_names_with_spaces_foreign_letters_and_dashes_are_names(mien, models_folder, face_video, tmp_path):
    for name in ("Gespräch 面 (1).mp4", "-3.mp4"):
        (tmp_path / name).write_bytes(face_video.read_bytes())
        done = mien("analyze", name, "--landmarks", "clnf", "--end", 0.2, models=models_folder)
        assert done.returncode == 0, done.stderr
        _, rows = read((tmp_path / name).with_suffix(".csv"))
        assert len(rows) == 5


def test_frames_of_odd_size_and_a_single_frame_are_analysed(analyze, tmp_path):
    picture_of_odd_size = picture(Pose(x=160, y=120), 321, 239)
    path = write_video(tmp_path / "odd.mkv", [picture_of_odd_size])
    done = analyze(path)
    assert done.returncode == 0, done.stderr
    assert "1 frame in" in done.stdout
    _, rows = read(tmp_path / "odd.csv")
    assert [row[4] for row in rows] == ["1"]

"""``mien report`` and ``mien analyze --report`` through the real command line."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from cli_process import environment, executable
from PIL import Image

from mien.data import PORTRAIT
from recording_results import recording


def run(*words, cwd, models=None):
    return subprocess.run(
        [executable(), *map(str, words)],
        cwd=cwd,
        env=environment(models),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_table_becomes_a_report_beside_it(tmp_path):
    recording(60).save(tmp_path / "clip.csv")
    done = run("report", "clip.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Report: clip.report.html\n"
    assert "<h1>clip.csv</h1>" in (tmp_path / "clip.report.html").read_text(encoding="utf-8")


def test_several_tables_get_an_overview_and_failures_are_told(tmp_path):
    recording(60).save(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_text("x\n1\n", encoding="utf-8")
    done = run("report", "a.csv", "b.csv", "-o", "out/", "--no-pictures", cwd=tmp_path)
    assert done.returncode == 1
    assert "b.csv: expected a table" in done.stderr
    overview = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert 'href="./a.report.html"' in overview
    assert "failed" in overview
    assert (tmp_path / "out" / "a.report.html").is_file()


def test_a_picture_is_analysed_first(tmp_path):
    done = run("report", PORTRAIT, "-o", "p.html", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert text.count("data:image/jpeg") == 1
    assert "Face by face" in text


def test_where_no_face_was_found_is_said(tmp_path):
    made = recording(60)
    made.save(tmp_path / "clip.csv")
    replace(made, success=np.zeros(60, bool)).save(tmp_path / "room.csv")
    done = run("report", "clip.csv", "room.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if "No face" in line] == [
        "No face was found in room.csv."
    ]
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    shutil.copyfile(PORTRAIT, pictures / "a.jpg")
    Image.new("RGB", (160, 120), "grey").save(pictures / "b.png")
    done = run("report", "pictures", cwd=tmp_path)
    assert "No face was found in b.png." in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["nothing.csv"], "no such file"),
        (["a.csv", "-o", "a.pdf"], "ends in .html"),
        (["a.csv", "--no-pictures", "--anonymous"], "contradict"),
        (["a.csv", "a.csv", "-o", "a.html"], "need a folder"),
        (["a.csv", "--turned", "0"], "turned_deg"),
    ],
)
def test_what_can_not_be_done_is_one_clear_line(tmp_path, words, expected):
    recording(5).save(tmp_path / "a.csv")
    done = run("report", *words, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    assert run("demo", "-o", folder, "-q", cwd=folder).returncode == 0
    return folder


def test_an_analysis_leaves_its_report_with_its_table(demonstration, tmp_path):
    done = run("analyze", demonstration / "portrait.mp4", "--report", "-o", "t.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "t.report.html" in done.stdout
    text = (tmp_path / "t.report.html").read_text(encoding="utf-8")
    assert text.count("data:image/jpeg") >= 1
    assert "SHA-256" in text
    again = run("report", "t.csv", "-o", "again.html", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "again.html").read_text(encoding="utf-8").count("data:image/jpeg") >= 1


def test_an_anonymous_analysis_shows_no_face(demonstration, tmp_path):
    words = ["--report", "--tracked", "--anonymous", "black", "--end", "1"]
    done = run("analyze", demonstration / "portrait.mp4", *words, "-o", "t.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "t.tracked.mp4").is_file()
    assert "data:image/jpeg" in (tmp_path / "t.report.html").read_text(encoding="utf-8")
    alone = run("analyze", demonstration / "portrait.mp4", "--anonymous", "blur", cwd=tmp_path)
    assert alone.returncode == 2
    assert "--tracked and --report" in alone.stderr
    alone = run("analyze", demonstration / "portrait.mp4", "--no-pictures", cwd=tmp_path)
    assert alone.returncode == 2
    assert "--no-pictures is for --report" in alone.stderr


def test_a_study_leaves_reports_and_their_overview(demonstration, tmp_path):
    (tmp_path / "in" / "day1").mkdir(parents=True)
    (tmp_path / "in" / "day1" / "clip.mp4").write_bytes((demonstration / "portrait.mp4").read_bytes())
    (tmp_path / "in" / "broken.mp4").write_bytes(b"no video")
    done = run("study", "in", "-o", "out", "--report", "--no-pictures", "--end", "1", cwd=tmp_path)
    assert (tmp_path / "out" / "day1" / "clip.report.html").is_file(), done.stderr
    overview = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert 'href="./day1/clip.report.html"' in overview
    assert "broken.mp4" in overview
    assert "failed" in overview
    again = run("report", "out", "--no-pictures", cwd=tmp_path)
    assert again.returncode == 1, again.stderr
    assert 'href="./day1/clip.report.html"' in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")

"""``mien sides``: the real executable, with synthetic models."""

import csv
import json
import re

import numpy as np
import pytest

from mien.results import read_openface_csv
from synthetic_video import write_video

ROWS = 50


@pytest.fixture
def sides(mien):
    """Run ``mien sides`` with the synthetic CLNF model."""

    def run(video, *arguments):
        return mien("sides", video, "--models", "openface", "--landmarks", "clnf", *arguments)

    return run


def test_a_table_with_both_sides_is_written_and_says_how(sides, face_video, tmp_path):
    done = sides(face_video, "--threads", "1")
    assert done.returncode == 0, done.stderr
    table = read_openface_csv(tmp_path / "face.sides.csv")
    assert len(table) == ROWS
    for name in ("AU12_r_left", "AU12_r_right", "AU12_r_full", "AU12_r_static_left", "AU45_c_right"):
        assert np.isfinite(table[name]).all()
    for name in ("fissure_height_mm_left", "brow_height_pct_right", "chin_deviation_mm", "yaw", "usable"):
        assert name in table
    made = json.loads((tmp_path / "face.sides.provenance.json").read_text())
    assert made["sides"]["procedure"] == "direct"
    assert made["sides"]["neutral"] == "pooled"
    assert "not a diagnosis" in made["sides"]["note"]
    assert "not a diagnosis" in done.stdout


def test_all_files_that_can_be_asked_for(sides, face_video, tmp_path):
    (tmp_path / "epochs.csv").write_text("start,end,action\n0,0.6,BL\n0.8,1.6,BS\n")
    done = sides(
        face_video,
        *("-o", tmp_path / "out", "--epochs", tmp_path / "epochs.csv", "--neutral", "BL"),
        *("--split-tables", "--with-videos", "--picture", "1.0"),
    )
    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [
        "face.actions.csv",
        "face.sides.csv",
        "face.sides.png",
        "face.sides.provenance.json",
        "face_check.mp4",
        "face_left_mirrored.csv",
        "face_left_mirrored.mp4",
        "face_right_mirrored.csv",
        "face_right_mirrored.mp4",
    ]
    with (tmp_path / "out" / "face.actions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["action"] for row in rows} == {"BL", "BS"}
    with (tmp_path / "out" / "face_left_mirrored.csv").open(newline="") as file:
        coded = list(csv.DictReader(file))
    assert len(coded) == ROWS
    assert {row["action"] for row in coded} == {"BL", "BS", ""}
    assert {"frame", "face_id", "timestamp", "confidence", "success", "AU01_r", "AU45_c"} <= set(coded[0])


def test_the_published_procedure_runs_in_memory(sides, face_video, tmp_path):
    done = sides(face_video, "--procedure", "openface-like", "-q")
    assert done.returncode == 0, done.stderr
    assert len(read_openface_csv(tmp_path / "face.sides.csv")) == ROWS
    assert not done.stdout


def test_a_bad_epoch_is_one_line_with_its_row(sides, face_video, tmp_path):
    (tmp_path / "epochs.csv").write_text("start,end,action\n0,0.6,BL\n0.5,1.6,BS\n")
    done = sides(face_video, "--epochs", tmp_path / "epochs.csv")
    assert done.returncode != 0
    line = [line for line in done.stderr.splitlines() if "overlaps" in line]
    assert len(line) == 1 and "row 3" in line[0]  # noqa: PT018


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--procedure", "magic"), "direct, openface-like"),
        (("--max-yaw", "0"), "max_yaw"),
        (("--neutral", "XY"), "epoch of that code"),
        (("--epochs", "none.csv"), "no such file"),
        (("-o", "table.txt"), ".csv"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(sides, face_video, arguments, words):
    done = sides(face_video, *arguments)
    assert done.returncode != 0
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_video_to_read_is_never_replaced(sides, face_video, tmp_path):
    source = tmp_path / "face.mp4"
    source.write_bytes(face_video.read_bytes())
    victim = tmp_path / "face_check.mp4"
    victim.write_bytes(face_video.read_bytes())
    done = sides(source, victim, "--with-videos")
    assert done.returncode != 0
    assert "would be replaced" in done.stderr
    assert victim.read_bytes() == face_video.read_bytes()


def test_one_missing_source_is_told_before_any_work(sides, face_video, tmp_path):
    done = sides(face_video, "missing.mp4")
    assert done.returncode != 0
    assert "no such file" in done.stderr
    assert not (tmp_path / "face.sides.csv").exists()


def test_a_report_shows_courses_of_both_sides_and_every_action(sides, face_video, tmp_path):
    (tmp_path / "epochs.csv").write_text("start,end,action\n0,0.6,BL\n0.8,1.6,BS & <smile>\n")
    done = sides(face_video, "--epochs", tmp_path / "epochs.csv", "--report", "--no-pictures")
    assert done.returncode == 0, done.stderr
    assert "face.report.html" in done.stdout
    page = (tmp_path / "face.report.html").read_text(encoding="utf-8")
    assert '<h2 id="actions">Actions</h2>' in page
    assert "BS &amp; &lt;smile&gt;, 0.80 to 1.60 s, 20 of 20 frames usable" in page
    assert page.count("<caption>B") == 2
    assert "commissure height" in page and "AU12" in page  # noqa: PT018
    data = json.loads(re.search(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', page, re.S)[1])
    (face,) = data["faces"]
    (courses,) = [course for course in face["courses"] if course["key"] == "sides"]
    drawn = {line["name"] for line in courses["lines"]}
    assert {"fissure_height_mm_left", "fissure_height_mm_right", "AU12_r_left", "AU12_r_right"} <= drawn
    assert not any("static" in name for name in drawn)
    assert "data:image" not in page.replace("data:image/svg", "")


def test_no_pictures_needs_a_report(sides, face_video):
    done = sides(face_video, "--no-pictures")
    assert done.returncode == 2
    assert "--no-pictures is for --report" in done.stderr


def test_a_recording_without_a_face_says_so_and_has_a_code_of_its_own_with_q(sides, tmp_path):
    room = tmp_path / "room.avi"
    write_video(room, [np.full((120, 160, 3), 40 + k, np.uint8) for k in range(5)])
    done = sides(room, "-o", tmp_path / "room.csv")
    assert done.returncode == 0, done.stderr
    assert "No face was found in room.avi." in done.stdout
    assert sides(room, "-o", tmp_path / "room.csv", "-q").returncode == 4

"""``mien sides``: the real executable, with synthetic models."""

import csv
import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from mien.results import read_openface_csv
from mien.video.file import VideoFile
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
        (("--tier", "actions"), "give epochs too"),
        (("--picture", "-1"), "a time of 0 s or more"),
        (("--picture", "nan"), "a time of 0 s or more"),
        (("--fps", "25"), "add sequence"),
        (("--models", "open", "--split-tables"), "need OpenFace's models"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line_before_any_work(
    sides, face_video, tmp_path, arguments, words
):
    done = sides(face_video, *arguments)
    assert done.returncode != 0
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("*.csv"))


def test_epochs_that_do_not_suit_the_video_do_not_cost_its_table(sides, face_video, tmp_path):
    epochs = tmp_path / "epochs.csv"
    for text, neutral, words in (
        ("0,0.6,BL\n0.8,9,BS\n", "BL", ("row 3", "after the end", "relative to the neutral face of both")),
        ("0,0.6,BL\n0.8,9,BS\n", "own", ("row 3", "after the end", "written without epochs")),
    ):
        epochs.write_text("start,end,action\n" + text)
        done = sides(face_video, "--epochs", epochs, "--neutral", neutral, "-o", tmp_path / neutral)
        assert done.returncode != 0
        assert [word for word in words if word not in done.stderr] == [], done.stderr
        assert len(read_openface_csv(tmp_path / neutral / "face.sides.csv")) == ROWS
    made = json.loads((tmp_path / "BL" / "face.sides.provenance.json").read_text())
    assert made["sides"]["neutral"] == "pooled"


def test_of_a_part_of_a_video_the_epochs_in_it_are_summed_up(sides, face_video, tmp_path):
    (tmp_path / "e.csv").write_text("start_frame,end_frame,action\n1,10,BL\n26,30,BS\n31,40,RE\n45,50,SE\n")
    done = sides(face_video, "--epochs", tmp_path / "e.csv", "--start", "1", "--end", "1.8")
    assert done.returncode == 0, done.stderr
    with (tmp_path / "face.actions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["action"], row["start"], row["frames"]) for row in rows} == {
        ("BS", "1.000", "5"),
        ("RE", "1.200", "10"),
    }
    done = sides(face_video, "--epochs", tmp_path / "e.csv", "--start", "0.5", "--end", "0.9")
    assert done.returncode == 0
    assert "no epoch lies in what was analysed" in done.stderr


def test_pictures_of_a_folder_are_a_video_where_that_is_said(sides, face_pictures, tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for number, bgr in enumerate(face_pictures[:6], start=1):
        Image.fromarray(bgr[..., ::-1]).save(folder / f"{number}.png")
    done = sides(folder, "--sequence", "--fps", "25")
    assert done.returncode == 0, done.stderr
    table = read_openface_csv(tmp_path / "frames.sides.csv")
    np.testing.assert_allclose(table["timestamp"], np.arange(6) / 25, atol=6e-4)
    alone = sides(folder, "--with-videos")
    assert alone.returncode == 2
    assert "with_videos is for videos" in alone.stderr
    assert sides(folder, "--split-tables").returncode == 0
    assert len(read_openface_csv(tmp_path / "frames_right_mirrored.csv")) == 6


def test_a_moment_after_the_last_face_has_no_picture_and_that_is_said(sides, face_video, tmp_path):
    done = sides(face_video, "--picture", "60")
    assert done.returncode == 0
    assert "no picture: there is no face at 60 s or later" in done.stderr
    assert not list(tmp_path.glob("*.png"))


def test_a_picture_that_turns_midway_stays_usable_and_has_its_videos(sides, face_pictures, tmp_path):
    upright = [np.pad(bgr, ((80, 80), (0, 0), (0, 0)), mode="edge")[:, 40:280] for bgr in face_pictures[:6]]
    parts = [
        write_video(tmp_path / f"{number}.ts", pictures, codec="libx264")
        for number, pictures in enumerate((face_pictures[:6], upright))
    ]
    turned = tmp_path / "turned.ts"
    turned.write_bytes(b"".join(part.read_bytes() for part in parts))
    done = sides(turned, "--with-videos", "--picture", "0")
    assert done.returncode in (0, 3), done.stderr  # some versions of FFmpeg count the seam as damage
    assert "240x400 px instead of 320x240" in done.stderr
    table = read_openface_csv(tmp_path / "turned.sides.csv")
    assert table["success"].all()
    assert table["usable"].all()
    with VideoFile(tmp_path / "turned_check.mp4") as video:
        assert [frame.size for frame in video] == [(320, 240)] * 12


def test_a_video_to_read_is_never_replaced(sides, face_video, tmp_path):
    source = tmp_path / "face.mp4"
    source.write_bytes(face_video.read_bytes())
    victim = tmp_path / "face_check.mp4"
    victim.write_bytes(face_video.read_bytes())
    done = sides(source, victim, "--with-videos")
    assert done.returncode != 0
    assert "would be replaced" in done.stderr
    assert victim.read_bytes() == face_video.read_bytes()


def test_a_name_that_leaves_no_room_for_endings_is_told_before_any_work(sides, face_video, tmp_path):
    long = tmp_path / f"{'x' * 243}.mp4"
    shutil.copyfile(face_video, long)
    done = sides(long)
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("mien: ")]
    assert "can't be written: " in line
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir() if path.name != long.name] == []


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
    assert "5 rows, 0 usable (5 without a face)" in done.stdout
    assert sides(room, "-o", tmp_path / "room.csv", "-q").returncode == 4


def test_why_frames_are_not_usable_is_said(sides, face_video, face_pictures, tmp_path):
    done = sides(face_video, "--max-yaw", "0.001")
    turned = re.search(r"50 rows, (\d+) usable \((\d+) turned further than 0.001°\)", done.stdout)
    assert turned, done.stdout
    assert int(turned[1]) + int(turned[2]) == ROWS

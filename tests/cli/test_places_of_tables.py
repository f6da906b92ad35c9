"""Where tables go, and what they replace; through the real command."""

from __future__ import annotations

import csv
import json
from functools import partial

import pytest
from PIL import Image

from synthetic_video import write_video


def found(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.csv"))


def test_a_slash_makes_the_folder_for_one_file_too(analyze, face_video, tmp_path):
    assert analyze(face_video, "-o", "new/deep/", "--end", 0.1).returncode == 0
    assert found(tmp_path) == ["new/deep/face.csv"]


def test_videos_of_one_name_keep_their_folders(analyze, face_pictures, tmp_path):
    for place in ("day1/s/clip.mp4", "day2/clip.mp4", "day2/other.mp4"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        write_video(tmp_path / place, face_pictures[:2])
    done = analyze("day1/s/clip.mp4", "day2/clip.mp4", "day2/other.mp4", "-o", "out")
    assert done.returncode == 0, done.stderr
    assert found(tmp_path / "out") == ["day1/s/clip.csv", "day2/clip.csv", "day2/other.csv"]
    done = analyze("day2/clip.mp4", "day2/other.mp4", "-o", "flat")
    assert done.returncode == 0, done.stderr
    assert found(tmp_path / "flat") == ["clip.csv", "other.csv"]


def test_pictures_of_one_name_keep_their_folders(mien, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (64, 64)).save(tmp_path / folder / "p.png")
    done = mien("analyze", "a/p.png", "b/p.png", "-o", "out", "--models", "open", "--details")
    assert done.returncode == 0, done.stderr
    details = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*_of_details.txt"))
    assert details == ["out/a/p_of_details.txt", "out/b/p_of_details.txt"]


@pytest.mark.parametrize(
    ("again", "said"),
    [
        (["--end", 0.1], None),
        (["--end", 0.1, "--threads", 1], None),
        (["--end", 0.2], "end_s 0.1"),
        (["--end", 0.1, "--skip", "gaze"], "skip none"),
        (["--end", 0.1, "--columns", "pose"], "columns by default"),
        (["--end", 0.1, "--models", "open"], "models openface, clnf"),
    ],
)
def test_no_table_made_in_another_way_is_replaced_silently(analyze, mien, face_video, tmp_path, again, said):
    assert analyze(face_video, "--end", 0.1).returncode == 0
    run = partial(mien, "analyze") if "open" in again else analyze
    done = run(face_video, "-q", *again)
    assert done.returncode == 0
    if said is None:
        assert done.stderr == ""
    else:
        assert "face.csv is going to be replaced" in done.stderr
        assert said in done.stderr


def test_tables_of_other_videos_and_of_unknown_origin_are_not_replaced_silently(
    analyze, face_video, face_pictures, tmp_path
):
    other = write_video(tmp_path / "other.mp4", face_pictures[:2])
    assert analyze(other, "-o", "t.csv").returncode == 0
    assert str(other) in analyze(face_video, "-q", "-o", "t.csv", "--end", 0.1).stderr
    (tmp_path / "mine.csv").write_text("frame\n1\n")
    assert "nothing says how" in analyze(face_video, "-q", "-o", "mine.csv", "--end", 0.1).stderr


def test_columns_and_skip_take_the_same_names(analyze, face_video, tmp_path):
    assert analyze(face_video, "--end", 0.1, "--columns", "gaze,aus").returncode == 0
    assert analyze(face_video, "--end", 0.1, "-o", "s.csv", "--skip", "action-units").returncode == 0
    first, second = ((tmp_path / name).read_text().splitlines()[0] for name in ("face.csv", "s.csv"))
    assert "AU01_r" in first
    assert "gaze_0_x" in first
    assert "pose_Tx" not in first
    assert "AU01_r" not in second


@pytest.fixture
def mixed(tmp_path, face_pictures):
    """A folder with pictures, a video and something else."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    for name in ("b, c.png", "a.png"):
        Image.fromarray(face_pictures[0][:, :, ::-1]).save(folder / name)
    write_video(folder / "clip.mp4", face_pictures[:2])
    (folder / "notes.txt").write_text("nothing")
    (folder / ".hidden").write_text("nothing")
    return folder


def test_a_folder_of_pictures_and_videos_says_how_each_is_analysed(analyze, mixed):
    done = analyze("mixed")
    assert done.returncode == 0, done.stderr
    assert "2 files that are no pictures were passed over: clip.mp4, notes.txt" in done.stdout
    assert "videos are given by their own names" in done.stdout


def test_a_table_of_several_pictures_names_them(analyze, mixed, tmp_path):
    done = analyze("mixed", "-o", "all.csv", "--also", "jsonl,parquet", "-q")
    assert (done.returncode, done.stderr) == (0, "")
    with (tmp_path / "all.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["file"] for row in table] == ["a.png", "b, c.png"]
    assert next(iter(table[0])) == "file"
    lines = (tmp_path / "all.jsonl").read_text().splitlines()[1:]
    assert [json.loads(line)["file"] for line in lines] == ["a.png", "b, c.png"]
    pandas = pytest.importorskip("pandas")
    assert pandas.read_parquet(tmp_path / "all.parquet")["file"].tolist() == ["a.png", "b, c.png"]


def test_compatible_tables_of_pictures_have_no_file_column(analyze, mixed, tmp_path):
    done = analyze("mixed", "-o", "all.csv", "--compat", "openface")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "all.csv").read_text().startswith("frame,")


def test_tables_that_name_files_can_be_compared(analyze, mien, mixed):
    assert analyze("mixed", "-o", "all.csv").returncode == 0
    done = mien("compare", "all.csv", "all.csv")
    assert done.returncode == 0, done.stderr
    assert "rows: 2 and 2" in done.stdout

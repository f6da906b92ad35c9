"""``mien analyze`` with several people and with pictures: every file that one face has, several have too."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from helpers_outputs import read_aligned_folder, read_hog_records
from mien.cli.main import app
from mien.video.file import VideoFile
from synthetic_faces import landmarks_of, picture_of, poses
from synthetic_video import write_video

FRAMES = 6
PLACES = [poses((4 * np.sin(i), 0), (0, 3 * np.cos(i))) for i in range(FRAMES)]


@pytest.fixture
def run(models_folder, monkeypatch, tmp_path):
    """Run ``mien analyze`` in this process and an empty folder."""
    monkeypatch.setenv("MIEN_MODELS", str(models_folder))
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        command = ["analyze", *map(str, arguments), "--models", "openface", "--landmarks", "clnf"]
        return CliRunner().invoke(app, command)

    return run


@pytest.fixture(scope="module")
def two_people(tmp_path_factory):
    """A video of two drawn faces."""
    pictures = [picture_of(places, seed=i) for i, places in enumerate(PLACES)]
    return write_video(tmp_path_factory.mktemp("people") / "two.mp4", pictures)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """A picture of two faces, one of one face and one of none."""
    folder = tmp_path_factory.mktemp("photographs")
    for name, shown in (("both", [0, 1]), ("left", [0]), ("nobody", [])):
        placed = [place if k in shown else None for k, place in enumerate(PLACES[0])]
        Image.fromarray(picture_of(placed)[..., ::-1]).save(folder / f"{name}.png")
    return folder


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def centre_x(row):
    return np.mean([float(row[f"x_{k}"]) for k in range(68)])


@pytest.mark.parametrize("mode", [(), ("--compat", "openface")], ids=["people", "places"])
def test_every_output_holds_all_faces(run, two_people, tmp_path, mode):
    done = run(
        *(two_people, "-o", "out/two.csv", "--faces", "many", *mode, "--also", "parquet,jsonl"),
        *("--hog", "--aligned", "--details", "--tracked"),
    )
    assert done.exit_code == 0, done.output
    rows = rows_of(tmp_path / "out/two.csv")
    keys = [(int(row["frame"]), int(row["face_id"])) for row in rows]
    assert sorted(keys) == keys == [(frame, face) for frame in range(1, FRAMES + 1) for face in (0, 1)]
    for side in (0, 1):
        places = {int(centre_x(row) // 240) for row in rows if row["face_id"] == str(side)}
        assert len(places) == 1
    records = read_hog_records(tmp_path / "out/two.hog")
    assert [flag for flag, _ in records] == [1.0 if row["success"] == "1" else -1.0 for row in rows]
    assert all(cells.any() for _, cells in records)
    faces = read_aligned_folder(tmp_path / "out/two_aligned")
    assert sorted(faces) == sorted(f"frame_det_{face:02d}_{frame:06d}.bmp" for frame, face in keys)
    assert all(image.any() for image in faces.values())
    assert "Output HOG:two.hog" in (tmp_path / "out/two_of_details.txt").read_text()
    lines = (tmp_path / "out/two.jsonl").read_text().splitlines()
    assert [json.loads(line)["face_id"] for line in lines[1:]] == [face for _, face in keys]
    assert (tmp_path / "out/two.parquet").exists()
    with VideoFile(tmp_path / "out/two.tracked.mp4") as video:
        assert len(list(video)) == FRAMES
    presence = {row["AU01_c"] for row in rows}
    assert presence <= ({"0.0", "1.0"} if mode else {"0.00", "1.00"})


def test_aligned_faces_of_several_people_in_another_shape(run, two_people, tmp_path):
    aligned = ("--aligned", "--aligned-size", 64, "--aligned-format", "png", "--gray")
    assert run(two_people, "--faces", "many", *aligned).exit_code == 0
    images = [Image.open(path) for path in (tmp_path / "two_aligned").iterdir()]
    assert len(images) == 2 * FRAMES
    assert {image.size for image in images} == {(64, 64)}
    assert {image.mode for image in images} == {"L"}


def test_one_person_in_two_videos_has_all_outputs_too(run, face_video, tmp_path):
    second = tmp_path / "second.mp4"
    second.symlink_to(face_video)
    done = run(
        *(face_video, second, "-o", "out", "--end", 0.2, "--person", "Ann"),
        *("--hog", "--aligned", "--details", "--also", "jsonl", "--tracked"),
    )
    assert done.exit_code == 0, done.output
    for name in ("face", "second"):
        rows = rows_of(tmp_path / f"out/{name}.csv")
        assert len(rows) == len(read_hog_records(tmp_path / f"out/{name}.hog")) == 5
        assert len(read_aligned_folder(tmp_path / f"out/{name}_aligned")) == 5
        assert (tmp_path / f"out/{name}_of_details.txt").exists()
        assert (tmp_path / f"out/{name}.jsonl").exists()
        with VideoFile(tmp_path / f"out/{name}.tracked.mp4") as video:
            assert len(list(video)) == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--faces", "many", "--person", "Ann"), "one face per frame"),
        (("--faces", "many", "--neutral", "neutral.csv"), "one face per frame"),
        (("--faces", "many", "--keep-scores"), "one face per frame"),
        (("--faces", "many", "--every", 2), "one face per frame"),
        (("--faces", "many", "--fast"), "one face"),
        (("--faces", "many", "--most-faces", 0), "1 or more"),
        (("--faces", "many", "--compat", "openface", "--most-faces", 2), "four"),
        (("--boxes", "."), "independent pictures"),
        (("--fps", 25), "add sequence"),
    ],
)
def test_what_videos_of_several_people_cannot_do_is_refused(run, two_people, tmp_path, arguments, message):
    done = run(two_people, *arguments)
    assert done.exit_code == 2
    assert message in done.output
    assert not list(tmp_path.iterdir())


# --- pictures ---


def test_a_picture_has_a_row_and_further_files_for_every_face(run, photographs, tmp_path):
    done = run(
        *(photographs / "both.png", "-o", "out/both.csv", "--compat", "openface"),
        *("--hog", "--aligned", "--details", "--tracked", "--tracked-style", "openface"),
    )
    assert done.exit_code == 0, done.output
    rows = rows_of(tmp_path / "out/both.csv")
    assert [row["face"] for row in rows] == ["0", "1"]
    assert "frame" not in rows[0]
    assert len(rows[0]) == 711
    assert [flag for flag, _ in read_hog_records(tmp_path / "out/both.hog")] == [1.0, 1.0]
    faces = read_aligned_folder(tmp_path / "out/both_aligned")
    assert list(faces) == ["face_det_000000.bmp", "face_det_000001.bmp"]
    assert Image.open(tmp_path / "out/both.jpg").size == (480, 240)
    assert "Output image:both.jpg" in (tmp_path / "out/both_of_details.txt").read_text()


def test_of_a_folder_every_picture_with_a_face_gets_a_table(run, photographs, tmp_path):
    done = run(photographs)
    assert done.exit_code == 0, done.output
    folder = tmp_path / f"{photographs.name}_faces"
    assert sorted(path.name for path in folder.glob("*.csv")) == ["both.csv", "left.csv"]
    assert "No face was found in nobody.png" in done.output


def test_a_folder_without_pictures_leaves_nothing_behind(run, tmp_path):
    (tmp_path / "empty").mkdir()
    done = run("empty")
    assert done.exit_code == 1
    assert "holds no picture" in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_one_table_may_hold_all_pictures(run, photographs, tmp_path):
    assert run(photographs, "-o", "all.csv").exit_code == 0
    rows = rows_of(tmp_path / "all.csv")
    assert [(row["frame"], row["face_id"]) for row in rows] == [("1", "0"), ("1", "1"), ("2", "0")]
    pictures = json.loads((tmp_path / "all.provenance.json").read_text())["pictures"]
    assert [path.rsplit("/")[-1] for path in pictures] == ["both.png", "left.png", "nobody.png"]


def test_the_widest_face_alone(run, photographs, tmp_path):
    assert run(photographs / "both.png", "--faces", "one").exit_code == 0
    assert len(rows_of(tmp_path / "both.csv")) == 1


def test_given_boxes_take_the_place_of_the_detector(run, photographs, tmp_path):
    for name, columns in (("both", [1]), ("left", [0, 1]), ("nobody", [])):
        lines = []
        for column in columns:
            points = landmarks_of(PLACES[0][column], column)
            lines.append(" ".join(f"{value:.2f}" for value in (*points.min(axis=0), *points.max(axis=0))))
        (tmp_path / f"{name}.txt").write_text("\n".join(lines))
    assert run(photographs, "--boxes", tmp_path, "-o", "out").exit_code == 0
    (both,) = rows_of(tmp_path / "out/both.csv")
    assert centre_x(both) > 240
    left = rows_of(tmp_path / "out/left.csv")
    assert float(left[0]["confidence"]) > 0.9 > float(left[1]["confidence"])
    assert not (tmp_path / "out/nobody.csv").exists()


def test_a_missing_file_of_boxes_is_named_before_any_work(run, photographs, tmp_path):
    done = run(photographs, "--boxes", tmp_path)
    assert done.exit_code == 1
    assert "both.txt" in done.output


@pytest.mark.parametrize("arguments", [("--start", 1), ("--end", 1), ("--every", 2), ("--fps", 25)])
def test_what_only_videos_have_is_refused_for_pictures(run, photographs, arguments):
    done = run(photographs, *arguments)
    assert done.exit_code == 2
    assert f"{arguments[0][2:]} is for videos" in done.output


def test_pictures_may_make_a_video(run, photographs, tmp_path):
    assert run(photographs, "--sequence", "--fps", 10, "--faces", "many", "-o", "out.csv").exit_code == 0
    rows = rows_of(tmp_path / "out.csv")
    assert [row["timestamp"] for row in rows if row["frame"] == "2"][:1] == ["0.100"]

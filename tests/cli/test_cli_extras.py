"""``mien analyze`` with further files: descriptors, aligned faces, details, other tables, a tracked video."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from cli_process import environment, executable
from PIL import Image

from helpers_outputs import read_aligned_folder, read_hog_records
from mien.data import PORTRAIT
from mien.results.columns import full_sequence
from mien.video.file import VideoFile
from synthetic_video import write_video


@pytest.fixture
def portrait_video(tmp_path_factory):
    """Three frames of a portrait."""
    path = tmp_path_factory.mktemp("portrait") / "portrait.mp4"
    with Image.open(PORTRAIT) as image:
        write_video(path, [np.ascontiguousarray(np.asarray(image.convert("RGB"))[..., ::-1])] * 3)
    return path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_everything_at_once(analyze, face_video, tmp_path):
    done = analyze(
        face_video,
        *("-o", "out/face.csv", "--end", 0.4, "--columns", "pose, gaze", "--also", "parquet,jsonl"),
        *("--tracked", "--hog", "--aligned", "--details"),
    )
    assert done.returncode == 0, done.stderr
    assert names(tmp_path / "out") == [
        "face.csv",
        "face.hog",
        "face.jsonl",
        "face.parquet",
        "face.provenance.json",
        "face.tracked.mp4",
        "face_aligned",
        "face_of_details.txt",
    ]
    for name in names(tmp_path / "out"):
        assert name.endswith("provenance.json") or name in done.stdout
    with (tmp_path / "out" / "face.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert len(rows) == 10
    assert "pose_Tx" in header
    assert "gaze_0_x" in header
    assert "x_0" not in header
    records = read_hog_records(tmp_path / "out" / "face.hog")
    assert [flag for flag, _ in records] == [1.0] * 10
    assert all(cells.any() for _, cells in records)
    faces = read_aligned_folder(tmp_path / "out" / "face_aligned")
    assert list(faces) == [f"frame_det_00_{n:06d}.bmp" for n in range(1, 11)]
    assert all(image.shape == (112, 112, 3) and image.any() for image in faces.values())
    details = (tmp_path / "out" / "face_of_details.txt").read_text().splitlines()
    assert details[0] == f"Input:{face_video}"
    assert details[-6:] == [
        "Gaze: 1",
        "AUs: 0",
        "Landmarks 2D: 0",
        "Landmarks 3D: 0",
        "Pose: 1",
        "Shape parameters: 0",
    ]
    lines = (tmp_path / "out" / "face.jsonl").read_text().splitlines()
    assert len(lines) == 11
    assert json.loads(lines[1])["frame"] == 1
    with VideoFile(tmp_path / "out" / "face.tracked.mp4") as video:
        assert len(list(video)) == 10
        assert (video.info.height, video.info.fps) == (480, pytest.approx(25))


def test_a_table_can_have_the_blanks_of_windows_builds(analyze, mien, face_video, tmp_path):
    for name, style in (("plain", "openface-2.2"), ("blank", "openface-blank")):
        options = ("-o", f"{name}.csv", "--end", 0.2, "--csv-style", style, "--details")
        done = analyze(face_video, *options)
        assert done.returncode == 0, done.stderr
        made = json.loads((tmp_path / f"{name}.provenance.json").read_text())
        assert made["written"]["csv_style"] == style
    plain, blank = ((tmp_path / f"{name}.csv").read_text() for name in ("plain", "blank"))
    assert blank == plain.replace(",", ", ")
    compared = mien("compare", "plain.csv", "blank.csv", "--limits", "openface")
    assert compared.returncode == 0, compared.stdout
    refused = analyze(face_video, "--csv-style", "excel")
    assert refused.returncode == 2
    assert "expected openface-2.2 or openface-blank, got 'excel'" in refused.stderr


def header_of(path):
    return path.read_text().partition("\n")[0].split(",")


def test_the_open_models_tables_are_openfaces_unless_more_is_asked_for(mien, tmp_path):
    counts = {}
    for name, options in (("plain", ()), ("measures", ("--extra", "measures")), ("all", ("--extra", "all"))):
        done = mien("analyze", PORTRAIT, "--models", "open", "-o", f"{name}.csv", *options)
        assert done.returncode == 0, done.stderr
        counts[name] = len(header_of(tmp_path / f"{name}.csv"))
    assert header_of(tmp_path / "plain.csv")[-1] == "AU45_c"
    assert header_of(tmp_path / "all.csv")[: counts["plain"]] == header_of(tmp_path / "plain.csv")
    assert counts["plain"] == 711
    assert 711 < counts["measures"] < 800
    assert counts["all"] == counts["measures"] + 2 * 52 + 3 * 478


def test_a_video_of_the_open_models_has_openfaces_columns(mien, tmp_path, portrait_video):
    done = mien("analyze", portrait_video, "--models", "open", "-o", "t.csv")
    assert done.returncode == 0, done.stderr
    assert tuple(header_of(tmp_path / "t.csv")) == full_sequence()


def test_columns_that_the_models_do_not_give_are_refused_before_the_analysis(analyze, face_video, tmp_path):
    done = analyze(face_video, "--extra", "mesh")
    assert done.returncode == 2
    assert "the models openface give no mesh" in done.stderr
    done = analyze(face_video, "--extra", "nose")
    assert "unknown extra columns nose: expected some of measures, blendshapes, mesh, or all" in done.stderr
    assert not list(tmp_path.iterdir())


def test_nothing_but_the_table_without_being_asked(analyze, face_video, tmp_path):
    assert analyze(face_video, "--end", 0.1).returncode == 0
    assert names(tmp_path) == ["face.csv", "face.provenance.json"]


def test_aligned_faces_in_another_shape(analyze, face_video, tmp_path):
    done = analyze(
        face_video,
        "--end",
        0.1,
        "--aligned",
        "--aligned-size",
        64,
        "--aligned-format",
        "bmp",
        "--gray",
        "--no-mask",
    )
    assert done.returncode == 0, done.stderr
    faces = read_aligned_folder(tmp_path / "face_aligned")
    assert [image.shape for image in faces.values()] == [(64, 64)] * len(faces)
    assert len(faces) == 3


def test_json_lines_may_be_the_table(analyze, face_video, tmp_path):
    assert analyze(face_video, "--end", 0.1, "-o", "t.jsonl").returncode == 0
    assert len((tmp_path / "t.jsonl").read_text().splitlines()) == 4


def test_outputs_do_not_depend_on_threads(analyze, face_video, tmp_path):
    for threads in (1, 3):
        done = analyze(
            face_video, "-o", f"{threads}.csv", "--threads", threads, "--end", 0.4, "--hog", "--aligned"
        )
        assert done.returncode == 0
    assert (tmp_path / "1.hog").read_bytes() == (tmp_path / "3.hog").read_bytes()
    one, three = (read_aligned_folder(tmp_path / f"{threads}_aligned") for threads in (1, 3))
    assert list(one) == list(three)
    assert all(np.array_equal(one[name], three[name]) for name in one)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--columns", "nose"), "unknown columns nose"),
        (("--also", "xlsx"), "expected some of csv, parquet, jsonl"),
        (("--tracked", "--tracked-style", "comic"), "expected one of mien, openface"),
        (("--aligned", "--aligned-size", "0"), "a size of 1 to 4096 px"),
        (("--aligned", "--aligned-format", "doc"), "picture format"),
        (("--hog", "--every", "2"), "every frame"),
    ],
)
def test_impossible_wishes_are_refused_before_any_work(analyze, face_video, tmp_path, arguments, message):
    done = analyze(face_video, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert names(tmp_path) == []


def test_descriptors_need_models_that_have_them(mien, face_video, tmp_path):
    done = mien("analyze", face_video, "--models", "open", "--hog")
    assert done.returncode == 2
    assert "mien models fetch" in done.stderr
    assert names(tmp_path) == []


def test_no_drawing_replaces_a_video_to_analyse(analyze, mien, face_video, tmp_path):
    for name in ("face.mp4", "face.tracked.mp4"):
        (tmp_path / name).write_bytes(face_video.read_bytes())
    for done in (
        analyze("face.tracked.mp4", "-o", "face.csv", "--tracked"),
        mien("analyze", "face*.mp4", "--tracked"),
    ):
        assert done.returncode == 1
        assert "face.tracked.mp4 would be replaced" in done.stderr
    assert not list(tmp_path.glob("*.csv"))
    assert (tmp_path / "face.tracked.mp4").read_bytes() == face_video.read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="interrupts work otherwise on Windows")
def test_what_an_interrupted_analysis_has_written_is_kept_as_partial(
    models_folder, face_video, face_pictures, tmp_path
):
    from synthetic_video import write_video

    video = write_video(tmp_path / "long.mp4", face_pictures * 12)
    out = tmp_path / "out"
    command = [
        executable(),
        "analyze",
        video,
        "--models",
        "openface",
        "--landmarks",
        "clnf",
        "-o",
        out / "t.csv",
    ]
    process = subprocess.Popen(
        [*map(str, command), "--hog", "--aligned"], env=environment(models_folder), stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and len(list(out.glob(".mien-*/*/*"))) < 5:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=120)
    assert process.returncode == 130
    found = [name for name in names(out) if "provenance" not in name]
    assert found == ["t.partial.csv", "t.partial.hog", "t.partial_aligned"]
    rows = len((out / "t.partial.csv").read_text().splitlines()) - 1
    assert 5 <= rows < 600
    assert len(read_hog_records(out / "t.partial.hog")) == rows
    assert len(read_aligned_folder(out / "t.partial_aligned")) == rows

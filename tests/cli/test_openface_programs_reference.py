"""OpenFace's programs with OpenFace's models: files compared with the original's by name and content."""

from __future__ import annotations

import csv
import re

import av
import numpy as np
import pytest

from helpers_outputs import read_aligned_folder, read_hog_records

pytestmark = pytest.mark.models

CLNF = ("-mloc", "model/main_clnf_general.txt")
SELECTED = ("-2Dfp", "-3Dfp", "-pdmparams", "-pose", "-aus", "-gaze", "-hogalign", "-simalign")
PICTURES = ("sample1", "sample2", "sample3", "24795717_1")
MULTI_FRAMES = 60


@pytest.fixture
def run(mien, openface_dir, tmp_path):
    """Run a program with OpenFace's models beside a folder that is called as it was for the original."""

    def run(*words):
        done = mien(*words, *CLNF, "-q", models=openface_dir, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")

    return run


@pytest.fixture
def media(media_dir, tmp_path):
    (tmp_path / "media").symlink_to(media_dir, target_is_directory=True)
    return tmp_path / "media"


def header_of(path):
    """First line; versions before 2.2, as the reference is, write a blank after each comma."""
    return path.read_text().splitlines()[0].replace(" ", "")


def read(path):
    with path.open(newline="") as table:
        rows = csv.reader(table, skipinitialspace=True)
        names = next(rows)
        return dict(zip(names, np.array([[float(cell) for cell in row] for row in rows]).T, strict=True))


def apart_px(ours, theirs):
    """(N, 68) distances of landmarks."""
    axes = [np.stack([ours[f"{axis}_{i}"] - theirs[f"{axis}_{i}"] for i in range(68)], 1) for axis in "xy"]
    return np.hypot(*axes)


def units(table, ending):
    return np.stack([table[name] for name in table if re.fullmatch(rf"AU\d\d_{ending}", name)], 1)


def same_details(ours, theirs):
    """All lines but the absolute path; the original's path was made relative when it was stored."""
    left, right = (
        [line for line in path.read_text().splitlines() if not line.startswith("Input full path")]
        for path in (ours, theirs)
    )
    return left == right


def same_records(ours, theirs, mean):
    left, right = read_hog_records(ours), read_hog_records(theirs)
    assert [(flag, cells.shape) for flag, cells in left] == [(flag, cells.shape) for flag, cells in right]
    assert np.mean([np.abs(a - b).mean() for (_, a), (_, b) in zip(left, right, strict=True)]) <= mean


def same_faces(ours, theirs, mean):
    left, right = read_aligned_folder(ours), read_aligned_folder(theirs)
    assert {name: face.shape for name, face in left.items()} == {n: face.shape for n, face in right.items()}
    levels = [np.abs(left[name].astype(float) - right[name]).mean() for name in left]
    assert np.mean(levels) <= mean


def test_pictures(run, media, reference_dir, tmp_path):
    run("FaceLandmarkImg", *(word for name in PICTURES for word in ("-f", f"media/{name}.jpg")))
    out = tmp_path / "processed"
    endings = (".csv", ".hog", ".jpg", "_aligned", "_of_details.txt")
    assert {path.name for path in out.iterdir()} == {name + ending for name in PICTURES for ending in endings}
    presences, intensities, distances = [], [], []
    for name in PICTURES:
        folder = reference_dir / "images" / name
        assert header_of(out / f"{name}.csv") == header_of(folder / f"{name}.csv")
        ours, theirs = read(out / f"{name}.csv"), read(folder / f"{name}.csv")
        assert np.array_equal(ours["face"], theirs["face"])
        assert np.abs(ours["confidence"] - theirs["confidence"]).max() <= 0.001
        distances.append(apart_px(ours, theirs))
        intensities.append(units(ours, "r") - units(theirs, "r"))
        presences.append(units(ours, "c") == units(theirs, "c"))
        assert same_details(out / f"{name}_of_details.txt", folder / f"{name}_of_details.txt")
        # sample3's landmarks move by 0.05 px with the last digits of its box
        same_records(out / f"{name}.hog", folder / f"{name}.hog", 0.01 if name == "sample3" else 0.005)
        same_faces(out / f"{name}_aligned", folder / "aligned", 0.5)
    assert np.concatenate(distances).mean() <= 0.1
    assert np.abs(np.concatenate(intensities)).mean() <= 0.02
    assert np.concatenate(presences).mean() >= 0.98


def test_a_sequence_of_pictures(run, media, reference_dir, tmp_path):
    run("FeatureExtraction", "-fdir", "media/image_sequence", *SELECTED)
    out, folder, name = (
        tmp_path / "processed",
        reference_dir / "variants" / "image_sequence",
        "image_sequence",
    )
    assert {path.name for path in out.iterdir()} == {path.name for path in folder.iterdir()}
    assert header_of(out / f"{name}.csv") == header_of(folder / f"{name}.csv")
    ours, theirs = read(out / f"{name}.csv"), read(folder / f"{name}.csv")
    for column in ("frame", "face_id", "timestamp", "success"):
        assert np.array_equal(ours[column], theirs[column])
    assert apart_px(ours, theirs).mean() <= 0.08
    assert np.abs(units(ours, "r") - units(theirs, "r")).mean() <= 0.025
    assert (units(ours, "c") == units(theirs, "c")).mean() >= 0.98
    assert same_details(out / f"{name}_of_details.txt", folder / f"{name}_of_details.txt")
    same_records(out / f"{name}.hog", folder / f"{name}.hog", 0.005)
    same_faces(out / f"{name}_aligned", folder / f"{name}_aligned", 0.5)


def test_static_action_units_of_a_video(run, media, reference_dir, tmp_path):
    run("FeatureExtraction", "-au_static", "-aus", "-f", "media/default.wmv", "-out_dir", "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"default.csv", "default_of_details.txt"}
    theirs = read(reference_dir / "variants" / "default_au_static" / "default.csv")
    ours = read(tmp_path / "out" / "default.csv")
    assert list(ours) == [name for name in theirs if name in ours]
    assert np.abs(units(ours, "r") - units(theirs, "r")).mean() <= 0.025
    assert (units(ours, "c") == units(theirs, "c")).mean() >= 0.98


def test_several_faces(run, media, reference_dir, tmp_path):
    first_packets(media / "multi_face.avi", tmp_path / "multi_face.avi", MULTI_FRAMES)
    run("FaceLandmarkVidMulti", "-f", "multi_face.avi", *SELECTED)
    folder, out = reference_dir / "variants" / "multi_face_multi", tmp_path / "processed"
    names = {"multi_face.csv", "multi_face.hog", "multi_face_aligned", "multi_face_of_details.txt"}
    assert {path.name for path in out.iterdir()} == names
    assert header_of(out / "multi_face.csv") == header_of(folder / "multi_face.csv")
    ours, theirs = read(out / "multi_face.csv"), read(folder / "multi_face.csv")
    theirs = {name: values[theirs["frame"] <= MULTI_FRAMES] for name, values in theirs.items()}
    for column in ("frame", "face_id", "timestamp", "success", "confidence"):
        assert np.array_equal(ours[column], theirs[column])
    assert apart_px(ours, theirs).mean() <= 0.1
    assert np.abs(units(ours, "r") - units(theirs, "r")).mean() <= 0.025
    assert (units(ours, "c") == units(theirs, "c")).mean() >= 0.98
    flags = [flag > 0 for flag, _ in read_hog_records(out / "multi_face.hog")]
    assert flags == (ours["success"] > 0).tolist()
    aligned = {path.name for path in (out / "multi_face_aligned").iterdir()}
    keys = zip(ours["face_id"].astype(int), ours["frame"].astype(int), strict=True)
    assert aligned == {f"frame_det_{face:02}_{frame:06}.bmp" for face, frame in keys}


def first_packets(source, target, count):
    """Cut a video without encoding it again."""
    with av.open(str(source)) as whole, av.open(str(target), "w") as part:
        stream = part.add_stream_from_template(whole.streams.video[0])
        packets = (packet for packet in whole.demux(video=0) if packet.dts is not None)
        for _, packet in zip(range(count), packets, strict=False):
            packet.stream = stream
            part.mux(packet)

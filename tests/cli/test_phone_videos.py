"""Phone videos through the real command: the file's time stamps, upright faces; OpenFace's way when asked."""

import csv

import numpy as np
import pytest

from mien.video.file import VideoFile
from synthetic_face import Pose, landmarks, picture
from synthetic_video import write_video

STAMPS_MS = (0, 40, 55, 200, 210, 243, 1000, 1040, 1041, 1100)
HEIGHT, WIDTH = 320, 240
UPRIGHT = Pose(x=120, y=160)


def rows_of(path):
    with path.open(newline="") as table:
        return list(csv.DictReader(table, skipinitialspace=True))


def times_of(path):
    return [float(row["timestamp"]) for row in rows_of(path)]


def points_of(row):
    return np.array([[float(row[f"{axis}_{i}"]) for axis in "xy"] for i in range(68)])


@pytest.fixture(scope="module", params=[False, True], ids=["in order", "reordered"])
def uneven(request, tmp_path_factory):
    """A video of variable frame rate, without and with frames that are stored out of order."""
    path = tmp_path_factory.mktemp("uneven") / "uneven.mp4"
    pictures = [picture(Pose(x=120, y=160), WIDTH, HEIGHT, noise=2, seed=i) for i in range(len(STAMPS_MS))]
    return write_video(path, pictures, codec="libx264", stamps_ms=STAMPS_MS, reorder=request.param)


def test_time_stamps_of_a_variable_frame_rate_are_exact_to_a_millisecond(analyze, uneven, tmp_path):
    done = analyze(uneven, "--tracked", "--also", "jsonl")
    assert done.returncode == 0, done.stderr
    expected = [stamp / 1000 for stamp in STAMPS_MS]
    assert times_of(tmp_path / "uneven.csv") == pytest.approx(expected, abs=1e-3)
    with VideoFile(tmp_path / "uneven.tracked.mp4") as drawn:
        assert [frame.time_s for frame in drawn] == pytest.approx(expected, abs=1e-3)


def test_a_range_of_seconds_means_the_files_time(analyze, uneven, tmp_path):
    assert analyze(uneven, "--start", 0.055, "--end", 1.0).returncode == 0
    assert times_of(tmp_path / "uneven.csv") == pytest.approx([0.055, 0.2, 0.21, 0.243], abs=1e-3)


def test_compat_counts_time_from_the_nominal_rate(analyze, uneven, tmp_path):
    assert analyze(uneven, "--compat", "openface").returncode == 0
    with VideoFile(uneven) as video:
        fps = video.info.fps
    assert times_of(tmp_path / "uneven.csv") == pytest.approx([i / fps for i in range(10)], abs=1e-3)


@pytest.mark.parametrize(("rotation", "stored"), [(-90, 1), (90, -1), (180, 2)])
def test_faces_of_turned_videos_stand_upright(analyze, tmp_path, rotation, stored):
    upright = picture(UPRIGHT, WIDTH, HEIGHT)
    pictures = [np.ascontiguousarray(np.rot90(upright, stored))] * 3
    path = write_video(tmp_path / "phone.mp4", pictures, rotation=rotation)
    done = analyze(path)
    assert done.returncode == 0, done.stderr
    for row in rows_of(tmp_path / "phone.csv"):
        assert row["success"] == "1"
        assert np.abs(points_of(row) - landmarks(UPRIGHT)).max() < 3


@pytest.mark.parametrize(("rotation", "stored"), [(-90, 1), (90, -1), (180, 2)])
def test_compat_takes_turned_videos_as_stored(analyze, tmp_path, rotation, stored):
    """OpenFace does not turn pictures: a head upside down is not found, or not upright."""
    pictures = [np.ascontiguousarray(np.rot90(picture(UPRIGHT, WIDTH, HEIGHT), stored))] * 3
    turned = write_video(tmp_path / "phone.mp4", pictures, rotation=rotation)
    plain = write_video(tmp_path / "plain.mp4", pictures)
    assert analyze(turned, "--compat", "openface").returncode == 0
    assert analyze(plain).returncode == 0
    table = (tmp_path / "phone.csv").read_bytes()
    assert table == (tmp_path / "plain.csv").read_bytes()
    assert all(
        np.abs(points_of(row) - landmarks(UPRIGHT)).max() > 20 for row in rows_of(tmp_path / "phone.csv")
    )

"""_of_details.txt: the original's text, byte for byte."""

from __future__ import annotations

import os

import pytest

from mien.datatypes import Camera
from mien.geometry.pinhole import default_camera
from mien.results import Details, write_details

FULL = """Input:{path}
Input full path:{path}
Camera parameters:796.875,796.875,540,360
Output HOG:clip.hog
Output video:clip.avi
Output aligned directory:clip_aligned
Output csv:clip.csv
Gaze: 1
AUs: 1
Landmarks 2D: 1
Landmarks 3D: 1
Pose: 1
Shape parameters: 1
"""


def all_outputs(source):
    return Details(
        source=source,
        camera=default_camera(1080, 720),
        hog="clip.hog",
        video="clip.avi",
        aligned="clip_aligned",
        table="clip.csv",
    )


def test_everything_is_listed_in_order(tmp_path):
    source = str(tmp_path / "clip.mp4")
    write_details(all_outputs(source), tmp_path / "clip_of_details.txt")
    assert (tmp_path / "clip_of_details.txt").read_bytes() == FULL.format(path=source).encode()


def test_outputs_that_are_off_have_no_line():
    text = Details(source="/a/b.jpg", camera=Camera(1, 2, 3, 4)).text()
    assert text == "Input:/a/b.jpg\nInput full path:/a/b.jpg\nCamera parameters:1,2,3,4\n"


def test_single_images_have_an_image():
    assert "Output image:b.jpg\n" in Details(source="/b", camera=Camera(1, 2, 3, 4), image="b.jpg").text()


def test_groups_that_are_off_are_zeros():
    groups = ["pose", "gaze"]
    text = Details(source="/b", camera=Camera(1, 2, 3, 4), table="b.csv", groups=groups).text()
    lines = ["Gaze: 1", "AUs: 0", "Landmarks 2D: 0", "Landmarks 3D: 0", "Pose: 1", "Shape parameters: 0"]
    assert text.splitlines()[-6:] == lines


def test_a_camera_is_called_webcam():
    assert Details(source=None, camera=Camera(1, 2, 3, 4)).text().splitlines()[0] == "Input:webcam"


def test_relative_paths_become_canonical(tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    lines = Details(source="folder/../clip.mp4", camera=Camera(1, 2, 3, 4)).text().splitlines()
    assert lines[0] == "Input:folder/../clip.mp4"
    assert lines[1] == f"Input full path:{tmp_path.resolve() / 'clip.mp4'}"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (500.0, "500"),
        (458.3333333, "458.333"),
        (752.604166, "752.604"),
        (338.5, "338.5"),
        (1234567.0, "1.23457e+06"),
        (0.00001234, "1.234e-05"),
        (100000.0, "100000"),
    ],
)
def test_numbers_have_at_most_six_digits(value, text):
    line = Details(source="/b", camera=Camera(value, 1, 1, 1)).text().splitlines()[2]
    assert line == f"Camera parameters:{text},1,1,1"


@pytest.mark.skipif(os.name == "nt", reason="names of files are text on Windows")
def test_names_that_are_no_text_are_written_as_they_are(tmp_path):
    source = os.fsdecode(b"/a/\xff.mp4")
    write_details(Details(source=source, camera=Camera(1, 1, 1, 1)), tmp_path / "t")
    assert (tmp_path / "t").read_bytes().splitlines()[0] == b"Input:/a/\xff.mp4"

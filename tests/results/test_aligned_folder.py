"""Folders of aligned faces: names, formats, pixels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from helpers_outputs import read_bmp
from mien.errors import OptionError, OutputError
from mien.results import AlignedOptions, AlignedWriter
from mien.results.picture_files import write_picture


def picture(*shape):
    return np.random.default_rng(sum(shape)).integers(0, 256, shape, np.uint8)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_faces_of_videos_are_named_by_identity_and_frame(tmp_path):
    with AlignedWriter(tmp_path / "clip_aligned") as writer:
        writer.append(picture(9, 9, 3), 0, 0)
        writer.append(picture(9, 9, 3), 1234567, 12)
    assert names(tmp_path / "clip_aligned") == ["frame_det_00_000001.bmp", "frame_det_12_1234568.bmp"]


def test_faces_of_images_are_named_by_their_number(tmp_path):
    with AlignedWriter(tmp_path / "a", form="image", picture_format="png") as writer:
        writer.append(picture(9, 9, 3), 0, 0)
        writer.append(picture(9, 9, 3), 0, 1)
    assert names(tmp_path / "a") == ["face_det_000000.png", "face_det_000001.png"]


@pytest.mark.parametrize("shape", [(112, 112, 3), (5, 7, 3), (112, 112), (5, 7), (1, 1, 3)])
def test_bmp_files_equal_those_of_opencv_byte_for_byte(tmp_path, shape):
    image = picture(*shape)
    write_picture(image, tmp_path / "mien.bmp")
    cv2.imwrite(str(tmp_path / "opencv.bmp"), image)
    assert (tmp_path / "mien.bmp").read_bytes() == (tmp_path / "opencv.bmp").read_bytes()
    np.testing.assert_array_equal(read_bmp(tmp_path / "mien.bmp"), image)


@pytest.mark.parametrize("shape", [(20, 30, 3), (20, 30)])
@pytest.mark.parametrize("suffix", ["png", "tif", "bmp"])
def test_other_formats_keep_pixels_and_colours(tmp_path, suffix, shape):
    image = picture(*shape)
    write_picture(image, tmp_path / f"t.{suffix}")
    with Image.open(tmp_path / f"t.{suffix}") as stored:
        pixels = np.asarray(stored)
    np.testing.assert_array_equal(pixels if len(shape) == 2 else pixels[..., ::-1], image)


def test_jpeg_is_close(tmp_path):
    image = np.full((16, 16, 3), (30, 120, 200), np.uint8)
    write_picture(image, tmp_path / "t.jpg")
    assert np.abs(cv2.imread(str(tmp_path / "t.jpg")).astype(int) - image).max() <= 3


def test_the_folder_appears_when_it_is_complete(tmp_path):
    writer = AlignedWriter(tmp_path / "new" / "a")
    writer.append(picture(9, 9, 3), 0, 0)
    assert not (tmp_path / "new" / "a").exists()
    writer.close()
    assert names(tmp_path / "new") == ["a"]


def test_new_faces_join_those_of_an_existing_folder(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "notes.txt").write_text("mine")
    (tmp_path / "a" / "frame_det_00_000001.bmp").write_text("old")
    with AlignedWriter(tmp_path / "a") as writer:
        writer.append(picture(9, 9, 3), 0, 0)
    assert names(tmp_path / "a") == ["frame_det_00_000001.bmp", "notes.txt"]
    np.testing.assert_array_equal(read_bmp(tmp_path / "a" / "frame_det_00_000001.bmp"), picture(9, 9, 3))
    assert names(tmp_path) == ["a"]


def test_an_aborted_folder_leaves_nothing(tmp_path):
    writer = AlignedWriter(tmp_path / "a")
    writer.append(picture(9, 9, 3), 0, 0)
    writer.abort()
    assert not names(tmp_path)


def test_a_file_in_the_folders_place_is_refused(tmp_path):
    (tmp_path / "a").touch()
    with pytest.raises(OutputError, match="folder"):
        AlignedWriter(tmp_path / "a")


def test_the_scale_follows_the_size():
    assert AlignedOptions().as_analysed
    assert AlignedOptions(size=224).px_per_mm == pytest.approx(1.4)
    assert AlignedOptions(size=224, scale=0.7).px_per_mm == 0.7
    assert AlignedOptions(gray=True).as_analysed
    assert not AlignedOptions(mask=False).as_analysed
    assert not AlignedOptions(scale=0.5).as_analysed


@pytest.mark.parametrize(
    "values",
    [
        *({"size": 0}, {"size": 10**8}, {"scale": 0.0}, {"scale": float("nan")}, {"scale": 1e30}),
        {"picture_format": "xyz"},
    ],
)
def test_impossible_options_are_refused(values):
    with pytest.raises(OptionError):
        AlignedOptions(**values)

"""Pictures are read as OpenCV reads them, folders in the order of their paths."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from mien.errors import OptionError, SourceError
from mien.video.images import ImageSequence, ImageSet, list_images, read_boxes
from mien.video.stills import read_still

RGB = np.random.default_rng(0).integers(0, 256, (37, 53, 3), dtype=np.uint8)
SMOOTH = cv2.resize(RGB[:6, :8], (161, 119), interpolation=cv2.INTER_CUBIC)
"""What a photograph compresses like; odd in both directions."""


def save(path, pixels, **options):
    Image.fromarray(pixels).save(path, **options)
    return path


def as_opencv(path):
    return cv2.imread(str(path))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.png", {}),
        ("a.bmp", {}),
        ("a.webp", {"quality": 80}),
        ("a.tif", {}),
        *((f"a{k}.jpg", {"subsampling": k, "quality": 75}) for k in range(3)),
        ("progressive.jpeg", {"progressive": True}),
    ],
)
def test_pixels_are_opencvs(tmp_path, name, options):
    path = save(tmp_path / name, SMOOTH, **options)
    got = read_still(path).bgr
    assert got.flags.c_contiguous
    np.testing.assert_array_equal(got, as_opencv(path))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
def test_pictures_stand_upright_as_with_opencv(tmp_path, ending, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / f"turned.{ending}", SMOOTH, exif=exif)
    got = read_still(path).bgr
    assert got.shape[:2] == (SMOOTH.shape[:2] if orientation < 5 else SMOOTH.shape[1::-1])
    np.testing.assert_array_equal(got, as_opencv(path))


def test_sixteen_bits_keep_the_upper_eight(tmp_path):
    deep = np.random.default_rng(1).integers(0, 65536, (20, 30, 3)).astype(np.uint16)
    for name, pixels in (("gray.png", deep[..., 0]), ("colour.png", deep), ("gray.tif", deep[..., 0])):
        cv2.imwrite(str(tmp_path / name), pixels)
        expected = np.repeat(pixels[..., None], 3, 2) if pixels.ndim == 2 else pixels
        np.testing.assert_array_equal(read_still(tmp_path / name).bgr, expected >> 8)


def test_transparency_is_ignored(tmp_path):
    alpha = np.random.default_rng(2).integers(0, 256, RGB.shape[:2], dtype=np.uint8)
    path = save(tmp_path / "rgba.png", np.dstack([RGB, alpha]))
    np.testing.assert_array_equal(read_still(path).bgr, RGB[..., ::-1])


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1"])
def test_other_kinds_of_pixels_become_colour(tmp_path, mode):
    path = tmp_path / "picture.png"
    Image.fromarray(SMOOTH).convert(mode).save(path)
    np.testing.assert_array_equal(read_still(path).bgr, as_opencv(path))


def test_broken_pictures_are_named(tmp_path):
    whole = save(tmp_path / "whole.jpg", SMOOTH).read_bytes()
    for name, content in (("cut.jpg", whole[: len(whole) // 2]), ("text.png", b"hello")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SourceError, match=f"{name} is not a picture"):
            read_still(tmp_path / name)
    (tmp_path / "empty.jpg").write_bytes(b"")
    with pytest.raises(SourceError, match=r"empty.jpg is empty \(0 bytes\)"):
        read_still(tmp_path / "empty.jpg")
    with pytest.raises(SourceError, match="no such file"):
        read_still(tmp_path / "missing.png")
    save(tmp_path / "float.tif", RGB[..., 0].astype(np.float32))
    with pytest.raises(SourceError, match="floating point"):
        read_still(tmp_path / "float.tif")


def test_large_pictures_are_read_without_a_word(tmp_path, monkeypatch, recwarn):
    save(tmp_path / "large.png", RGB)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", RGB.shape[0] * RGB.shape[1] - 1)
    assert read_still(tmp_path / "large.png").bgr.shape == RGB.shape
    assert not recwarn


@pytest.fixture
def folder(tmp_path):
    for name in ("b.png", "a.jpg", "c.JPG", "d.webp", "10.bmp", "9.bmp"):
        save(tmp_path / name, RGB)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "deeper.png").mkdir()
    return tmp_path


def test_a_folder_is_sorted_by_name_and_number(folder):
    names = [path.name for path in list_images(folder)]
    assert names == ["9.bmp", "10.bmp", "a.jpg", "b.png", "c.JPG", "d.webp"]


def test_openface_takes_four_endings_in_lower_case(folder):
    names = [path.name for path in list_images(folder, compat="openface")]
    assert names == ["10.bmp", "9.bmp", "a.jpg", "b.png"]


def test_a_folder_without_pictures_says_so(tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"")
    with pytest.raises(SourceError, match=r"holds no picture.*\*\.mp4"):
        list_images(tmp_path)
    for source in (ImageSet, ImageSequence):
        with pytest.raises(SourceError, match="no such file or folder"):
            source(tmp_path / "nowhere")


def test_independent_pictures_have_sizes_of_their_own(tmp_path):
    save(tmp_path / "a.png", RGB)
    save(tmp_path / "b.png", RGB[:30])
    pictures = ImageSet(tmp_path)
    frames = list(pictures)
    assert [(frame.index, frame.time_s, frame.bgr.shape[:2]) for frame in frames] == [
        (0, 0.0, (37, 53)),
        (1, 0.0, (30, 53)),
    ]
    info = pictures.info_of(frames[1])
    assert (info.name, info.path, info.width, info.height) == ("b.png", tmp_path / "b.png", 53, 30)


def test_one_file_and_a_list_of_files_are_pictures_too(tmp_path):
    path = save(tmp_path / "a.png", RGB)
    assert ImageSet(path).files == (path,)
    assert ImageSet([path, path]).files == (path, path)


def test_unreadable_pictures_are_left_out_and_counted(folder):
    (folder / "b.png").write_bytes(b"broken")
    for source in (ImageSet(folder), ImageSequence(folder)):
        assert source.lost == ""
        assert [frame.index for frame in source] == [0, 1, 2, 4, 5]
        assert source.lost == "1 picture could not be read: b.png"


def test_where_no_picture_can_be_read_it_is_said_of_how_many(tmp_path):
    for name in ("a.png", "b.jpg"):
        (tmp_path / name).write_bytes(b"broken")
    for kind in (ImageSet, ImageSequence):
        with pytest.raises(SourceError, match=r"none of 2 pictures could be read; of the last: .*b\.jpg"):
            list(kind(tmp_path))


def test_still_and_moving_gifs_are_pictures_of_a_folder(tmp_path):
    picture = Image.fromarray(RGB)
    picture.save(tmp_path / "still.gif")
    picture.save(tmp_path / "moves.gif", save_all=True, append_images=[picture.rotate(90)])
    source = ImageSet(tmp_path)
    assert [path.name for path in source.files] == ["moves.gif", "still.gif"]
    assert len(list(source)) == 2
    assert (source.notes, source.lost) == (
        (),
        "1 further picture was left out, of files that hold several: moves.gif",
    )


def test_a_sequence_counts_time_only_where_its_rate_is_known(folder):
    assert [frame.time_s for frame in ImageSequence(folder)] == [0.0] * 6
    assert [frame.time_s for frame in ImageSequence(folder, fps=10)] == pytest.approx(np.arange(6) / 10)
    assert [frame.time_s for frame in ImageSequence(folder, fps=10, compat="openface")] == [0.0] * 4


def test_a_sequence_is_described_by_its_folder_and_first_picture(folder):
    info = ImageSequence(folder, fps=12.5).info
    assert (info.name, info.path, info.width, info.height) == (folder.name, folder, 53, 37)
    assert (info.fps, info.frame_count) == (12.5, 6)


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf")])
def test_impossible_rates_are_refused(folder, fps):
    with pytest.raises(OptionError, match="fps"):
        ImageSequence(folder, fps=fps)


def test_boxes_are_corners_and_become_sizes(tmp_path):
    (tmp_path / "a.txt").write_text("10 20 110.5 220\n\n1,2,3,4\n")
    boxes = read_boxes(tmp_path / "a.txt")
    assert boxes.dtype == np.float32
    np.testing.assert_array_equal(boxes, [[10, 20, 100.5, 200], [1, 2, 2, 2]])


def test_a_file_without_boxes_means_no_face(tmp_path):
    (tmp_path / "a.txt").write_text("")
    assert read_boxes(tmp_path / "a.txt").shape == (0, 4)


@pytest.mark.parametrize("line", ["1 2 3", "a b c d", "5 5 4 9", "1 2 3 4 5", "nan 1 2 3"])
def test_lines_that_are_no_box_are_named(tmp_path, line):
    (tmp_path / "a.txt").write_text(f"1 2 3 4\n{line}\n")
    with pytest.raises(SourceError, match="line 2"):
        read_boxes(tmp_path / "a.txt")


def test_boxes_belong_to_pictures_by_name(tmp_path):
    (tmp_path / "boxes").mkdir()
    for name in ("a", "b"):
        save(tmp_path / f"{name}.png", RGB)
    (tmp_path / "boxes" / "a.txt").write_text("0 0 1 1")
    with pytest.raises(SourceError, match=r"b\.txt"):
        ImageSet(tmp_path, boxes=tmp_path / "boxes")
    (tmp_path / "boxes" / "b.txt").write_text("0 0 2 3")
    pictures = ImageSet(tmp_path, boxes=tmp_path / "boxes")
    assert [frame.boxes.tolist() for frame in pictures] == [[[0, 0, 1, 1]], [[0, 0, 2, 3]]]
    assert next(iter(ImageSet(tmp_path))).boxes is None


@pytest.mark.models
@pytest.mark.parametrize("name", ["sample1.jpg", "24795717_1.jpg", "image_sequence/001.jpg"])
def test_real_photographs_are_read_as_by_opencv(media_dir, name):
    np.testing.assert_array_equal(read_still(media_dir / name).bgr, as_opencv(media_dir / name))

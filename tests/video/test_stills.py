"""Pictures by their content: formats, several in a file, sizes, damage; folders and sequences by names."""

from __future__ import annotations

import builtins
import contextlib
import logging
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mien.errors import SourceError
from mien.video import stills
from mien.video.file import VideoFile, open_video
from mien.video.folders import missing_numbers, natural_key
from mien.video.images import ImageSequence, ImageSet
from mien.video.source import are_pictures
from mien.video.stills import read_still

PIXELS = np.random.default_rng(3).integers(0, 256, (48, 64, 3), dtype=np.uint8)
FRAMES = [Image.fromarray(np.full((48, 64, 3), 40 * i, np.uint8)) for i in range(6)]
DURATIONS = [50, 100, 50, 100, 50, 70]


def moving(path, **options):
    FRAMES[0].save(path, save_all=True, append_images=FRAMES[1:], **options)
    return path


@pytest.mark.parametrize("ending", ["webp", "png", "gif", "avif"])
def test_animations_are_videos_with_their_durations(tmp_path, ending):
    path = moving(tmp_path / f"moving.{ending}", duration=DURATIONS)
    assert not are_pictures(path)
    with open_video(path) as video:
        frames = list(video)
        assert video.lost == ""
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.05, 0.15, 0.2, 0.3, 0.35])
    assert [round(frame.bgr.mean() / 40) for frame in frames] == list(range(6))
    with open_video(path, start_s=0.1, end_s=0.3) as video:
        assert [frame.index for frame in video] == [2, 3]


@pytest.mark.parametrize("ending", ["webp", "png", "gif", "avif"])
def test_one_frame_is_a_picture(tmp_path, ending):
    path = tmp_path / f"still.{ending}"
    FRAMES[2].save(path)
    assert are_pictures(path)
    assert np.abs(read_still(path).bgr.astype(int) - 80).max() <= 3


def test_a_stack_is_a_sequence_and_as_a_picture_says_what_was_left_out(tmp_path):
    path = moving(tmp_path / "pages.tif")
    assert are_pictures(path)
    sequence = ImageSequence(path, fps=10)
    assert [round(frame.bgr.mean() / 40) for frame in sequence] == list(range(6))
    assert (sequence.lost, sequence.info.frame_count) == ("", 6)
    picture = ImageSet(path)
    assert len(list(picture)) == 1
    assert picture.lost == "5 further pictures were left out, of files that hold several: pages.tif"


def test_moving_pictures_of_a_folder_are_read_in_part_and_named(tmp_path):
    moving(tmp_path / "a.webp")
    FRAMES[1].save(tmp_path / "b.png")
    folder = ImageSet(tmp_path)
    assert len(list(folder)) == 2
    assert folder.lost.startswith("5 further pictures were left out")


@pytest.mark.parametrize("name", ["p.heic", "p.avif"])
def test_phone_pictures_are_those_of_the_png(data_dir, name):
    if name == "p.heic":
        pytest.importorskip("pi_heif")
    folder = data_dir / "cases" / "still-heic-avif"
    assert are_pictures(folder / name)
    difference = np.abs(read_still(folder / name).bgr.astype(int) - read_still(folder / "p.png").bgr)
    assert difference.mean() < 2
    with pytest.raises(SourceError, match="is a picture in the format HEIC or AVIF"):
        VideoFile(folder / name)


def test_without_the_reader_the_command_to_install_it_is_named(data_dir, monkeypatch):
    original = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "pi_heif":
            raise ImportError(name)
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SourceError, match=r"pip install 'mien\[heic\]'"):
        read_still(data_dir / "cases" / "still-heic-avif" / "p.heic")


def test_content_counts_not_the_name(tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / "really.png")
    renamed = (tmp_path / "really.png").rename(tmp_path / "named.jpg")
    np.testing.assert_array_equal(read_still(renamed).bgr, PIXELS[..., ::-1])


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"


@pytest.mark.parametrize(
    "content", [EPS, b"BLP2" + bytes(200), b"P6 2 2 255\n" + bytes(12), b"GRIB" + bytes(99)]
)
def test_formats_that_are_not_documented_are_not_opened(tmp_path, monkeypatch, content):
    monkeypatch.setattr("subprocess.Popen", lambda *a, **k: pytest.fail("started another program"))
    (tmp_path / "picture.jpg").write_bytes(content)
    with pytest.raises(SourceError, match="none of JPEG, PNG, WebP, BMP, TIFF, GIF, AVIF and HEIC"):
        read_still(tmp_path / "picture.jpg")


def png_of_size(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(60000, 60000), (2**31 - 1, 1), (13400, 13400)])
def test_sizes_are_checked_before_decoding(tmp_path, size):
    (tmp_path / "bomb.png").write_bytes(png_of_size(*size))
    with pytest.raises(SourceError, match="178 million pixels"):
        read_still(tmp_path / "bomb.png")


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("x"), KeyError(1), RecursionError(), OSError("a\nb")]
)
def test_whatever_a_decoder_raises_is_one_unreadable_picture(tmp_path, monkeypatch, error):
    for name in ("a.png", "b.png", "c.png"):
        Image.fromarray(PIXELS).save(tmp_path / name)
    original = stills.rgb_of

    def raising(image):
        if Path(image.filename).name == "b.png":
            raise error
        return original(image)

    monkeypatch.setattr(stills, "rgb_of", raising)
    monkeypatch.setattr("PIL.ImageOps.exif_transpose", lambda image: image)
    monkeypatch.setattr(stills.ImageOps, "exif_transpose", lambda image: image)
    folder = ImageSet(tmp_path)
    assert [frame.index for frame in folder] == [0, 2]
    assert folder.lost == "1 picture could not be read: b.png"


def test_known_damage_is_refused_in_one_line(data_dir):
    files = [*(data_dir / "cases" / "damage").glob("picture_*"), data_dir / "cases" / "damage" / "eps.jpg"]
    assert len(files) >= 5
    for path in files:
        with pytest.raises(SourceError) as refusal:
            read_still(path)
        assert "\n" not in str(refusal.value)


def test_libraries_do_not_write_to_the_terminal(tmp_path, capfd, recwarn):
    Image.fromarray(PIXELS).save(tmp_path / "a.tif", compression="tiff_lzw")
    data = bytearray((tmp_path / "a.tif").read_bytes())
    data[400:420] = bytes(20)
    (tmp_path / "a.tif").write_bytes(data)
    for _ in range(3):
        with contextlib.suppress(SourceError):
            read_still(tmp_path / "a.tif")
    logging.getLogger("PIL.TiffImagePlugin").warning("said by Pillow")
    assert capfd.readouterr() == ("", "")
    assert not recwarn


def test_files_that_are_passed_over_are_named(tmp_path):
    for name in ("a.png", "._a.png", ".hidden.jpg", "Thumbs.db"):
        Image.fromarray(PIXELS).save(tmp_path / name, format="PNG")
    for name in ("clip.mp4", "notes.txt", "b.psd", "c.raw"):
        (tmp_path / name).write_bytes(b"x")
    folder = ImageSet(tmp_path)
    assert [path.name for path in folder.files] == ["a.png"]
    assert folder.notes == (
        "4 files that are no pictures were passed over: b.psd, c.raw, clip.mp4 and 1 more "
        "(videos are given by their own names)",
    )


def numbered(folder, numbers, pattern="frame{}.png"):
    for number in numbers:
        Image.fromarray(PIXELS).save(folder / pattern.format(number))
    return folder


def test_sequences_are_in_the_order_of_their_numbers_unless_as_openface(tmp_path):
    numbered(tmp_path, (1, 2, 10, 11))
    names = [path.name for path in ImageSequence(tmp_path).files]
    assert names == ["frame1.png", "frame2.png", "frame10.png", "frame11.png"]
    names = [path.name for path in ImageSequence(tmp_path, compat="openface").files]
    assert names == ["frame1.png", "frame10.png", "frame11.png", "frame2.png"]


def test_missing_numbers_are_named(tmp_path):
    sequence = ImageSequence(numbered(tmp_path, (*range(1, 13), *range(18, 25), 26)))
    assert sequence.notes == ("numbers 13–17, 25 are missing in the sequence, 6 pictures",)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([f"f{i:03}.png" for i in range(0, 50, 5)], ""),
        ([f"f{i:03}.png" for i in (0, 5, 10, 20, 25)], "number 15 is missing in the sequence"),
        ([f"cam2_f{i}.png" for i in (1, 2, 4)], "number 3 is missing in the sequence"),
        (["a.png", "b.png", "c.png"], ""),
        (["IMG_1.png", "party.png", "x9.png"], ""),
        ([f"{i}.png" for i in (1699, 1750, 1811, 2000)], ""),
        (
            [f"f{i}.png" for i in (1, 2, 3, 1000001, 1000002)],
            "numbers 4–1000000 are missing in the sequence, 999997",
        ),
    ],
)
def test_numbers_count_where_they_tell_the_files_apart(names, said):
    got = missing_numbers([Path(name) for name in names])
    assert got.startswith(said)
    assert bool(got) == bool(said)


def test_the_order_is_that_of_people():
    names = ["b10", "B9", "b09", "a", "10", "9", "9a"]
    ordered = sorted((Path(name) for name in names), key=natural_key)
    assert [str(path) for path in ordered] == ["9", "9a", "10", "a", "B9", "b09", "b10"]


LISTS = {
    "list.m3u8": "#EXTM3U\n#EXTINF:10,\nclip.mp4\n#EXT-X-ENDLIST\n",
    "list.mp4": "#EXTM3U\n#EXTINF:10,\nclip.mp4\n#EXT-X-ENDLIST\n",
    "list.ffconcat": "ffconcat version 1.0\nfile clip.mp4\n",
    "list.txt": "ffconcat version 1.0\nfile clip.mp4\n",
    "list.mpd": "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'></MPD>",
    "list.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5000 RTP/AVP 96\n",
    "list.asx": "<asx version='3.0'><entry><ref href='clip.mp4'/></entry></asx>",
}


@pytest.mark.parametrize("name", LISTS)
def test_lists_of_other_files_are_refused_in_one_line(tmp_path, name):
    (tmp_path / name).write_text(LISTS[name])
    with pytest.raises(SourceError, match="names other files; give those files themselves") as refusal:
        VideoFile(tmp_path / name)
    assert "\n" not in str(refusal.value)


def test_a_pattern_of_names_is_only_a_name(tmp_path):
    numbered(tmp_path, range(1, 4), "img{:03}.png")
    with pytest.raises(SourceError, match="no such file"):
        VideoFile(tmp_path / "img%03d.png")
    (tmp_path / "img%03d.png").write_bytes((tmp_path / "img001.png").read_bytes())
    with pytest.raises(SourceError):
        VideoFile(tmp_path / "img%03d.png")


@pytest.mark.parametrize("chunk", ["zTXt", "iTXt", "iCCP", "many"])
def test_a_png_with_long_texts_is_read_all_the_same(tmp_path, chunk):
    """What programs write of how they made a picture: more than Pillow unpacks by default."""
    about, options = PngInfo(), {}
    if chunk == "many":
        for number in range(70):
            about.add_text(f"key {number}", "a" * 1_000_000, zip=True)
    elif chunk == "iCCP":
        options["icc_profile"] = bytes(3_000_000)
    else:
        {"zTXt": about.add_text, "iTXt": about.add_itxt}[chunk]("key", "a" * 3_000_000, zip=True)
    Image.fromarray(PIXELS).save(tmp_path / "a.png", pnginfo=about, **options)
    np.testing.assert_array_equal(read_still(tmp_path / "a.png").bgr, PIXELS[..., ::-1])

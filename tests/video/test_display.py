"""Pictures are delivered as displayed: square pixels, upright, each in its own shape; or as stored."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from mien.video.display import Display, Shapes
from mien.video.file import VideoFile
from mien.video.orientation import Orientation
from synthetic_video import HEIGHT, WIDTH, numbered_picture, write_video


def with_pixels(path, shape, pictures=3, codec="libx264"):
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.sample_aspect_ratio = shape
        for number in range(pictures):
            frame = av.VideoFrame.from_ndarray(numbered_picture(number), "bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize(
    ("shape", "size"),
    [
        (Fraction(16, 9), (171, HEIGHT)),
        (Fraction(3, 2), (144, HEIGHT)),
        (Fraction(8, 9), (WIDTH, 72)),
        (Fraction(1, 2), (WIDTH, 128)),
        (Fraction(1001, 1000), (WIDTH, HEIGHT)),
    ],
)
def test_pixels_become_square_by_enlarging_the_short_side(tmp_path, ending, shape, size):
    path = with_pixels(tmp_path / f"clip.{ending}", shape)
    with VideoFile(path) as video:
        assert (video.info.width, video.info.height) == size
        assert {frame.bgr.shape[1::-1] for frame in video} == {size}
        assert bool(video.notes) == (size != (WIDTH, HEIGHT))
    with VideoFile(path, compat="openface") as video:
        assert {frame.bgr.shape[1::-1] for frame in video} == {(WIDTH, HEIGHT)}
        assert video.notes == ()


@pytest.mark.parametrize(("codec", "shape"), [("libx264", Fraction(2)), ("mpeg2video", Fraction(32, 27))])
def test_pixels_that_change_midway_change_with_their_own_picture(tmp_path, codec, shape):
    """A broadcast that goes over to wide pixels: decoders know it some pictures before they deliver it."""
    first = with_pixels(tmp_path / "a.ts", Fraction(1), 12, codec).read_bytes()
    second = with_pixels(tmp_path / "b.ts", shape, 12, codec).read_bytes()
    path = tmp_path / "clip.ts"
    path.write_bytes(first + second)
    with VideoFile(path) as video:
        widths = [frame.bgr.shape[1] for frame in video]
    assert widths == [WIDTH] * 12 + [round(WIDTH * shape)] * 12


def test_impossible_pixels_are_not_believed_and_named(tmp_path):
    with VideoFile(with_pixels(tmp_path / "clip.ts", Fraction(10))) as video:
        assert {frame.bgr.shape for frame in video} == {(HEIGHT, WIDTH, 3)}
        assert video.notes[0].startswith("the file says that pixels are 10:1, which can't be")
    with VideoFile(with_pixels(tmp_path / "clip.mkv", Fraction(1000))) as video:
        assert {frame.bgr.shape for frame in video} == {(HEIGHT, WIDTH, 3)}  # FFmpeg itself drops such marks


def test_pixels_are_made_square_before_pictures_are_turned():
    turned = Display((360, 480), Fraction(16, 9), Orientation.from_clockwise(90))
    assert turned.size == (480, 640)
    assert Display((360, 480)).size == (360, 480)


def two_sizes(path, first, second):
    parts = [
        write_video(
            path.with_name(f"{i}.ts"), [numbered_picture(n, *size) for n in range(6)], codec="libx264"
        )
        for i, size in enumerate((first, second))
    ]
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def test_another_shape_is_delivered_as_it_is_and_named(tmp_path):
    path = two_sizes(tmp_path / "turned.ts", (96, 64), (64, 96))
    for compat in (None, "openface"):
        with VideoFile(path, compat=compat) as video:
            shapes = [frame.bgr.shape[:2] for frame in video]
            assert shapes == [(64, 96)] * 6 + [(96, 64)] * 6
            (note,) = video.notes
            assert note.startswith("from frame 7 on (")
            assert note.endswith("the picture is 64x96 px instead of 96x64")


def test_a_shape_that_was_there_before_comes_in_the_size_it_had():
    shapes = Shapes()
    sizes = [(480, 320), (320, 480), (960, 640), (640, 960), (480, 320)]
    got = [shapes.size_for(Display(size), i, i / 10) for i, size in enumerate(sizes)]
    assert got == [(480, 320), (320, 480), (480, 320), (320, 480), (480, 320)]
    assert len(shapes.notes) == 4
    for i in range(20):
        shapes.size_for(Display((100 + 10 * i, 300)), 5 + i, 1.0)
    assert len(shapes.notes) == 7
    assert "more times" in shapes.notes[-1]


def jpeg(picture, orientation):
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "maker", orientation
    buffer = io.BytesIO()
    Image.fromarray(picture[..., ::-1].copy()).save(buffer, "JPEG", quality=95, exif=exif)
    return buffer.getvalue()


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_side_data_that_pyav_does_not_know_does_not_end_a_video(tmp_path, orientation):
    """EXIF data of Motion JPEG: newer FFmpeg hands them on under a number that older PyAV has no name for."""
    path = tmp_path / "exif.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuvj420p"
        container.start_encoding()
        for number in range(4):
            packet = av.Packet(jpeg(numbered_picture(number), orientation))
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, number, number, Fraction(1, 25)
            container.mux(packet)
    with VideoFile(path) as video:
        frames = list(video)
        assert (len(frames), video.lost) == (4, "")
        turned = video.info.rotation_deg
    # older FFmpeg does not read the orientation; what it is, is never wrong
    assert turned in (0, {1: 0, 3: 180, 6: 90, 8: 270}[orientation])
    with VideoFile(path, compat="openface") as video:
        stored = list(video)
    quarter_turns = -turned // 90
    for frame, plain in zip(frames, stored, strict=True):
        assert np.array_equal(frame.bgr, np.rot90(plain.bgr, quarter_turns))


class Unreadable:
    """A picture whose every detail raises something."""

    pts, is_corrupt, width, height = 0, False, WIDTH, HEIGHT

    def __init__(self, error):
        self._error = error

    @property
    def side_data(self):
        raise self._error


@pytest.mark.parametrize("error", [ValueError("31"), KeyError(1), UnicodeDecodeError("utf8", b"", 0, 1, "")])
def test_whatever_pyav_raises_over_a_picture_costs_that_picture(tmp_path, monkeypatch, error):
    path = write_video(tmp_path / "clip.mp4", [numbered_picture(i) for i in range(5)])
    with VideoFile(path) as video:
        whole = list(video._frames)
        video._frames = iter([*whole[:2], Unreadable(error), *whole[3:]])
        assert [frame.index for frame in video] == [0, 1, 3, 4]
        assert "1 frame could not be converted" in video.lost


def test_anamorphic_video_is_measured_as_its_square_twin(data_dir):
    folder = data_dir / "cases" / "anamorphic"
    with VideoFile(folder / "sar16_9.mp4") as wide, VideoFile(folder / "square.mp4") as square:
        for a, b in zip(wide, square, strict=True):
            assert a.bgr.shape == b.bgr.shape
            assert np.abs(a.bgr.astype(int) - b.bgr).mean() < 4

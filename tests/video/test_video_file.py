"""Video files as sources: frames, numbers, time stamps, orientation, selections."""

from fractions import Fraction

import av
import numpy as np
import pytest

from mien.errors import OptionError, SourceError
from mien.video.file import VideoFile
from synthetic_video import HEIGHT, WIDTH, numbered_picture, numbered_video, read_number, write_video

CONTAINERS = [
    pytest.param("clip.mp4", {"codec": "libx264", "reorder": True}, id="h264-mp4"),
    pytest.param("clip.avi", {"codec": "mpeg4"}, id="mpeg4-avi"),
    pytest.param("clip.mkv", {"codec": "libx264"}, id="h264-mkv"),
    pytest.param("clip.wmv", {"codec": "wmv2"}, id="wmv"),
    pytest.param("clip.ts", {"codec": "libx264", "reorder": True}, id="h264-ts"),
    pytest.param("clip.mov", {"codec": "mjpeg", "pixels": "yuvj420p"}, id="mjpeg-mov"),
]


def numbers(video):
    return [(frame.index, read_number(frame.bgr)) for frame in video]


@pytest.mark.parametrize(("name", "how"), CONTAINERS)
def test_every_frame_is_delivered_once_and_in_order(tmp_path, name, how):
    with VideoFile(numbered_video(tmp_path / name, 40, **how)) as video:
        assert numbers(video) == [(i, i) for i in range(40)]
        assert video.lost == ""
        assert (video.info.width, video.info.height, video.info.fps) == (WIDTH, HEIGHT, 25.0)


@pytest.mark.parametrize(("name", "how"), CONTAINERS)
def test_a_selection_keeps_the_numbers_and_pictures_of_the_whole_file(tmp_path, name, how):
    path = numbered_video(tmp_path / name, 60, **how)
    with VideoFile(path) as video:
        whole = {frame.index: frame for frame in video}
    with VideoFile(path, start_s=0.999, end_s=1.999) as video:
        assert video.info.frame_count == pytest.approx(25, abs=1)
        part = list(video)
    assert [frame.index for frame in part] == [i for i, f in whole.items() if 0.999 <= f.time_s < 1.999]
    for frame in part:
        assert frame.time_s == whole[frame.index].time_s
        assert np.array_equal(frame.bgr, whole[frame.index].bgr)


def test_pixels_are_those_of_the_default_conversion_and_grey_is_fixed_point(tmp_path):
    path = numbered_video(tmp_path / "clip.mp4", 3)
    with av.open(str(path)) as container:
        expected = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    with VideoFile(path) as video:
        for frame, bgr in zip(video, expected, strict=True):
            assert np.array_equal(frame.bgr, bgr)
            assert frame.bgr.flags.c_contiguous
            assert frame.bgr.flags.writeable
            blue, green, red = np.moveaxis(bgr.astype(np.int64), -1, 0)
            assert np.array_equal(frame.gray, (3735 * blue + 19235 * green + 9798 * red + 16384) >> 15)


def test_widths_that_ffmpeg_pads_are_delivered_without_padding(tmp_path):
    path = write_video(tmp_path / "odd.avi", [numbered_picture(i, 90, 50) for i in range(3)])
    with VideoFile(path) as video:
        assert all(f.bgr.shape == (50, 90, 3) and f.bgr.flags.c_contiguous for f in video)


def test_lossless_colours_survive(tmp_path):
    pictures = [numbered_picture(i) for i in range(4)]
    path = write_video(tmp_path / "clip.mkv", pictures, codec="ffv1", pixels="bgr0")
    with VideoFile(path) as video:
        for frame, picture in zip(video, pictures, strict=True):
            assert np.array_equal(frame.bgr, picture)


def test_variable_frame_rate_gives_the_containers_time_stamps(tmp_path):
    stamps = [0, 40, 55, 200, 210, 1000, 1040]
    path = write_video(
        tmp_path / "clip.mkv", [numbered_picture(i) for i in range(7)], codec="libx264", stamps_ms=stamps
    )
    with VideoFile(path) as video:
        assert [f.time_s for f in video] == pytest.approx([s / 1000 for s in stamps])
    with VideoFile(path, start_s=0.055, end_s=1.0) as video:
        assert numbers(video) == [(2, 2), (3, 3), (4, 4)]


def test_compat_counts_time_from_the_nominal_rate(tmp_path):
    stamps = [0, 40, 55, 200, 210, 1000, 1040]
    path = write_video(
        tmp_path / "clip.mkv", [numbered_picture(i) for i in range(7)], codec="libx264", stamps_ms=stamps
    )
    with VideoFile(path, compat="openface") as video:
        fps = video.info.fps
        assert [f.time_s for f in video] == [i * (1 / fps) for i in range(7)]


def test_fractional_rates_are_kept(tmp_path):
    path = numbered_video(tmp_path / "clip.mp4", 3, fps=Fraction(30000, 1001))
    with VideoFile(path) as video:
        assert video.info.fps == pytest.approx(30000 / 1001)


def test_time_starts_with_the_container_not_with_its_clock(tmp_path):
    """A transport stream's clock starts at 1.4 s."""
    with VideoFile(numbered_video(tmp_path / "clip.ts", 5, codec="libx264")) as video:
        assert next(iter(video)).time_s == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("rotation", "mirror", "turn", "degrees"),
    [
        (0, False, lambda p: p, 0),
        (-90, False, lambda p: np.rot90(p, -1), 90),
        (90, False, lambda p: np.rot90(p), 270),
        (180, False, lambda p: np.rot90(p, 2), 180),
        (0, True, lambda p: p[:, ::-1], 0),
    ],
)
def test_phone_videos_stand_upright(tmp_path, rotation, mirror, turn, degrees):
    path = numbered_video(tmp_path / "clip.mp4", 3, rotation=rotation, mirror=mirror)
    with VideoFile(path, compat="openface") as video:
        stored = [frame.bgr for frame in video]
        assert (video.info.width, video.info.height, video.info.rotation_deg) == (WIDTH, HEIGHT, 0)
    with VideoFile(path) as video:
        assert video.info.rotation_deg == degrees
        for frame, picture in zip(video, stored, strict=True):
            assert np.array_equal(frame.bgr, turn(picture))
            assert frame.bgr.flags.c_contiguous
            assert (video.info.height, video.info.width) == frame.gray.shape == frame.bgr.shape[:2]


def test_a_source_can_be_left_early_and_closed_twice(tmp_path):
    video = VideoFile(numbered_video(tmp_path / "clip.mp4", 10))
    for frame in video:
        if frame.index == 3:
            break
    video.close()
    video.close()


def test_iterating_twice_is_refused(tmp_path):
    with VideoFile(numbered_video(tmp_path / "clip.mp4", 3)) as video:
        list(video)
        with pytest.raises(SourceError, match="open it again"):
            list(video)


@pytest.mark.parametrize("bounds", [(-1.0, None), (2.0, 1.0), (1.0, 1.0), (float("nan"), None)])
def test_impossible_ranges_are_refused(tmp_path, bounds):
    path = numbered_video(tmp_path / "clip.mp4", 3)
    with pytest.raises(OptionError, match="start"):
        VideoFile(path, start_s=bounds[0], end_s=bounds[1])


def test_a_start_after_the_end_of_the_video_is_refused(tmp_path):
    with pytest.raises(SourceError, match="no frame at or after 9 s"):
        VideoFile(numbered_video(tmp_path / "clip.mp4", 10), start_s=9.0)


def test_a_change_of_picture_size_keeps_the_size_of_the_first_frame(tmp_path):
    small = numbered_video(tmp_path / "a.ts", 6, codec="libx264").read_bytes()
    large = write_video(
        tmp_path / "b.ts", [numbered_picture(i, 192, 128) for i in range(6)], codec="libx264"
    ).read_bytes()
    (tmp_path / "both.ts").write_bytes(small + large)
    with VideoFile(tmp_path / "both.ts") as video:
        shapes = {frame.bgr.shape for frame in video}
    assert shapes == {(HEIGHT, WIDTH, 3)}

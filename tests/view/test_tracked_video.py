"""Tracked videos: what goes in comes out, at its time; no half files."""

from __future__ import annotations

import av
import numpy as np
import pytest

from mien.errors import OptionError, OutputError
from mien.video.file import VideoFile
from mien.view.tracked_video import TrackedVideoWriter


def pictures(count=20, size=(48, 64)):
    """Brighter from one to the next."""
    return [np.full((*size, 3), 20 + 10 * i, np.uint8) for i in range(count)]


def write(path, *, fps=25.0, times=None, **options):
    with TrackedVideoWriter(path, fps=fps) as writer:
        for index, picture in enumerate(pictures(**options)):
            writer.append(picture, None if times is None else times[index])


def read(path):
    with VideoFile(path) as video:
        frames = list(video)
        assert video.lost == ""
        return video.info, frames


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov", "avi"])
def test_pictures_come_back_in_order_at_the_nominal_rate(tmp_path, suffix):
    write(tmp_path / f"t.{suffix}")
    info, frames = read(tmp_path / f"t.{suffix}")
    assert (info.width, info.height) == (64, 48)
    assert info.fps == pytest.approx(25)
    np.testing.assert_allclose([f.time_s for f in frames], np.arange(20) / 25, atol=1e-3)
    for index, frame in enumerate(frames):
        assert abs(frame.bgr.mean() - (20 + 10 * index)) < 4


def test_colours_come_back(tmp_path):
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:, :32], picture[:, 32:] = (200, 60, 30), (40, 90, 220)
    with TrackedVideoWriter(tmp_path / "t.mp4", fps=25) as writer:
        for _ in range(3):
            writer.append(picture)
    frame = read(tmp_path / "t.mp4")[1][1].bgr.astype(int)
    assert np.abs(frame[24, [10, 54]] - picture[24, [10, 54]]).max() <= 6


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_time_stamps_of_a_variable_rate_are_kept(tmp_path, suffix):
    times = np.append(0, np.cumsum(np.random.default_rng(0).uniform(0.01, 0.2, 19)))
    write(tmp_path / f"t.{suffix}", times=times)
    np.testing.assert_allclose([f.time_s for f in read(tmp_path / f"t.{suffix}")[1]], times, atol=1e-3)


def test_pictures_all_at_the_same_time_follow_at_the_nominal_rate(tmp_path):
    # as those of an image sequence do, which has no times
    write(tmp_path / "t.mp4", fps=0, times=np.zeros(20))
    info, frames = read(tmp_path / "t.mp4")
    assert info.fps == pytest.approx(30)
    np.testing.assert_allclose([f.time_s for f in frames], np.arange(20) / 30, atol=1e-3)


@pytest.mark.parametrize("fps", [0.0, -1.0, float("nan"), float("inf")])
def test_rates_that_make_no_sense_become_30(tmp_path, fps):
    write(tmp_path / "t.avi", fps=fps)
    assert read(tmp_path / "t.avi")[0].fps == pytest.approx(30)


def test_avi_has_the_code_of_openface(tmp_path):
    write(tmp_path / "t.avi")
    with av.open(str(tmp_path / "t.avi")) as container:
        assert container.streams.video[0].codec_context.codec_tag == "DIVX"


def test_mp4_is_h264_that_every_player_knows(tmp_path):
    write(tmp_path / "t.mp4")
    with av.open(str(tmp_path / "t.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
    data = (tmp_path / "t.mp4").read_bytes()
    # a browser can begin before it has all of the file
    assert data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("size", [(47, 64), (48, 63), (47, 63)])
def test_odd_sizes_get_one_more_row_or_column(tmp_path, size):
    write(tmp_path / "t.mp4", size=size)
    info, frames = read(tmp_path / "t.mp4")
    assert (info.height, info.width) == (48, 64)
    assert np.abs(frames[10].bgr.astype(int) - 120).max() <= 4


def test_without_pictures_no_file_is_written(tmp_path):
    TrackedVideoWriter(tmp_path / "t.mp4", fps=25).close()
    assert not list(tmp_path.iterdir())


def test_a_video_appears_when_it_is_complete(tmp_path):
    path = tmp_path / "new" / "t.mp4"
    writer = TrackedVideoWriter(path, fps=25)
    writer.append(pictures(1)[0])
    assert not path.exists()
    writer.close()
    writer.close()
    assert [p.name for p in path.parent.iterdir()] == ["t.mp4"]


def test_after_an_error_the_old_file_is_still_there(tmp_path):
    path = tmp_path / "t.mp4"
    path.write_bytes(b"old")

    def fail():
        with TrackedVideoWriter(path, fps=25) as writer:
            for picture in pictures(2):
                writer.append(picture)
            raise RuntimeError("the source ends in an error")

    with pytest.raises(RuntimeError, match="the source"):
        fail()
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_an_unfinished_video_may_be_kept_under_another_name(tmp_path):
    writer = TrackedVideoWriter(tmp_path / "t.mp4", fps=25)
    for picture in pictures():
        writer.append(picture)
    writer.close(tmp_path / "t.partial.mp4")
    assert [p.name for p in tmp_path.iterdir()] == ["t.partial.mp4"]
    assert len(read(tmp_path / "t.partial.mp4")[1]) == 20


@pytest.mark.parametrize(
    ("other", "shown"), [((64, 48), (48, 36)), ((24, 32), (48, 64)), ((48, 80), (38, 64))]
)
def test_pictures_of_another_shape_are_shown_whole_and_not_stretched(tmp_path, other, shown):
    with TrackedVideoWriter(tmp_path / "t.mkv", fps=25) as writer:
        for size in ((48, 64), other, (48, 64)):
            writer.append(np.full((*size, 3), 200, np.uint8))
    _, frames = read(tmp_path / "t.mkv")
    bright = [frame.bgr > 100 for frame in frames]
    assert all(part.all() for part in (bright[0], bright[2]))
    rows, columns = (np.flatnonzero(bright[1].any(axis=(axis, 2))) for axis in (1, 0))
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == pytest.approx(shown, abs=1)
    assert rows.min() + rows.max() == pytest.approx(47, abs=2)


def test_unknown_endings_and_impossible_places_are_refused(tmp_path):
    with pytest.raises(OptionError, match=r"\.mp4"):
        TrackedVideoWriter(tmp_path / "t.webm", fps=25)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="choose another place"):
        TrackedVideoWriter(tmp_path / "file" / "t.mp4", fps=25)

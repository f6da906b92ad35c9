"""Missing, empty, foreign, truncated and corrupt files."""

import os

import av
import numpy as np
import pytest

from mien.errors import SourceError
from mien.video.file import VideoFile
from synthetic_video import numbered_video, read_number

STREAMABLE = [
    pytest.param("clip.mp4", {"codec": "libx264", "options": {"movflags": "faststart"}}, id="mp4"),
    pytest.param("clip.avi", {"codec": "mpeg4"}, id="avi"),
    pytest.param("clip.mkv", {"codec": "libx264"}, id="mkv"),
]


def test_a_missing_file_is_named():
    with pytest.raises(SourceError, match=r"nowhere\.mp4: no such file"):
        VideoFile("nowhere.mp4")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(SourceError, match="is a folder"):
        VideoFile(tmp_path)


def test_an_empty_file_is_called_empty(tmp_path):
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(SourceError, match="is empty"):
        VideoFile(tmp_path / "empty.mp4")


@pytest.mark.parametrize("name", ["notes.txt", "notes.mp4", "notes.csv", "notes"])
def test_text_is_not_taken_for_a_video(tmp_path, name):
    (tmp_path / name).write_text("frame, time\n1, 0.0\n" * 200)
    with pytest.raises(SourceError, match="not a video"):
        VideoFile(tmp_path / name)


@pytest.mark.parametrize("name", ["random.mp4", "random.avi", "random"])
def test_random_bytes_are_not_taken_for_a_video(tmp_path, name):
    data = np.random.default_rng(5).integers(0, 256, 20000, dtype=np.uint8)
    (tmp_path / name).write_bytes(data.tobytes())
    with pytest.raises(SourceError, match=f"{name}"):
        VideoFile(tmp_path / name)


def test_a_picture_is_not_a_video(tmp_path):
    from PIL import Image

    Image.new("RGB", (64, 64)).save(tmp_path / "picture.png")
    with pytest.raises(SourceError, match="not a video"):
        VideoFile(tmp_path / "picture.png")


def test_sound_alone_is_not_a_video(tmp_path):
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        for packet in [*stream.encode(frame), *stream.encode()]:
            container.mux(packet)
    with pytest.raises(SourceError, match="holds no video, only audio"):
        VideoFile(path)


def test_a_play_list_does_not_reach_other_files(tmp_path):
    (tmp_path / "list.m3u8").write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://localhost:9/a.ts\n#EXT-X-ENDLIST\n"
    )
    with pytest.raises(SourceError):
        VideoFile(tmp_path / "list.m3u8")


@pytest.mark.parametrize(("name", "how"), STREAMABLE)
def test_a_truncated_file_is_delivered_up_to_the_cut(tmp_path, name, how):
    path = numbered_video(tmp_path / name, 60, **how)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with VideoFile(path) as video:
        read = [read_number(frame.bgr) for frame in video]
        assert 20 <= len(read) <= 40
        assert read[:-2] == list(range(len(read) - 2))
        assert "earlier than its header says" in video.lost


def test_a_file_without_its_index_says_that_it_may_be_incomplete(tmp_path):
    path = numbered_video(tmp_path / "clip.mp4", 60)
    path.write_bytes(path.read_bytes()[:20000])
    with pytest.raises(SourceError, match="may be incomplete"):
        VideoFile(path)


@pytest.mark.parametrize(("name", "how"), STREAMABLE)
def test_damage_in_the_middle_is_survived(tmp_path, name, how):
    path = numbered_video(tmp_path / name, 60, key_every=5, **how)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 6000] = bytes(6000)
    path.write_bytes(data)
    with VideoFile(path) as video:
        read = [read_number(frame.bgr) for frame in video]
        assert video.lost != ""
    assert read[:15] == list(range(15))
    assert read[-10:] == list(range(50, 60))


def test_damaged_packets_are_counted_and_skipped(tmp_path):
    """Motion JPEG: every packet is a picture of its own, so exactly the broken ones are missing."""
    path = numbered_video(tmp_path / "clip.avi", 30, codec="mjpeg", pixels="yuvj420p")
    with av.open(str(path)) as container:
        places = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    data = bytearray(path.read_bytes())
    for index in (10, 20):
        position, size = places[index]
        data[position : position + size] = bytes(size)
    path.write_bytes(data)
    with VideoFile(path) as video:
        frames = [(round(frame.time_s * 25), read_number(frame.bgr)) for frame in video]
        assert video.lost == "2 frames are missing after 0.36 s, after 0.76 s; 2 packets are damaged"
    assert frames == [(i, i) for i in range(30) if i not in (10, 20)]


def test_a_selection_is_not_blamed_for_what_comes_after_it(tmp_path):
    path = numbered_video(tmp_path / "clip.mp4", 60, options={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[:-8000])
    with VideoFile(path, end_s=1.0) as video:
        assert len(list(video)) == 25
        assert video.lost == ""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(SourceError, match="is a pipe or a device"):
        VideoFile(tmp_path / "pipe.mp4")

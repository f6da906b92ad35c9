"""Frames that vanish without an error are told; recordings with pauses, and whole ones, are not blamed."""

from __future__ import annotations

import random

import pytest

from mien.errors import SourceError
from mien.video.file import VideoFile
from mien.video.gaps import Gap, Ledger
from synthetic_video import numbered_picture, numbered_video, write_video

COUNT = 80
MISSING_END = "the end of the file is missing"
CONTAINERS = {
    "clip.mp4": {"codec": "libx264", "reorder": True, "options": {"movflags": "faststart"}},
    "fragments.mp4": {"codec": "libx264", "options": {"movflags": "frag_keyframe+empty_moov"}},
    "clip.mkv": {"codec": "libx264", "reorder": True},
    "vp8.webm": {"codec": "libvpx"},
    "vp9.webm": {"codec": "libvpx-vp9"},
    "clip.wmv": {"codec": "wmv2"},
    "clip.asf": {"codec": "mpeg4"},
    "clip.flv": {"codec": "flv"},
    "h264.flv": {"codec": "libx264", "reorder": True},
    "clip.avi": {"codec": "mpeg4"},
    "jpeg.avi": {"codec": "mjpeg", "pixels": "yuvj420p"},
}


@pytest.fixture(scope="module", params=CONTAINERS, ids=str)
def whole(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return numbered_video(folder / request.param, COUNT, **CONTAINERS[request.param])


def count(path, **options):
    try:
        with VideoFile(path, **options) as video:
            return sum(1 for _ in video), video.lost
    except SourceError as error:
        return COUNT, str(error)


def test_whole_videos_have_no_losses(whole):
    for options in ({}, {"compat": "openface"}):
        assert count(whole, **options) == (COUNT, "")
    assert count(whole, start_s=0.5, end_s=1.7)[1] == ""


def test_no_frame_is_lost_in_silence(whole, tmp_path):
    """Zeros, noise and cuts at many places: whenever frames are missing, it is said."""
    data = whole.read_bytes()
    chance = random.Random(whole.name)
    silent = []
    for trial in range(15):
        broken, place = bytearray(data), chance.randrange(3000, len(data) - 9000)
        length = chance.choice((300, 3000, 9000))
        if trial % 3 == 0:
            broken[place : place + length] = bytes(length)
        elif trial % 3 == 1:
            broken[place : place + length] = chance.randbytes(length)
        else:
            del broken[place : place + length]
        path = tmp_path / whole.name
        path.write_bytes(broken)
        frames, lost = count(path)
        if frames < COUNT and not lost:
            silent.append((trial, place, length, COUNT - frames))
    # damage that leaves every mark of the container intact can't be told from a pause: one in 15 at most
    assert len(silent) <= 1, silent


@pytest.mark.parametrize("share", [0.4, 0.7, 0.9])
def test_a_file_that_was_cut_off_says_so(whole, tmp_path, share):
    path = tmp_path / whole.name
    path.write_bytes(whole.read_bytes()[: int(share * whole.stat().st_size)])
    frames, lost = count(path)
    assert frames < COUNT
    assert any(words in lost for words in ("earlier than its header says", "the file announces", MISSING_END))


@pytest.mark.parametrize("missing", [10, 400, 2001])
def test_a_file_that_lacks_its_last_bytes_says_so(whole, tmp_path, missing):
    path = tmp_path / whole.name
    path.write_bytes(whole.read_bytes()[:-missing])
    frames, lost = count(path)
    assert frames == COUNT or lost
    if whole.suffix in (".mkv", ".wmv", ".asf") or whole.name == "fragments.mp4":
        assert lost


@pytest.mark.parametrize("name", ["clip.ts", "clip.m2ts"])
def test_a_transport_stream_that_ends_within_a_packet_says_so(tmp_path, name):
    path = numbered_video(tmp_path / name, COUNT, codec="mpeg2video")
    data = path.read_bytes()
    assert count(path) == (COUNT, "")
    path.write_bytes(data + bytes(100))  # what is no packet is no sign of a missing end
    assert count(path)[0] == COUNT
    assert MISSING_END not in count(path)[1]
    path.write_bytes(data[: len(data) // 2 + 50])
    frames, lost = count(path)
    assert frames < COUNT
    assert MISSING_END in lost


PAUSES = [i * 40 + 1500 * (i > 20) + 4000 * (i > 41) for i in range(60)]
JITTER = [i * 33 + (i % 7 == 0) * 9 + 33 * (i // 11) for i in range(60)]


@pytest.mark.parametrize("stamps", [PAUSES, JITTER], ids=["pauses", "jitter"])
@pytest.mark.parametrize("still", [True, False])
@pytest.mark.parametrize(
    "name", ["clip.mp4", "fragments.mp4", "clip.mkv", "vp8.webm", "clip.wmv", "h264.flv"]
)
def test_recordings_with_pauses_are_not_blamed(tmp_path, name, still, stamps):
    how = CONTAINERS[name]
    pictures = [numbered_picture(i // 15 if still else i) for i in range(len(stamps))]
    path = write_video(tmp_path / name, pictures, stamps_ms=stamps, **how)
    for options in ({}, {"compat": "openface"}, {"start_s": 0.3, "end_s": 2.5}):
        assert count(path, **options)[1] == ""


@pytest.mark.parametrize(
    ("name", "frames", "message"),
    [
        ("silent_webm_0_15000.webm", 103, "17 frames are missing after 2.28 s"),
        ("silent_wmv_0_15000.wmv", 113, "7 frames are missing after 3.32 s"),
    ],
)
def test_known_cases(data_dir, name, frames, message):
    for options in ({}, {"compat": "openface"}):
        assert count(data_dir / "cases" / "damage" / name, **options) == (frames, message)
    assert count(data_dir / "cases" / "damage" / name, end_s=2.0)[1] == ""


class Packet:
    """What a ledger looks at."""

    is_discard = False

    def __init__(self, pts, pos, size=1000, corrupt=False):
        self.pts, self.dts, self.pos, self.size = pts, pts, pos, size
        self.is_corrupt, self.is_keyframe = corrupt, pts == 0


def ledger(stamps, shown=None, skip_bytes_at=None, sizes=None):
    kept, place = Ledger("matroska,webm"), 500
    for number, stamp in enumerate(stamps):
        size = sizes[number] if sizes else 1000
        place += 20000 if stamp == skip_bytes_at else 0
        kept.packet(Packet(stamp, place, size), own=True)
        place += size + 7
    for stamp in stamps if shown is None else shown:
        kept.frame(stamp)
    return kept


REGULAR = list(range(0, 2000, 40))


def test_a_pause_alone_is_no_loss_but_one_with_unread_bytes_is():
    stamps = [stamp for stamp in REGULAR if not 600 < stamp < 1000]
    assert ledger(stamps).gaps(ended=True) == []
    assert ledger(stamps, skip_bytes_at=1000).gaps(ended=True) == [Gap(600, 1000, 9)]


def test_packets_without_a_picture_are_losses_at_the_start_between_and_at_the_end():
    shown = [stamp for stamp in REGULAR if 80 <= stamp <= 1800 and stamp not in (600, 640)]
    found = ledger(REGULAR, shown).gaps(ended=True)
    assert found == [Gap(None, 80, 2), Gap(560, 680, 2), Gap(1800, None, 4)]
    assert ledger(REGULAR, shown).gaps(ended=False) == found[:-1]


def test_tiny_packets_only_repeat_the_picture_before():
    shown = [stamp for stamp in REGULAR if stamp not in (600, 640)]
    sizes = [7 if stamp in (600, 640) else 1000 for stamp in REGULAR]
    assert ledger(REGULAR, shown, sizes=sizes).gaps(ended=True) == []

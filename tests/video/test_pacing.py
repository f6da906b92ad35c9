"""A recording at its own pace, on a clock that only waiting moves."""

import numpy as np
import pytest

from mien.datatypes import Frame
from mien.video.file import VideoFile
from mien.video.pacing import RealTime
from synthetic_video import numbered_video, read_number


class Clock:
    def __init__(self):
        self.now, self.waits = 100.0, []

    def __call__(self):
        return self.now

    def wait(self, seconds):
        self.waits.append(seconds)
        self.now += seconds


class Recorded:
    info, lost = "info", "something"

    def __init__(self, times, clock=None, work_s=0.0):
        self.times, self.clock, self.work_s = times, clock, work_s

    def __iter__(self):
        blank = np.zeros((2, 2, 3), np.uint8)
        for index, time_s in enumerate(self.times):
            if self.clock and index:
                self.clock.now += self.work_s
            yield Frame(index, time_s, blank, blank[:, :, 0])


def test_frames_come_at_their_time_stamps_whatever_they_are():
    clock, times = Clock(), [2.0, 2.1, 2.5, 2.52]
    paced = RealTime(Recorded(times), clock=clock, wait=clock.wait)
    moments = [clock.now for _ in paced]
    assert moments == pytest.approx([100.0, 100.1, 100.5, 100.52])


def test_time_spent_on_decoding_is_not_waited_for_again():
    clock = Clock()
    paced = RealTime(Recorded([0.0, 0.1, 0.2], clock, work_s=0.04), clock=clock, wait=clock.wait)
    for _ in paced:
        pass
    assert clock.waits == pytest.approx([0.06, 0.06])


def test_a_late_frame_comes_at_once_and_counts_as_captured_when_it_was_due():
    clock = Clock()
    paced = RealTime(Recorded([0.0, 0.1], clock, work_s=0.3), clock=clock, wait=clock.wait)
    frames = list(paced)
    assert clock.waits == []
    assert clock.now == pytest.approx(100.3)
    assert [paced.captured_s(frame) for frame in frames] == pytest.approx([100.0, 100.1])


def test_it_can_be_closed_while_it_waits():
    clock = Clock()
    paced = RealTime(Recorded([0.0, 0.1, 0.2]), clock=clock, wait=lambda seconds: paced.close())
    assert [frame.index for frame in paced] == [0]


def test_a_real_file_loses_no_frame(tmp_path):
    clock = Clock()
    with VideoFile(numbered_video(tmp_path / "v.mp4", 20)) as video:
        paced = RealTime(video, clock=clock, wait=clock.wait)
        assert (paced.info, paced.lost) == (video.info, "")
        assert [read_number(frame.bgr) for frame in paced] == list(range(20))
    assert clock.now == pytest.approx(100 + 19 / 25, abs=1e-3)

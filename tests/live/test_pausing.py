"""Pauses: a file stays where it is, a camera is released; time and numbers go on as they should."""

import threading
from itertools import pairwise

import av
import numpy as np
import pytest

from mien.datatypes import Frame
from mien.errors import SourceError
from mien.live.pausing import PausableCamera, PausableClock, PausableFile
from mien.video.camera import CameraDevice, CameraSource
from mien.video.pacing import RealTime


class Time:
    """A clock that is set by hand."""

    now_s = 100.0

    def __call__(self):
        return self.now_s


def frame(index, time_s=None):
    gray = np.zeros((4, 4), np.uint8)
    return Frame(index, index / 30 if time_s is None else time_s, np.zeros((4, 4, 3), np.uint8), gray)


def test_no_time_passes_during_a_pause():
    time = Time()
    clock = PausableClock(time)
    assert clock.now() == 100
    clock.pause()
    time.now_s = 107
    assert clock.now() == 100
    clock.pause()
    clock.resume()
    clock.resume()
    time.now_s = 108
    assert clock.now() == 101
    assert clock.real(101) == 108


def test_waiting_lasts_as_long_as_the_pause_and_ends_when_it_is_closed():
    clock = PausableClock()
    clock.pause()
    passed = threading.Event()
    waiting = threading.Thread(target=lambda: (clock.wait(), passed.set()), daemon=True)
    waiting.start()
    assert not passed.wait(0.05)
    clock.resume()
    assert passed.wait(60)
    clock.pause()
    closing = threading.Thread(target=lambda: clock.wait(1000), daemon=True)
    closing.start()
    clock.close()
    closing.join(60)
    assert not closing.is_alive()


class Recorded:
    """A recorded source."""

    def __init__(self, count):
        self.frames = [frame(index) for index in range(count)]

    def __iter__(self):
        return iter(self.frames)


def test_a_file_goes_on_where_it_was_and_none_of_its_frames_is_late():
    clock = PausableClock()
    source = PausableFile(RealTime(Recorded(6), clock=clock.now, wait=clock.wait), clock)
    frames = iter(source)
    assert [next(frames).index for _ in range(2)] == [0, 1]
    source.pause()
    got = []
    rest = threading.Thread(target=lambda: got.extend(frames), daemon=True)
    rest.start()
    rest.join(0.3)
    assert got == []
    before_s = clock.now()
    source.resume()
    rest.join(60)
    assert [each.index for each in got] == [2, 3, 4, 5]
    # the four frames took their own time, not that of the pause
    assert clock.now() - before_s >= 3 / 30 - 0.01
    assert source.captured_s(got[-1]) > source.captured_s(got[0])


def test_a_paused_file_can_be_closed():
    clock = PausableClock()
    source = PausableFile(RealTime(Recorded(600), clock=clock.now, wait=clock.wait), clock)
    frames = iter(source)
    next(frames)
    source.pause()
    rest = threading.Thread(target=lambda: list(frames), daemon=True)
    rest.start()
    source.close()
    rest.join(60)
    assert not rest.is_alive()


class FakeCamera:
    """Delivers a frame whenever it is told to; its time begins at 0 whenever it is opened."""

    opened = 0

    def __init__(self, begin_s):
        type(self).opened += 1
        self.begin_s, self.closed, self.more = begin_s, False, threading.Semaphore(0)

    def __iter__(self):
        index = 0
        while True:
            assert self.more.acquire(timeout=60)
            if self.closed:
                return
            yield frame(index, 0.1 * (index + 1))
            index += 1

    def captured_s(self, item):
        return self.begin_s + item.time_s

    def close(self):
        self.closed = True
        self.more.release()


def test_a_camera_is_released_opened_again_and_its_frames_are_counted_on():
    cameras = [FakeCamera(100.0), FakeCamera(200.0)]
    source = PausableCamera(cameras[0], lambda: cameras[1])
    for camera in cameras:
        camera.more.release()
    frames = iter(source)
    first = next(frames)
    source.pause()
    assert cameras[0].closed
    source.resume()
    second = next(frames)
    assert [(each.index, round(each.time_s, 6)) for each in (first, second)] == [(0, 0.1), (1, 100.1)]
    assert source.captured_s(second) == pytest.approx(200.1)
    source.close()
    assert list(frames) == []
    assert cameras[1].closed


def test_a_paused_camera_can_be_closed_and_is_not_opened_again():
    camera = FakeCamera(0.0)
    source = PausableCamera(camera, lambda: pytest.fail("opened again"))
    source.pause()
    rest = threading.Thread(target=lambda: list(source), daemon=True)
    rest.start()
    source.close()
    rest.join(60)
    assert not rest.is_alive()


def test_a_camera_that_is_gone_after_a_pause_is_an_error():
    def gone():
        raise SourceError("unplugged")

    camera = FakeCamera(0.0)
    camera.more.release()
    source = PausableCamera(camera, gone)
    frames = iter(source)
    next(frames)
    source.pause()
    source.resume()
    with pytest.raises(SourceError, match="unplugged"):
        next(frames)


@pytest.mark.skipif("lavfi" not in av.formats_available, reason="this FFmpeg draws no test picture")
def test_a_real_device_is_released_and_opened_again():
    device = CameraDevice("lavfi", "testsrc=size=64x48:rate=200")
    source = PausableCamera(CameraSource(device), lambda: CameraSource(device))
    got = []
    delivered, again = threading.Event(), threading.Event()

    def run():
        for item in source:
            got.append(item)
            (again if source_was_paused.is_set() else delivered).set()

    source_was_paused = threading.Event()
    running = threading.Thread(target=run, daemon=True)
    running.start()
    assert delivered.wait(60)
    source.pause()
    source_was_paused.set()
    source.resume()
    assert again.wait(60)
    source.close()
    running.join(60)
    assert not running.is_alive()
    assert [item.index for item in got] == list(range(len(got)))
    assert all(one.time_s < other.time_s for one, other in pairwise(got))
    assert got[0].bgr.shape == (48, 64, 3)

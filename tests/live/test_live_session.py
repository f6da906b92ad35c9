"""Capture, mailbox and analysis together: tiny stages, and sources that wait for events, never for time."""

import threading

import numpy as np
import pytest

from mien.datatypes import Frame
from mien.errors import FrameError, SourceError
from mien.live.session import LiveAnalysis
from simple_stages import CountingTracker, SummingAnalyzer, stages


def frame(index):
    grey = np.full((48, 64), index % 256, np.uint8)
    return Frame(index, index / 30, np.repeat(grey[:, :, None], 3, axis=2), grey)


class Source:
    """Delivers what it is told to; a frame is captured at its own time."""

    def __init__(self, frames, *, before=lambda index: None, error=None):
        self.frames, self.before, self.error = frames, before, error
        self.closed = threading.Event()

    def __iter__(self):
        for item in self.frames:
            self.before(item.index)
            if self.closed.is_set():
                return
            yield item
        if self.error:
            raise self.error

    def captured_s(self, item):
        return item.time_s

    def close(self):
        self.closed.set()


class StepByStep:
    """Lets the source deliver frame n when result n - 1 has been seen."""

    def __init__(self):
        self.seen = threading.Semaphore(1)

    def __call__(self, index):
        assert self.seen.acquire(timeout=120)


def test_a_slow_source_loses_nothing():
    steps = StepByStep()
    analysis = LiveAnalysis(Source([frame(i) for i in range(6)], before=steps), stages(), first=frame(0))
    results = []
    for result in analysis:
        results.append(result)
        steps.seen.release()
    assert [result.face.frame for result in results] == list(range(6))
    assert all(result.dropped == 0 for result in results)


def test_a_fast_source_is_thinned_out_to_the_latest_frame():
    captured = threading.Event()

    class All(Source):
        def __iter__(self):
            yield from super().__iter__()
            captured.set()

    class SlowStart(CountingTracker):
        def track(self, item):
            if item.index != 99:
                assert captured.wait(120)
            return super().track(item)

    source = All([frame(i) for i in range(40)])
    # Getting ready, with picture 99, does not wait.
    results = list(LiveAnalysis(source, stages(SlowStart()), first=frame(99)))
    frames = [result.face.frame for result in results]
    assert frames[-1] == 39
    assert len(frames) <= 2
    assert len(frames) + results[-1].dropped == 40


def test_latency_is_counted_from_the_capture():
    steps = StepByStep()
    source = Source([frame(i) for i in range(3)], before=steps)
    analysis = LiveAnalysis(source, stages(), first=frame(0), clock=lambda: 1.0)
    latencies = []
    for result in analysis:
        latencies.append(result.latency_s)
        steps.seen.release()
    assert latencies == pytest.approx([1.0, 1 - 1 / 30, 1 - 2 / 30])
    assert analysis.statistics.summary().frames == 3


def test_what_got_the_stages_ready_leaves_no_trace():
    steps = StepByStep()
    analyzer = SummingAnalyzer()
    source = Source([frame(i) for i in range(4)], before=steps)
    for _ in LiveAnalysis(source, stages(analyzer=analyzer), first=frame(200)):
        steps.seen.release()
    assert len(analyzer.rows) == 4


def test_a_camera_gets_the_stages_ready_with_its_first_frame_and_drops_nothing_that_counts():
    ready = threading.Event()
    tracker = CountingTracker()

    def before(index):
        if index == 1:  # the first frame is being used to get ready
            assert ready.wait(120)

    track = tracker.track

    def tracking(item):
        ready.set()
        return track(item)

    tracker.track = tracking
    results = list(LiveAnalysis(Source([frame(i) for i in range(2)], before=before), stages(tracker)))
    assert [result.face.frame for result in results] == [1]
    assert results[0].dropped == 0


def test_an_error_of_the_source_arrives_after_its_frames():
    steps = StepByStep()
    source = Source([frame(i) for i in range(2)], before=steps, error=SourceError("unplugged"))
    results = iter(LiveAnalysis(source, stages(), first=frame(0)))
    for index in range(2):
        assert next(results).face.frame == index
        steps.seen.release()
    with pytest.raises(SourceError, match="unplugged"):
        next(results)


def test_an_error_of_a_stage_names_the_frame_and_ends_the_capture():
    source = Source([frame(0)])
    with pytest.raises(FrameError, match="frame 0"):
        list(LiveAnalysis(source, stages(CountingTracker(fail_at=0)), first=frame(9)))
    assert source.closed.is_set()


def test_it_can_be_stopped_while_it_waits_for_a_frame():
    delivered = threading.Event()

    def before(index):
        if index == 1:
            delivered.set()
            source.closed.wait(120)

    source = Source([frame(i) for i in range(3)], before=before)
    analysis = LiveAnalysis(source, stages(), first=frame(0))
    stopper = threading.Thread(target=lambda: (delivered.wait(120), analysis.stop()))
    stopper.start()
    frames = [result.face.frame for result in analysis]
    stopper.join()
    assert frames in ([0], [])
    assert source.closed.is_set()

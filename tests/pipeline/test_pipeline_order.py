"""Order, threads, failures and clean-up of the pipeline, with small stages of the test's own."""

import threading
import time

import numpy as np
import pytest

from mien.datatypes import Frame
from mien.errors import FrameError, OptionError, SourceError
from mien.pipeline import Pipeline
from simple_stages import CountingTracker, SummingAnalyzer, stages


def frames(count, log=None):
    try:
        for i in range(count):
            yield Frame(i, i / 25, np.full((4, 4, 3), i, np.uint8), np.full((4, 4), i, np.uint8))
    finally:
        if log is not None:
            log.append("closed")


def summary(results):
    return [
        (r.frame, r.time_s, r.landmarks.points[0, 0], r.pose.translation_mm[0], r.action_units.intensity[0])
        for r in results
    ]


def drain(run):
    """Frame numbers until the end or the first error, and the error."""
    seen = []
    try:
        seen.extend(result.frame for result in run)
    except Exception as error:
        return seen, error
    return seen, None


@pytest.mark.parametrize("threads", [2, 3, 8])
def test_results_are_the_same_for_any_number_of_threads(threads):
    expected = summary(Pipeline(stages(analyzer=SummingAnalyzer())).run(frames(200)))
    assert [row[0] for row in expected] == list(range(200))
    assert summary(Pipeline(stages(analyzer=SummingAnalyzer()), threads=threads).run(frames(200))) == expected


def test_one_thread_means_the_callers_thread():
    tracker = CountingTracker()
    list(Pipeline(stages(tracker)).run(frames(5)))
    assert tracker.threads == {threading.current_thread().name}


def test_tracking_and_analysis_overlap():
    """The analysis of a frame waits for the tracking of the next one: only possible if both run at once."""
    tracked = [threading.Event() for _ in range(6)]

    class Signalling(CountingTracker):
        def track(self, frame):
            tracked[frame.index].set()
            return super().track(frame)

    class Waiting(SummingAnalyzer):
        def analyze(self, face, frame):
            assert frame.index == 5 or tracked[frame.index + 1].wait(120)
            return super().analyze(face, frame)

    assert len(list(Pipeline(stages(Signalling(), Waiting()), threads=2).run(frames(6)))) == 6


@pytest.mark.parametrize("threads", [2, 3])
def test_no_more_work_at_once_than_asked_for(threads):
    lock, working, most = threading.Lock(), [0], [0]

    def work():
        with lock:
            working[0] += 1
            most[0] = max(most[0], working[0])
        time.sleep(0.002)
        with lock:
            working[0] -= 1

    def slow_frames():
        for frame in frames(20):
            work()
            yield frame

    class SlowTracker(CountingTracker):
        def track(self, frame):
            work()
            return super().track(frame)

    class SlowAnalyzer(SummingAnalyzer):
        def analyze(self, face, frame):
            work()
            return super().analyze(face, frame)

    list(Pipeline(stages(SlowTracker(), SlowAnalyzer()), threads=threads).run(slow_frames()))
    assert most[0] <= threads


@pytest.mark.parametrize("threads", [1, 3])
def test_the_results_before_a_failing_frame_are_delivered(threads):
    for failing in (stages(CountingTracker(fail_at=7)), stages(analyzer=SummingAnalyzer(fail_at=7))):
        log = []
        seen, error = drain(Pipeline(failing, threads=threads).run(frames(50, log)))
        assert seen == list(range(7))
        assert isinstance(error, FrameError)
        assert "frame 7 (at 0.280 s)" in str(error)
        assert isinstance(error.__cause__, (ZeroDivisionError, ValueError))
        assert log == ["closed"]


@pytest.mark.parametrize("threads", [1, 3])
def test_an_unreadable_source_keeps_its_own_error(threads):
    def breaking():
        yield from frames(3)
        raise SourceError("the disk is gone")

    seen, error = drain(Pipeline(stages(), threads=threads).run(breaking()))
    assert seen == [0, 1, 2]
    assert isinstance(error, SourceError)


@pytest.mark.parametrize("threads", [1, 3])
def test_leaving_early_closes_the_source_and_ends_the_threads(threads):
    log, before = [], set(threading.enumerate())
    run = Pipeline(stages(), threads=threads).run(frames(1000, log))
    next(run)
    run.close()
    assert log == ["closed"]
    assert not [t for t in set(threading.enumerate()) - before if t.name.startswith("mien-")]


def test_memory_does_not_grow_with_the_video():
    """A consumer that stands still holds back the source."""
    taken = []

    def counted():
        for frame in frames(1000):
            taken.append(frame.index)
            yield frame

    run = Pipeline(stages(), threads=3).run(counted())
    next(run)
    time.sleep(0.1)
    assert len(taken) < 12
    run.close()


def test_a_second_run_starts_afresh():
    pipeline = Pipeline(stages(analyzer=SummingAnalyzer()))
    first = summary(pipeline.run(frames(20)))
    assert summary(pipeline.run(frames(20))) == first
    assert pipeline.finish().intensity.shape == (20, 17)


def test_switched_off_stages_give_none():
    pipeline = Pipeline(stages(gaze=False))
    (result,) = pipeline.run(frames(1))
    assert result.gaze is None
    assert result.action_units is None
    assert pipeline.finish() is None


def test_an_empty_source_gives_nothing():
    assert list(Pipeline(stages(), threads=2).run(frames(0))) == []


def test_fewer_than_one_thread_is_refused():
    with pytest.raises(OptionError, match="at least 1 thread"):
        Pipeline(stages(), threads=0)

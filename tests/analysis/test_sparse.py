"""Every Nth frame is analysed; the ones between are interpolated from both sides."""

import dataclasses

import numpy as np
import pytest

from mien.analysis.sparse import SparsePipeline
from mien.datatypes import ActionUnits, ActionUnitSeries, Frame, TrackedFace
from mien.errors import OptionError
from mien.options import AnalysisOptions
from mien.pipeline import Pipeline
from simple_stages import CountingTracker, stages


class MovingTracker(CountingTracker):
    """The face is at x = frame, turns by a quarter of a radian per frame, and may fail."""

    def __init__(self, failing=()):
        super().__init__()
        self.failing, self.seen = failing, []

    def track(self, frame):
        self.seen.append(frame.index)
        (face,) = super().track(frame)
        place = np.zeros(6, np.float32)
        place[2] = (0.25 * frame.index + np.pi) % (2 * np.pi) - np.pi
        good = frame.index not in self.failing
        points = np.full((68, 2), frame.index, np.float32)
        landmarks = dataclasses.replace(
            face.landmarks, points=points, global_params=place, valid=good, success=good
        )
        return (TrackedFace(0, landmarks),)


class Units:
    """Intensity grows with the frame; presence is on from frame 5."""

    def reset(self):
        self.frames = []

    def analyze(self, face, frame):
        self.frames.append(frame.index)
        return ActionUnits(np.full(17, float(frame.index)), np.full(18, float(frame.index >= 5)))

    def finish(self):
        rows = np.array(self.frames, float)
        return ActionUnitSeries(
            np.repeat(rows[:, None], 17, 1), np.repeat((rows[:, None] >= 5).astype(float), 18, 1)
        )


def frames(count):
    for i in range(count):
        yield Frame(i, i / 10, np.zeros((48, 64, 3), np.uint8), np.zeros((48, 64), np.uint8))


def run(count, every, failing=(), threads=1):
    tracker = MovingTracker(failing)
    pipeline = SparsePipeline(Pipeline(stages(tracker, Units()), threads=threads), every)
    return tracker, list(pipeline.run(frames(count))), pipeline.finish()


@pytest.mark.parametrize("threads", [1, 3])
def test_only_every_nth_frame_is_tracked_and_all_are_delivered(threads):
    tracker, results, series = run(10, 3, threads=threads)
    assert tracker.seen == [0, 3, 6, 9]
    assert [r.frame for r in results] == list(range(10))
    assert [r.time_s for r in results] == [i / 10 for i in range(10)]
    assert len(series.intensity) == 10


def test_linear_motion_is_interpolated_exactly():
    _, results, series = run(31, 3)
    np.testing.assert_allclose([r.landmarks.points[0, 0] for r in results], np.arange(31), atol=1e-5)
    np.testing.assert_allclose(series.intensity[:, 0], np.arange(31))
    np.testing.assert_allclose([r.action_units.intensity[0] for r in results], np.arange(31))
    assert all(r.landmarks.points.dtype == np.float32 for r in results)


def test_angles_take_the_shorter_way():
    _, results, _ = run(31, 3)
    angles = np.unwrap([float(r.landmarks.global_params[2]) for r in results])
    np.testing.assert_allclose(angles, 0.25 * np.arange(31), atol=1e-5)


def test_presence_is_that_of_the_nearer_frame():
    _, results, series = run(10, 3)
    expected = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    assert series.presence[:, 0].tolist() == expected
    assert [r.action_units.presence[0] for r in results] == expected


def test_next_to_a_failed_frame_nothing_is_interpolated():
    _, results, series = run(7, 3, failing=(3,))
    assert [r.landmarks.points[0, 0] for r in results] == [0, 0, 3, 3, 3, 6, 6]
    assert [r.landmarks.valid for r in results] == [True, True, False, False, False, True, True]
    assert series.intensity[:, 0].tolist() == [0, 0, 3, 3, 3, 6, 6]


def test_frames_after_the_last_analysed_one_repeat_it():
    _, results, series = run(9, 3)
    assert [r.landmarks.points[0, 0] for r in results[6:]] == [6, 6, 6]
    assert series.intensity[6:, 0].tolist() == [6, 6, 6]


def test_a_run_that_is_left_early_can_be_finished():
    pipeline = SparsePipeline(Pipeline(stages(MovingTracker(), Units())), 4)
    results = pipeline.run(frames(20))
    taken = [next(results) for _ in range(7)]
    results.close()
    assert len(pipeline.finish().intensity) == len(taken)


def test_options_name_what_is_approximated():
    assert AnalysisOptions().approximations == ()
    options = AnalysisOptions(every=2, fast=True, skip=("gaze",))
    assert options.approximations == ("every 2", "fast", "skip gaze")
    for wrong in ({"every": 0}, {"skip": ("eyes",)}, {"every": 2, "keep_scores": True}):
        with pytest.raises(OptionError):
            AnalysisOptions(**wrong)

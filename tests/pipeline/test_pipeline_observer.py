"""Somebody may watch what goes through the pipeline."""

from __future__ import annotations

import numpy as np
import pytest

from mien.datatypes import Frame
from mien.errors import OutputError
from mien.pipeline import Pipeline
from simple_stages import SummingAnalyzer, stages


def frames(count):
    for i in range(count):
        yield Frame(i, i / 25, np.full((4, 4, 3), i, np.uint8), np.full((4, 4), i, np.uint8))


@pytest.mark.parametrize("threads", [1, 3])
def test_every_frame_is_seen_with_its_faces_before_they_are_delivered(threads):
    seen = []
    pipeline = Pipeline(
        stages(analyzer=SummingAnalyzer()), threads=threads, observe=lambda *what: seen.append(what)
    )
    for count, result in enumerate(pipeline.run(frames(5)), start=1):
        assert len(seen) == count
        frame, faces, appearances = seen[-1]
        assert frame.bgr[0, 0, 0] == frame.index == result.frame
        assert faces == [result]
        assert appearances == [frame]
    assert len(seen) == 5


def test_models_without_appearance_give_none():
    seen = []
    for analyzer in (None, SummingAnalyzer()):
        without = stages(analyzer=analyzer, appearance=False)
        list(Pipeline(without, observe=lambda *what: seen.append(what)).run(frames(1)))
    assert [appearances for _, _, appearances in seen] == [[None], [None]]


@pytest.mark.parametrize("threads", [1, 3])
def test_an_observer_that_fails_ends_the_run_with_its_own_error(threads):
    def fail(frame, faces, appearances):
        if frame.index == 2:
            raise OutputError("disk full")

    delivered = []

    def run():
        for result in Pipeline(stages(), threads=threads, observe=fail).run(frames(5)):
            delivered.append(result.frame)  # noqa: PERF401, what was delivered before the error counts

    with pytest.raises(OutputError, match="disk full"):
        run()
    assert delivered == [0, 1]

"""The live analysis itself: capture in one thread, analysis in another, a mailbox between them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from mien.datatypes import FaceResult, Frame
from mien.live.mailbox import Mailbox
from mien.live.statistics import LiveStatistics
from mien.pipeline import Pipeline
from mien.stages import Stages

_JOIN_S = 5.0
_TO_GET_READY = 2


class LiveSource(Protocol):
    """A source that delivers frames at their own time, whether or not anybody is ready for them."""

    def __iter__(self) -> Iterator[Frame]:
        """Deliver the frames."""
        ...

    def captured_s(self, frame: Frame) -> float:
        """When a frame was captured, on `time.perf_counter`."""
        ...

    def close(self) -> None:
        """End the delivery, from any thread."""
        ...


@dataclass(frozen=True, slots=True)
class LiveFace:
    """The result of a frame, and how the analysis keeps up.

    Attributes
    ----------
    face
        The result, with live action units. ``face.frame`` counts all captured frames: it leaves gaps where
        frames were dropped.
    latency_s
        Time from the capture of the frame to its result.
    dropped
        Frames dropped since the start.
    fps
        Results per second over about the last second; NaN at first.
    frame
        The frame itself.
    captured_s
        When it was captured, on the clock of its source.
    """

    face: FaceResult
    latency_s: float
    dropped: int
    fps: float
    frame: Frame | None = None
    captured_s: float = float("nan")


class LiveAnalysis:
    """Analyses what a camera shows now: iterate it.

    Between capture and analysis lies one slot. While a frame is analysed, later ones replace one another
    there, so that the next one analysed is always the latest: frames are dropped, and counted, rather than
    queued. A frame is analysed by one thread from begin to end, which takes the least time per frame.

    Parameters
    ----------
    source
        Where frames come from. Only the capturing thread touches it while the analysis is iterated.
    stages
        The stages of the analysis, ready to run.
    first
        A picture of the source to get ready with, before the source is started: models and kernels are
        loaded, and a face that is in it is found, which takes longer than to follow it. Action units forget
        it. None takes the source's first one, and does not count what it drops meanwhile.
    clock
        The clock of ``source``.

    Attributes
    ----------
    statistics : LiveStatistics
        What has been reached so far.
    """

    def __init__(
        self,
        source: LiveSource,
        stages: Stages,
        *,
        first: Frame | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._source = source
        self._pipeline = Pipeline(stages, threads=1)
        self._action_units = stages.action_units
        self._first = first
        self._clock = clock
        self._mailbox: Mailbox[Frame] = Mailbox()
        self._captured_s = 0.0
        self._frame: Frame | None = None
        self.statistics = LiveStatistics()

    def __iter__(self) -> Generator[LiveFace, None, None]:
        """Deliver results until the source ends or `stop` is called.

        Raises
        ------
        SourceError
            The source has failed.
        FrameError
            A stage failed on a frame.
        """
        capturing = threading.Thread(target=self._capture, name="mien-capture", daemon=True)
        try:
            with closing(self._pipeline.run(self._frames(capturing))) as results:
                for _ in islice(results, _TO_GET_READY):
                    pass
                for face in results:
                    yield self._measured(face)
        finally:
            self.stop()
            if capturing.ident is not None:
                capturing.join(_JOIN_S)

    def stop(self) -> None:
        """End the analysis after the frame at hand; from any thread or a signal handler."""
        self._source.close()
        self._mailbox.close()

    def _capture(self) -> None:
        try:
            for frame in self._source:
                if not self._mailbox.put(frame):
                    break
        except BaseException as error:
            self._mailbox.close(error)
        else:
            self._mailbox.close()

    def _frames(self, capturing: threading.Thread) -> Iterator[Frame]:
        """One picture several times, whose results nobody sees, then what is captured."""
        first = self._first
        if first is None:
            capturing.start()
            first = self._mailbox.take()
            if first is None:
                return
        for _ in range(_TO_GET_READY):
            yield first
        if self._action_units is not None:
            self._action_units.reset()
        if self._first is None:
            self._mailbox.forget()
        else:
            capturing.start()
        for frame in self._mailbox:
            self._captured_s, self._frame = self._source.captured_s(frame), frame
            yield frame

    def _measured(self, face: FaceResult) -> LiveFace:
        now_s = self._clock()
        latency_s, dropped = now_s - self._captured_s, self._mailbox.dropped
        self.statistics.add(now_s, latency_s, dropped)
        return LiveFace(face, latency_s, dropped, self.statistics.fps, self._frame, self._captured_s)

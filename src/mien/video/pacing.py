"""A recorded video delivered as a camera would: every frame at its time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from mien.datatypes import Frame
from mien.video.source import FrameSource, SourceInfo


class RealTime(FrameSource):
    """Delivers the frames of a recorded source at the pace of their time stamps.

    The clock starts when the first frame is asked for. A frame that could not be decoded in time comes late;
    none is left out here.

    Parameters
    ----------
    source
        What is delivered.
    clock
        Seconds of a monotonic clock.
    wait
        Waits for some seconds, or until the source is closed; by default an interruptible sleep.
    """

    def __init__(
        self,
        source: FrameSource,
        *,
        clock: Callable[[], float] = time.perf_counter,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self._source = source
        self._clock = clock
        self._closed = threading.Event()
        self._wait = wait or self._closed.wait
        self._origin_s = float("nan")

    @property
    def info(self) -> SourceInfo:
        """As the recorded source has it."""
        return self._source.info

    @property
    def lost(self) -> str:
        """As the recorded source has it."""
        return self._source.lost

    @property
    def notes(self) -> tuple[str, ...]:
        """As the recorded source has it."""
        return self._source.notes

    def captured_s(self, frame: Frame) -> float:
        """When the frame was due, on ``clock``."""
        return self._origin_s + frame.time_s

    def __iter__(self) -> Iterator[Frame]:
        """Deliver the frames."""
        for index, frame in enumerate(self._source):
            if index == 0:
                self._origin_s = self._clock() - frame.time_s
            early_s = self.captured_s(frame) - self._clock()
            if early_s > 0:
                self._wait(early_s)
            if self._closed.is_set():
                return
            yield frame

    def close(self) -> None:
        """End the delivery, also from another thread; the recorded source is left to whoever opened it."""
        self._closed.set()

"""Sources that can be paused: a file stays where it is, a camera is released meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from mien.datatypes import Frame
from mien.live.session import LiveSource


class PausableClock:
    """Seconds that do not pass during a pause.

    Parameters
    ----------
    clock
        Seconds of a monotonic clock that always runs.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        # re-entrant: a signal handler may close it while its own thread waits
        self._changed = threading.Condition()
        self._paused_s: float | None = None
        self._lost_s = 0.0
        self._closed = False

    def now(self) -> float:
        """Seconds without pauses."""
        with self._changed:
            running = self._clock() if self._paused_s is None else self._paused_s
            return running - self._lost_s

    def real(self, moment_s: float) -> float:
        """A moment since the last pause, on the clock that always runs."""
        return moment_s + self._lost_s

    def pause(self) -> None:
        """Stop it; nothing happens where it stands already."""
        with self._changed:
            if self._paused_s is None:
                self._paused_s = self._clock()

    def resume(self) -> None:
        """Let it go on."""
        with self._changed:
            if self._paused_s is not None:
                self._lost_s += self._clock() - self._paused_s
                self._paused_s = None
                self._changed.notify_all()

    def close(self) -> None:
        """Nobody waits any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def wait(self, seconds: float = 0.0) -> None:
        """Wait until so many seconds have passed, and while it stands."""
        with self._changed:
            end_s = self.now() + seconds
            while not self._closed:
                left_s = end_s - self.now()
                if self._paused_s is not None:
                    self._changed.wait()
                elif left_s > 0:
                    self._changed.wait(left_s)
                else:
                    return


class PausableFile:
    """A recorded source at its own pace that stays where it is during a pause.

    Parameters
    ----------
    source
        Delivers at the pace of ``clock``.
    clock
        Its clock.
    """

    def __init__(self, source: LiveSource, clock: PausableClock) -> None:
        self._source = source
        self._clock = clock

    def __iter__(self) -> Iterator[Frame]:
        """Deliver the frames."""
        for frame in self._source:
            self._clock.wait()
            yield frame

    def captured_s(self, frame: Frame) -> float:
        """When the frame was due, on `time.perf_counter`."""
        return self._clock.real(self._source.captured_s(frame))

    def pause(self) -> None:
        """Deliver nothing from now on."""
        self._clock.pause()

    def resume(self) -> None:
        """Go on."""
        self._clock.resume()

    def close(self) -> None:
        """End the delivery, from any thread."""
        self._source.close()
        self._clock.close()


class PausableCamera:
    """A camera that is released during a pause, and opened again after it.

    Frames are counted, and their time is told, from the first opening on, pauses included.

    Parameters
    ----------
    camera
        The open camera.
    reopen
        Opens it again.
    """

    def __init__(self, camera: LiveSource, reopen: Callable[[], LiveSource]) -> None:
        self._camera: LiveSource | None = camera
        self._reopen = reopen
        self._changed = threading.Condition()
        self._paused = self._released = self._closed = False
        self._begin_s: float | None = None
        self._count = 0

    def __iter__(self) -> Iterator[Frame]:
        """Deliver the frames.

        Raises
        ------
        SourceError
            The camera has failed, or can't be opened again.
        """
        while (camera := self._open()) is not None:
            for frame in camera:
                captured_s = camera.captured_s(frame)
                if self._begin_s is None:
                    self._begin_s = captured_s - frame.time_s
                yield replace(frame, index=self._count, time_s=captured_s - self._begin_s)
                self._count += 1
            with self._changed:
                if not self._released:
                    return
                self._camera, self._released = None, False

    def captured_s(self, frame: Frame) -> float:
        """When the frame arrived, on `time.perf_counter`."""
        return (self._begin_s or 0.0) + frame.time_s

    def pause(self) -> None:
        """Release the camera after the frame at hand."""
        with self._changed:
            self._paused = True
            if self._camera is not None:
                self._released = True
                self._camera.close()

    def resume(self) -> None:
        """Open the camera again."""
        with self._changed:
            self._paused = False
            self._changed.notify_all()

    def close(self) -> None:
        """End the delivery, from any thread."""
        with self._changed:
            self._closed, self._paused = True, False
            if self._camera is not None:
                self._camera.close()
            self._changed.notify_all()

    def _open(self) -> LiveSource | None:
        """The camera, as soon as there is no pause; None at the end."""
        with self._changed:
            while self._paused and not self._closed:
                self._changed.wait()
            if self._closed:
                return None
            if self._camera is None:
                self._camera = self._reopen()
            return self._camera

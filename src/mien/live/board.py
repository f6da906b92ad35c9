"""The latest picture and the last half minute of numbers, for any number of viewers at their own pace."""

from __future__ import annotations

import json
import logging
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mien.datatypes import Camera
from mien.live.numbers import drawing_of, row_of, status_of
from mien.live.picture import PictureMaker
from mien.live.session import LiveFace
from mien.live.statistics import LiveStatistics

logger = logging.getLogger(__name__)

HISTORY_S = 30.0
IN_FLIGHT = 4
"""Pictures that a viewer may have been sent and not have drawn yet."""
_MOST_ROWS = 4096


@dataclass(slots=True)
class Viewer:
    """What one viewer has got so far.

    Attributes
    ----------
    since_s
        When it came.
    statistics
        Pictures drawn: time from capture until the viewer's word of it was here.
    left_out
        Pictures that it was not sent, or did not draw, because a later one was there already.
    """

    since_s: float
    wake: threading.Condition
    statistics: LiveStatistics = field(default_factory=LiveStatistics)
    left_out: int = 0
    latency_s: float | None = None
    told: int = -1
    picture: int = 0
    row: int = 0
    undrawn: dict[int, float] = field(default_factory=dict)
    gone: bool = False

    @property
    def ready(self) -> bool:
        """Whether it has drawn enough of what it was sent to be sent more."""
        return not self.gone and len(self.undrawn) < IN_FLIGHT


@dataclass(frozen=True, slots=True)
class _Posted:
    """A result whose picture may be made."""

    number: int
    captured_s: float
    result: LiveFace
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Made:
    """A picture with what is drawn over it, ready for everybody."""

    number: int
    captured_s: float
    about: str
    jpeg: bytes


class Board:
    """Where the analysis leaves its results, and viewers fetch what they have not seen.

    Nothing is queued for anybody: there is one latest picture, and one list of the last rows that all
    viewers share. Whoever asks is given what is new since it asked last, as long as no more than `IN_FLIGHT`
    pictures are on their way to it and not drawn. So a viewer that stalls costs nothing, and one that is
    slow sees fewer pictures, but all numbers of the last 30 s.

    Parameters
    ----------
    pictures
        Makes pictures, in a thread of its own, and only while somebody waits for one.
    camera_for
        Intrinsics of pictures of some width and height, px.
    clock
        That of capture.
    """

    def __init__(
        self,
        pictures: PictureMaker,
        camera_for: Callable[[int, int], Camera],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._pictures = pictures
        self._camera_for = camera_for
        self._clock = clock
        # re-entrant: a signal handler may tell of a new state while its own thread posts a result
        self._lock = threading.RLock()
        self._to_make = threading.Condition(self._lock)
        self._closed = self._failed = False
        self._run = self._count = 0
        self._posted: _Posted | None = None
        self._made: _Made | None = None
        self._rows: deque[tuple[int, float, str]] = deque(maxlen=_MOST_ROWS)
        self._state, self._version = "{}", 0
        self._viewers: list[Viewer] = []
        self._thread = threading.Thread(target=self._make_pictures, name="mien-pictures", daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        """Number of viewers."""
        return len(self._viewers)

    def viewers(self) -> list[Viewer]:
        """Those who are here, in the order in which they came."""
        with self._lock:
            return list(self._viewers)

    # --- the analysis

    def begin(self) -> None:
        """Forget the rows so far: others come, of another recording."""
        with self._lock:
            self._run += 1
            self._rows.clear()

    def post(self, result: LiveFace, counts: Mapping[str, int] | None = None) -> None:
        """Leave a result; nothing is waited for.

        Parameters
        ----------
        result
            With its frame.
        counts
            Further numbers that viewers are told.
        """
        row, time_s = row_of(result.face), result.face.time_s
        with self._lock:
            self._count += 1
            self._rows.append((self._count, time_s, row))
            while self._rows[0][1] < time_s - HISTORY_S:
                self._rows.popleft()
            self._posted = _Posted(self._count, result.captured_s, result, counts or {})
            self._to_make.notify()

    def tell(self, state: Mapping[str, Any]) -> None:
        """Tell all viewers, also those that come later, of a state; only the latest counts."""
        with self._lock:
            self._state, self._version = json.dumps(state), self._version + 1
            self._wake_viewers()

    def close(self) -> None:
        """Nothing more will come: `fetch` gives None."""
        with self._lock:
            self._closed = True
            self._to_make.notify_all()
            self._wake_viewers()
        self._thread.join()

    # --- viewers

    def enter(self, most: int) -> Viewer | None:
        """A place for a new viewer; None where so many are here already."""
        with self._lock:
            if len(self._viewers) >= most or self._closed:
                return None
            viewer = Viewer(self._clock(), threading.Condition(self._lock))
            self._viewers.append(viewer)
            self._to_make.notify()
            return viewer

    def leave(self, viewer: Viewer) -> None:
        """Forget a viewer; its `fetch` gives None."""
        with self._lock:
            viewer.gone = True
            if viewer in self._viewers:
                self._viewers.remove(viewer)
            viewer.wake.notify_all()

    def fetch(self, viewer: Viewer) -> str | bytes | None:
        """Wait for something that this viewer has not seen: a state as text, or a picture with numbers.

        Returns
        -------
        str, bytes or None
            A state as JSON; or four bytes with the length of a JSON text (little-endian), that text, and a
            JPEG; or None when there will be no more.
        """
        with self._lock:
            while not (self._closed or viewer.gone):
                if viewer.told != self._version:
                    viewer.told = self._version
                    return self._state
                if self._made is not None and self._made.number > viewer.picture and viewer.ready:
                    return self._message(viewer, self._made)
                viewer.wake.wait()
            return None

    def drawn(self, viewer: Viewer, number: int) -> None:
        """Take a viewer's word that it has drawn a picture, and therefore no earlier one any more."""
        with self._lock:
            captured_s = viewer.undrawn.pop(number, None)
            if captured_s is None:
                return
            for earlier in [other for other in viewer.undrawn if other < number]:
                del viewer.undrawn[earlier]
                viewer.left_out += 1
            # a picture from before it came, as in a pause, says nothing
            if captured_s >= viewer.since_s:
                now_s = self._clock()
                viewer.latency_s = now_s - captured_s
                viewer.statistics.add(now_s, viewer.latency_s, viewer.left_out)
            viewer.wake.notify()
            self._to_make.notify()

    def _message(self, viewer: Viewer, made: _Made) -> bytes:
        if viewer.picture:
            viewer.left_out += made.number - viewer.picture - 1
        rows = [row for number, _, row in self._rows if number > viewer.row]
        viewer.row = self._count
        viewer.picture = made.number
        viewer.undrawn[made.number] = made.captured_s
        own = {
            "drawn_ms": None if viewer.latency_s is None else round(1e3 * viewer.latency_s, 1),
            "left_out": viewer.left_out,
            "viewers": len(self._viewers),
            "run": self._run,
        }
        text = f'{{{made.about},{json.dumps(own)[1:-1]},"rows":[{",".join(rows)}]}}'.encode()
        return struct.pack("<I", len(text)) + text + made.jpeg

    # --- pictures

    def _wake_viewers(self) -> None:
        for viewer in self._viewers:
            viewer.wake.notify_all()

    def _make_pictures(self) -> None:
        while (posted := self._next_to_make()) is not None:
            made = self._make(posted)
            with self._lock:
                self._made = made
                self._wake_viewers()

    def _next_to_make(self) -> _Posted | None:
        with self._lock:
            while not self._closed:
                posted = self._posted
                new = posted is not None and (self._made is None or posted.number > self._made.number)
                if new and any(viewer.ready for viewer in self._viewers):
                    return posted
                self._to_make.wait()
            return None

    def _make(self, posted: _Posted) -> _Made:
        result, frame = posted.result, posted.result.frame
        jpeg, size, drawing = b"", (0, 0), None
        try:
            if frame is not None:
                size = frame.size
                drawing = drawing_of(result.face, self._camera_for(*size))
                jpeg = self._pictures.make(frame.bgr, result.face)
        except Exception as error:  # a picture that can't be shown must not end the numbers
            if not self._failed:
                self._failed = True
                logger.warning("the live page shows no picture: %s: %s", type(error).__name__, error)
        about = {
            "number": posted.number,
            "size": size,
            **status_of(result),
            **posted.counts,
            "drawing": drawing,
        }
        text = json.dumps(about, separators=(",", ":"))[1:-1]
        return _Made(posted.number, posted.captured_s, text, jpeg)

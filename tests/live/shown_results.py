"""Results for pages: faces of seeded noise on plain pictures, and who posts them."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from mien.datatypes import Frame
from mien.live.session import LiveFace
from mien.live.shown import PageOptions, ShownAnalysis
from mien.results import RecordedSource
from simple_stages import stages
from synthetic_result import make_face

RECORDED = RecordedSource("clip.mp4", None, 64, 48, 30.0)
HEADER = '{"mien": {}}\n'


def live_face(index, *, success=True, width=64, height=48):
    """A result with its frame, captured now."""
    bgr = np.full((height, width, 3), (index * 7) % 256, np.uint8)
    frame = Frame(index, index / 30, bgr, bgr[:, :, 0].copy())
    face = make_face(index, success=success)
    if success:
        place = replace(face.pose, translation_mm=np.array([0.0, 0.0, 500.0]))
        # within the picture
        points = face.landmarks.points * np.float32(width / 640)
        face = replace(face, pose=place, landmarks=replace(face.landmarks, points=points))
    return LiveFace(face, 0.004, 2, 30.0, frame, time.perf_counter())


class Tap:
    """A source that notes whether it is paused."""

    def __init__(self):
        self.paused = False

    def pause(self):
        self.paused = True

    def resume(self):
        self.paused = False


class Feed:
    """Posts results until it is closed, thirty a second, as long as its tap is open."""

    def __init__(self, shown):
        self.shown, self.tap, self.success = shown, Tap(), True
        self._closed = threading.Event()
        self._index = 0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def begin(self):
        self.shown.begin(self.tap, RECORDED, {"mien": "test"})
        self._thread.start()

    def close(self):
        self._closed.set()
        self._thread.join()

    def _run(self):
        while not self._closed.wait(1 / 30):
            if not self.tap.paused:
                self.shown.show(live_face(self._index, success=self.success), lambda: '{"frame": 1}\n')
                self._index += 1


@contextmanager
def page(folder, *, name="clip.mp4", camera=False, **options):
    """A page with a feed: gives both."""
    chosen = {"port": 0, "out": folder, **options}
    shown = ShownAnalysis(
        PageOptions(**chosen), stages(), name=name, models="test", header=HEADER, camera=camera
    )
    feed = Feed(shown)
    try:
        feed.begin()
        yield shown, feed
    finally:
        feed.close()
        shown.close()

"""The order of the stages: source, landmarks, pose, gaze, action units.

Nothing else in the package knows this order. With one thread the stages of a frame run one after the
other; with more, decoding, tracking and analysis of neighbouring frames overlap. Every stage sees the
frames in order and one at a time, so the results are the same for any number of threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from typing import Any, TypeVar

from mien.datatypes import FaceLandmarks, FaceResult, Frame
from mien.errors import FrameError, MienError, OptionError
from mien.runtime.readahead import ReadAhead
from mien.stages import ActionUnitSeries, Stages

T = TypeVar("T")
Observer = Callable[[Frame, list[FaceResult], list[Any]], None]
"""Takes a frame, its faces, and for each its appearance (see `mien.results.outputs`) or None."""

_FRAMES_AHEAD = 2


class Pipeline:
    """Turns frames into results, one face per frame.

    Parameters
    ----------
    stages
        The stages to run; they keep the state of the video that is being analysed.
    threads
        How many frames may be worked on at the same time (decoding one, tracking another, analysing a
        third). 1 runs everything in the caller's thread.
    observe
        Called with every frame, its faces and their appearance, before they are delivered.

    Raises
    ------
    OptionError
        ``threads`` is less than 1.
    """

    def __init__(self, stages: Stages, *, threads: int = 1, observe: Observer | None = None) -> None:
        if threads < 1:
            raise OptionError(f"expected at least 1 thread, got {threads}")
        self._stages = stages
        self._threads = threads
        self._observe = observe
        self._permits = threading.Semaphore(threads)

    def run(self, frames: Iterable[Frame]) -> Generator[FaceResult, None, None]:
        """Analyse the frames of one video, in constant memory.

        Parameters
        ----------
        frames
            In the order in which they are shown. Closed when the generator ends or is closed.

        Yields
        ------
        FaceResult
            One per frame, in order, with live action units.

        Raises
        ------
        FrameError
            A stage failed on a frame. The results before it have been delivered.
        """
        self._stages.tracker.reset()
        if self._stages.action_units is not None:
            self._stages.action_units.reset()
        with ExitStack() as cleanup:
            decoded = cleanup.enter_context(self._step(self._limited(frames), "mien-decode"))
            tracked = cleanup.enter_context(self._step(self._track(decoded), "mien-track"))
            for frame, landmarks in tracked:
                result = self._analyze(frame, landmarks)
                if self._observe is not None:
                    # models that read no appearance keep none
                    self._observe(frame, [result], [getattr(self._stages.action_units, "last", None)])
                yield result

    def finish(self) -> ActionUnitSeries | None:
        """Action units of all frames since `run` began, post-processed; None where they are switched off."""
        analyzer = self._stages.action_units
        return None if analyzer is None else analyzer.finish()

    def _step(self, items: Generator[T, None, None], name: str) -> AbstractContextManager[Iterable[T]]:
        """Iterate in a thread of its own, if there may be several; leaving the context closes it."""
        if self._threads == 1:
            return closing(items)
        return ReadAhead(items, depth=_FRAMES_AHEAD, name=name)

    def _limited(self, frames: Iterable[Frame]) -> Generator[Frame, None, None]:
        """Take frames one by one, each under a permit, and close the source at the end."""
        iterator = iter(frames)
        try:
            while True:
                with self._permits:
                    frame = next(iterator, None)
                if frame is None:
                    return
                yield frame
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()

    def _track(self, frames: Iterable[Frame]) -> Generator[tuple[Frame, FaceLandmarks], None, None]:
        for frame in frames:
            with self._permits, _naming(frame, "tracking"):
                landmarks = self._stages.tracker.track(frame)
            yield frame, landmarks

    def _analyze(self, frame: Frame, landmarks: FaceLandmarks) -> FaceResult:
        stages = self._stages
        with self._permits, _naming(frame, "analysis"):
            pose, landmarks_3d = stages.pose.estimate(landmarks)
            gaze = None if stages.gaze is None else stages.gaze.estimate(landmarks, landmarks_3d, pose)
            units = None if stages.action_units is None else stages.action_units.analyze(frame, landmarks)
        return FaceResult(
            frame=frame.index,
            time_s=frame.time_s,
            face_id=0,
            landmarks=landmarks,
            landmarks_3d=landmarks_3d,
            pose=pose,
            gaze=gaze,
            action_units=units,
        )


@contextmanager
def _naming(frame: Frame, work: str) -> Iterator[None]:
    """Say on which frame a stage failed."""
    try:
        yield
    except MienError:
        raise
    except Exception as error:
        raise FrameError(
            f"{work} failed on frame {frame.index} (at {frame.time_s:.3f} s): {type(error).__name__}: "
            f"{error}; the frames before it are complete; please report this as a bug"
        ) from error

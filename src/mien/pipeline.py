"""The order of the stages: source, landmarks, pose, gaze, appearance, action units.

Nothing else in the package knows this order. With one thread the stages of a frame run one after the
other; with more, decoding, tracking and analysis of neighbouring frames overlap. Every stage sees the
frames in order and one at a time, so the results are the same for any number of threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext
from types import TracebackType
from typing import Any, TypeVar

from mien.datatypes import ActionUnitSeries, Appearance, FaceResult, Frame, TrackedFace
from mien.errors import FrameError, MienError, OptionError
from mien.runtime.readahead import ReadAhead
from mien.stages import Stages

T = TypeVar("T")
Observer = Callable[[Frame, list[FaceResult], list[Appearance | None]], None]
"""Takes a frame, its faces, and for each its appearance, or None where no stage describes it."""

_FRAMES_AHEAD = 2


class Pipeline:
    """Turns frames into results, one per face and frame.

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
        self._permits: AbstractContextManager[Any] = (
            threading.Semaphore(threads) if threads > 1 else nullcontext()
        )

    def run(self, frames: Iterable[Frame]) -> Generator[FaceResult, None, None]:
        """Analyse the frames of one video, in constant memory.

        Where frames begin to have another shape, the tracker looks for the faces anew, and the camera is the
        one of that shape. The action units go on: the people stay the same.

        Parameters
        ----------
        frames
            In the order in which they are shown. Closed when the generator ends or is closed.

        Yields
        ------
        FaceResult
            One per face, frame by frame, with live action units. A tracker of one face gives one per frame,
            a tracker of several what there is.

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
            for frame, faces in tracked:
                analysed = [self._analyze(frame, face) for face in faces]
                if self._observe is not None:
                    self._observe(frame, [face for face, _ in analysed], [looks for _, looks in analysed])
                for result, _ in analysed:
                    yield result

    def finish(self) -> ActionUnitSeries | None:
        """Post-processed action units of all results since `run` began; None where there are none."""
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

    def _track(self, frames: Iterable[Frame]) -> Generator[tuple[Frame, Sequence[TrackedFace]], None, None]:
        size = None
        for frame in frames:
            with self._permits, _Naming(frame, "tracking"):
                if size not in (None, frame.size):
                    self._stages.tracker.lose()
                size = frame.size
                faces = self._stages.tracker.track(frame)
            yield frame, faces

    def _analyze(self, frame: Frame, face: TrackedFace) -> tuple[FaceResult, Appearance | None]:
        stages, landmarks = self._stages, face.landmarks
        with self._permits, _Naming(frame, "analysis"):
            camera = stages.camera_for(*frame.size)
            pose, landmarks_3d = stages.pose.estimate(landmarks, camera)
            gaze = (
                None if stages.gaze is None else stages.gaze.estimate(landmarks, landmarks_3d, pose, camera)
            )
            appearance = None if stages.appearance is None else stages.appearance.extract(frame, landmarks)
            units = None if stages.action_units is None else stages.action_units.analyze(face, appearance)
        result = FaceResult(
            frame=frame.index,
            time_s=frame.time_s,
            face_id=face.face_id,
            landmarks=landmarks,
            landmarks_3d=landmarks_3d,
            pose=pose,
            gaze=gaze,
            action_units=units,
        )
        return result, appearance


class _Naming:
    """Says on which frame a stage failed."""

    __slots__ = ("_frame", "_work")

    def __init__(self, frame: Frame, work: str) -> None:
        self._frame = frame
        self._work = work

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception) and not isinstance(error, MienError):
            raise FrameError(
                f"{self._work} failed on frame {self._frame.index} (at {self._frame.time_s:.3f} s): "
                f"{type(error).__name__}: {error}; the frames before it are complete; "
                "please report this as a bug"
            ) from error

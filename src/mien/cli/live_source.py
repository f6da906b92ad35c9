"""The source of ``mien live``, opened as often as somebody starts it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.errors import OptionError, SourceError

if TYPE_CHECKING:
    from mien.datatypes import Frame
    from mien.video.camera import CameraSource
    from mien.video.source import SourceInfo


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """What is analysed, and for how long."""

    video: Path | None
    camera: int | None
    size: tuple[int, int]
    fps: float | None
    correction: bool | None
    seconds: float | None

    def __post_init__(self) -> None:
        if self.video is not None and self.camera is not None:
            raise OptionError(f"expected a video or --camera, got both: {self.video} and {self.camera}")
        if self.seconds is not None and not self.seconds > 0:
            raise OptionError(f"seconds: expected more than 0, got {self.seconds}")


class OpenedSource:
    """A source that delivers at its own time.

    Parameters
    ----------
    request
        Which source.
    pausable
        Whether it can be paused.

    Attributes
    ----------
    source : LiveSource
        What delivers; a `mien.live.controls.Pausable` too, where that was asked for.
    first : Frame or None
        A picture to get ready with, where that costs nothing.
    """

    def __init__(self, request: LiveRequest, *, pausable: bool) -> None:
        self._request = request
        self._pausable = pausable
        self._held = ExitStack()
        self.source: Any = None
        self.first: Frame | None = None

    def open(self) -> SourceInfo:
        """Open it; a file from its beginning. What was open before is released.

        Raises
        ------
        SourceError
            It can't be read.
        """
        self._held.close()
        info = self._camera() if self._request.video is None else self._file(self._request.video)
        correction = self._request.correction
        return info if correction is None else replace(info, camera=correction)

    def close(self) -> None:
        """Release it."""
        self._held.close()

    def _camera(self) -> SourceInfo:
        from mien.live.pausing import PausableCamera
        from mien.video.camera import open_camera

        request = self._request

        def take() -> CameraSource:
            return self._held.enter_context(open_camera(request.camera or 0, request.size, request.fps))

        camera = take()
        self.source = PausableCamera(camera, take) if self._pausable else camera
        return camera.info

    def _file(self, path: Path) -> SourceInfo:
        from mien.live.pausing import PausableClock, PausableFile
        from mien.video.file import VideoFile
        from mien.video.pacing import RealTime

        if not path.exists():
            raise SourceError(f"{path}: no such file; expected a video")
        with VideoFile(path) as again:
            self.first = next(iter(again), None)
        video = self._held.enter_context(VideoFile(path))
        clock = PausableClock()
        self.source = RealTime(video)
        if self._pausable:
            self.source = PausableFile(RealTime(video, clock=clock.now, wait=clock.wait), clock)
        return video.info

"""Cameras, through FFmpeg's input devices (PyAV)."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
from av.container import InputContainer
from av.error import BlockingIOError as NotYet
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from mien.datatypes import Frame
from mien.errors import OptionError, SourceError
from mien.video.conversion import BgrConversion
from mien.video.decoding import nominal_fps
from mien.video.source import FrameSource, SourceInfo, frame_of

DEFAULT_SIZE = (640, 480)
"""Size of a camera's pictures in px where none is asked for (docs/algorithms/output-table.md#reader)."""

_PAUSE_S = 0.002
_MAX_PAUSES = 2500
"""A camera that delivers nothing for so many pauses is given up."""


@dataclass(frozen=True, slots=True)
class CameraDevice:
    """How FFmpeg calls a camera.

    Attributes
    ----------
    format
        Name of the input device: "v4l2", "avfoundation" or "dshow".
    address
        Which camera, in that device's own words.
    options
        What it is asked for.
    """

    format: str
    address: str
    options: dict[str, str] = field(default_factory=dict)


def camera_device(
    number: int, size: tuple[int, int] = DEFAULT_SIZE, fps: float | None = None, platform: str = sys.platform
) -> CameraDevice:
    """Say how FFmpeg calls a camera of this machine.

    Parameters
    ----------
    number
        0 is the first camera.
    size
        Wanted width and height in px.
    fps
        Wanted frames per second; None leaves it to the camera (30 on macOS, which insists on a number).
    platform
        As `sys.platform` has it.

    Raises
    ------
    OptionError
        The number or the size is impossible.
    SourceError
        There is no such camera (Windows, where cameras are called by name).
    """
    if number < 0:
        raise OptionError(f"camera: expected 0 or more, got {number}")
    if min(size) < 1:
        raise OptionError(f"camera size: expected at least 1x1 px, got {size[0]}x{size[1]}")
    options = {"video_size": f"{size[0]}x{size[1]}"}
    if fps is not None or platform == "darwin":
        options["framerate"] = f"{fps or 30:g}"
    if platform == "darwin":
        return CameraDevice("avfoundation", f"{number}:none", options)
    if platform == "win32":
        names = list_cameras("dshow")
        if number >= len(names):
            raise SourceError(_missing(number, names))
        return CameraDevice("dshow", f"video={names[number]}", options)
    return CameraDevice("v4l2", f"/dev/video{number}", options)


def list_cameras(device_format: str) -> list[str]:
    """Names of the cameras that an input device finds; empty where it can't say."""
    enumerate_devices = getattr(av, "enumerate_input_devices", None)
    if enumerate_devices is None:
        return []
    try:
        found = enumerate_devices(device_format)
    except (FFmpegError, ValueError, OSError):
        return []
    return [device.description or device.name for device in found if _is_video(device)]


def _is_video(device: object) -> bool:
    kinds = getattr(device, "media_types", None)
    return not kinds or "video" in kinds


def _missing(number: int, names: list[str]) -> str:
    found = ", ".join(f"{i}: {name}" for i, name in enumerate(names))
    return f"there is no camera {number}; found {found or 'no camera at all'}"


class CameraSource(FrameSource):
    """A camera as a source of frames: it goes on until it is closed.

    Parameters
    ----------
    device
        Which camera, as `camera_device` gives it.
    name
        For messages and results.

    Raises
    ------
    SourceError
        There is no such camera, another program uses it, or it can't deliver what it is asked for.
    """

    def __init__(self, device: CameraDevice, *, name: str = "camera") -> None:
        self._device = device
        self._name = name
        self._closed = threading.Event()
        self._iterating = False
        self._convert = BgrConversion()
        self._container = self._open()
        self._origin_s = time.perf_counter()
        try:
            self._info = self._describe()
        except BaseException:
            self.close()
            raise

    @property
    def info(self) -> SourceInfo:
        """Name, size and nominal rate; the length is not known."""
        return self._info

    def captured_s(self, frame: Frame) -> float:
        """When the frame arrived, on `time.perf_counter`."""
        return self._origin_s + frame.time_s

    def __iter__(self) -> Iterator[Frame]:
        """Deliver the frames as they come; their time is in seconds since the camera was opened."""
        self._iterating = True
        try:
            for index, picture in enumerate(self._pictures()):
                arrived_s = time.perf_counter() - self._origin_s
                yield self._frame(index, arrived_s, picture)
        finally:
            self._container.close()

    def close(self) -> None:
        """End the delivery after the frame at hand, from any thread; whoever iterates releases the device."""
        self._closed.set()
        if not self._iterating:
            self._container.close()

    def _open(self) -> InputContainer:
        device = self._device
        try:
            container = av.open(device.address, format=device.format, options=dict(device.options))
        except (FFmpegError, ValueError, OSError) as error:
            raise SourceError(self._explain(error)) from error
        return container

    def _explain(self, error: Exception) -> str:
        device = self._device
        reason = getattr(error, "strerror", None) or str(error)
        if not isinstance(error, FFmpegError | OSError):
            return f"{self._name}: this PyAV has no input device {device.format}: {reason}"
        names = list_cameras(device.format)
        if isinstance(error, FileNotFoundError):
            found = f"found {', '.join(names)}" if names else "found no camera at all"
            return f"{self._name} ({device.address}) does not exist; {found}"
        asked = ", ".join(f"{key} {value}" for key, value in device.options.items())
        return (
            f"{self._name} ({device.address}) can't be opened: {reason}; another program may use it, this "
            f"one may lack the permission, or it may not offer {asked}"
        )

    def _describe(self) -> SourceInfo:
        if not self._container.streams.video:
            raise SourceError(f"{self._name} ({self._device.address}) delivers no pictures")
        stream = self._container.streams.video[0]
        context = stream.codec_context
        return SourceInfo(
            name=self._name,
            path=None,
            width=context.width,
            height=context.height,
            fps=nominal_fps(stream),
            frame_count=None,
            camera=True,
        )

    def _pictures(self) -> Iterator[VideoFrame]:
        """Decode until the camera is closed or fails."""
        stream = self._container.streams.video[0]
        pauses = 0
        while not self._closed.is_set() and pauses < _MAX_PAUSES:
            try:
                for packet in self._container.demux(stream):
                    pauses = 0
                    yield from self._decode(packet)
                    if self._closed.is_set():
                        return
                return
            except NotYet:
                pauses += 1
                self._closed.wait(_PAUSE_S)
            except FFmpegError as error:
                raise SourceError(f"{self._name} has stopped: {error.strerror or error}") from error
        if pauses:
            raise SourceError(f"{self._name} delivers no pictures any more")

    def _decode(self, packet: Packet[VideoStream]) -> list[VideoFrame]:
        try:
            return [frame for frame in packet.decode() if isinstance(frame, VideoFrame)]
        except FFmpegError:
            return []  # a picture damaged on the way: the next one comes at once

    def _frame(self, index: int, time_s: float, picture: VideoFrame) -> Frame:
        return frame_of(self._convert(picture, (self._info.width, self._info.height)), index, time_s)


def open_camera(number: int, size: tuple[int, int] = DEFAULT_SIZE, fps: float | None = None) -> CameraSource:
    """Open a camera of this machine; parameters and errors as `camera_device` and `CameraSource`."""
    device = camera_device(number, size, fps)
    if device.format == "v4l2" and not any(Path("/dev").glob("video*")):
        raise SourceError(f"camera {number}: this machine has no camera (no /dev/video*)")
    return CameraSource(device, name=f"camera {number}")

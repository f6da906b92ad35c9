"""Draws a finished result over its video."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import groupby
from pathlib import Path

from mien.datatypes import Camera, FaceResult, Frame
from mien.results.faces import faces_of
from mien.results.video_result import VideoResult
from mien.runtime.writebehind import WriteBehind
from mien.view.drawing import DrawingOptions, make_drawer
from mien.view.tracked_video import TrackedVideoWriter


def draw_video(
    frames: Iterable[Frame],
    result: VideoResult,
    path: str | Path,
    *,
    camera: Camera,
    fps: float,
    options: DrawingOptions | None = None,
    on_frame: Callable[[], None] = lambda: None,
) -> None:
    """Read a video once more and write it with its result drawn over it.

    Other than a video that is drawn while it is analysed, it shows action units as they are in the table:
    after post-processing.

    Parameters
    ----------
    frames
        The frames that were analysed, in order; the drawing ends with the shorter of both.
    result
        What was measured in them.
    path
        The video; it appears when it is complete.
    camera
        Intrinsics of the frames.
    fps
        Nominal frames per second.
    options
        How to draw.
    on_frame
        Called after each frame.

    Raises
    ------
    OutputError
        The video can't be written there.
    OptionError
        The path has an unknown ending.
    SourceError
        The frames can't be read.
    """
    drawer = make_drawer(options or DrawingOptions(faces=most_faces(result)), camera)
    with TrackedVideoWriter(path, fps=fps) as writer:
        encoding = WriteBehind(name="mien-encode")
        try:
            for frame, faces in _pair(frames, faces_of(result), last=int(result.frame.max(initial=-1))):
                picture = drawer.draw(frame.bgr, faces)
                encoding.submit(partial(writer.append, picture, frame.time_s))
                on_frame()
            encoding.finish()
        except BaseException:
            encoding.cancel()
            raise


def most_faces(result: VideoResult) -> int:
    """Faces in the frame that has most, 1 to 4."""
    rows: dict[int, int] = {}
    for frame in result.frame.tolist():
        rows[frame] = rows.get(frame, 0) + 1
    return min(max(rows.values(), default=1), 4)


def _pair(
    frames: Iterable[Frame], faces: Iterator[FaceResult], last: int
) -> Iterator[tuple[Frame, list[FaceResult]]]:
    """Every frame up to the last analysed one with its faces."""
    groups = groupby(faces, key=lambda face: face.frame)
    number, members = next(groups, (None, iter(())))
    for frame in frames:
        if frame.index > last:
            return
        while number is not None and number < frame.index:
            number, members = next(groups, (None, iter(())))
        if number == frame.index:
            yield frame, list(members)
        else:
            yield frame, []

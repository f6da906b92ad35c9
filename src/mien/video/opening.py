"""A video by its path: the source that reads it."""

from __future__ import annotations

from pathlib import Path

from mien.video.file import VideoFile
from mien.video.source import FrameSource

_BY_PILLOW = (".webp", ".avif")


def open_video(
    path: str | Path,
    *,
    compat: str | None = None,
    start_s: float = 0.0,
    end_s: float | None = None,
    threads: int = 1,
) -> FrameSource:
    """Open a video file or an animated picture; parameters and errors as for `mien.video.file.VideoFile`."""
    path = Path(path)
    if path.suffix.lower() in _BY_PILLOW and path.is_file():
        from mien.video.animation import Animation

        return Animation(path, compat=compat, start_s=start_s, end_s=end_s)
    return VideoFile(path, compat=compat, start_s=start_s, end_s=end_s, threads=threads)

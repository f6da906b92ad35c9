"""Small pictures of moments: the face with its landmarks, cut out of the video that was analysed."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mien.errors import MienError
from mien.report.face_rows import is_of_pictures
from mien.report.options import ReportOptions
from mien.report.peaks import Peak
from mien.results.video_result import VideoResult
from mien.video.file import VideoFile
from mien.video.images import ImageSequence, ImageSet
from mien.view.style import CONTOURS

SIDE_PX = 200
_FINER = 2
"""Drawn larger and averaged, so that lines are smooth."""
_MARGIN = 1.7
"""Width of the cut in widths of the landmarks' extent."""
_BEFORE_S = (1.0, 10.0, float("inf"))
"""How long before a moment reading begins; farther back where files can't be searched exactly."""
_QUALITY = 82
_LINE, _SHADE, _DOT = (255, 214, 80), (10, 12, 16), (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Source:
    """Where frames come from, and how they were counted; or why there are none."""

    path: Path | None
    why_not: str = ""
    compat: str | None = None
    sequence: bool = False
    fps: float | None = None
    pictures: tuple[Path, ...] = ()


def find_source(result: VideoResult, options: ReportOptions, folder: Path) -> Source:
    """The video or the pictures of a result.

    Parameters
    ----------
    result
        Its provenance says where they were and how large.
    options
        May name another place.
    folder
        Where the table is: they may have moved with it.
    """
    made: Mapping[str, Any] = result.provenance
    about = made.get("source") if isinstance(made.get("source"), dict) else {}
    if is_of_pictures(result):
        return _pictures(result, options, folder)
    named = about.get("path") if isinstance(about, dict) else None
    own = result.source.path if result.source is not None else None
    path = options.video or own or _existing(named, folder)
    if path is None:
        known = isinstance(named, str)
        why = (
            f"{Path(str(named)).name} was not found"
            if known
            else "the table does not say which video it is of"
        )
        return Source(None, f"{why}; name it with --video")
    size = about.get("bytes") if isinstance(about, dict) else None
    if isinstance(size, int) and path.is_file() and path.stat().st_size != size:
        return Source(None, f"{path.name} has another size than the video that was analysed")
    how = made.get("options") if isinstance(made.get("options"), dict) else {}
    assert isinstance(how, dict)
    # OpenFace's tables have no provenance, and count time as it does
    compat = "openface" if how.get("compat") == "openface" or not how else None
    fps = how.get("fps")
    return Source(
        path, compat=compat, sequence=path.is_dir(), fps=fps if isinstance(fps, int | float) else None
    )


def _existing(named: object, folder: Path) -> Path | None:
    """A file by its recorded name, there or beside the table."""
    if not isinstance(named, str) or not named:
        return None
    for path in (Path(named), folder / Path(named.replace("\\", "/")).name):
        try:
            if path.exists():
                return path
        except (OSError, ValueError):
            continue
    return None


def _pictures(result: VideoResult, options: ReportOptions, folder: Path) -> Source:
    named = result.provenance.get("pictures")
    names = [str(name) for name in named] if isinstance(named, list | tuple) else list(result.pictures)
    base = options.video if options.video is not None and options.video.is_dir() else folder
    own = result.source.path if result.source is not None else None
    if options.video is not None and options.video.is_file():
        found: list[Path | None] = [options.video]
    elif own is not None and not names:
        found = [own]
    else:
        found = [_existing(name, base) for name in names]
    wanted = int(result.frame.max(initial=-1)) + 1
    if len(found) < wanted or any(path is None for path in found[:wanted]):
        return Source(None, "the pictures were not found; name their folder with --video")
    return Source(found[0], pictures=tuple(path for path in found if path is not None))


def thumbnails(peaks: Sequence[Peak], source: Source) -> tuple[list[str | None], str]:
    """Pictures of moments, as addresses that hold the picture itself.

    Parameters
    ----------
    peaks
        The moments.
    source
        Where frames come from.

    Returns
    -------
    (list of str or None, str)
        "data:image/jpeg;base64,…" for each, None where its frame can't be read; and why that is so.
    """
    made: list[str | None] = [None] * len(peaks)
    if source.path is None:
        return made, source.why_not
    why = ""
    try:
        for number, picture in _frames(peaks, source):
            peak = peaks[number]
            made[number] = _data(cut(picture, peak.face.result.landmarks[peak.row]))
    except MienError as error:
        why = str(error)
    return made, why or ("" if all(made) else "some frames could not be read")


def on_black(peaks: Sequence[Peak]) -> list[str | None]:
    """The landmarks of moments on black: nothing else of the face; None where there are none."""
    return [_data(image) if image else None for image in map(_drawn_on_black, peaks)]


def _drawn_on_black(peak: Peak) -> Image.Image | None:
    points = peak.face.result.landmarks[peak.row]
    return cut(None, points) if np.isfinite(points).all() else None


def cut(bgr: NDArray[np.uint8] | None, points: NDArray[np.float32]) -> Image.Image | None:
    """The part of a picture around landmarks, with lines through them.

    Parameters
    ----------
    bgr
        (H, W, 3) uint8; None for black.
    points
        (68, 2), px; where they are not finite the whole picture is shown, without lines.

    Returns
    -------
    PIL.Image.Image or None
        RGB, `SIDE_PX` wide and high; None where there is nothing to show.
    """
    finite = bool(np.isfinite(points).all()) and float(np.abs(points).max()) < 1e5
    if finite:
        low, high = points.min(axis=0), points.max(axis=0)
        side = max(float((high - low).max()) * _MARGIN, 8.0)
        left, top = ((low + high) / 2 - side / 2).tolist()
    elif bgr is not None:
        side = float(max(bgr.shape[:2]))
        left, top = (bgr.shape[1] - side) / 2, (bgr.shape[0] - side) / 2
    else:
        return None
    size = SIDE_PX * _FINER
    if bgr is None:
        image = Image.new("RGB", (size, size))
    else:
        whole = Image.fromarray(np.ascontiguousarray(bgr[..., ::-1]))
        box = (left, top, left + side, top + side)
        image = whole.transform((size, size), Image.Transform.EXTENT, box, Image.Resampling.BICUBIC)
    if finite:
        # px count from the first pixel's centre
        _draw(ImageDraw.Draw(image), (points + 0.5 - (left, top)) * (size / side))
    return image.reduce(_FINER)


def _draw(draw: ImageDraw.ImageDraw, points: NDArray[np.floating]) -> None:
    for colour, width in ((_SHADE, 5), (_LINE, 3)):
        for numbers, closed in CONTOURS:
            line = [tuple(point) for point in points[numbers].tolist()]
            draw.line([*line, line[0]] if closed else line, fill=colour, width=width)
    for x, y in points.tolist():
        draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=_DOT, outline=_SHADE)


def _data(image: Image.Image | None) -> str | None:
    if image is None:
        return None
    out = io.BytesIO()
    image.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode("ascii")


def _frames(peaks: Sequence[Peak], source: Source) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Pictures of moments, with the moment's number, in order of frames."""
    wanted: dict[int, list[int]] = {}
    for number, peak in enumerate(peaks):
        wanted.setdefault(int(peak.face.result.frame[peak.row]), []).append(number)
    for frame in sorted(wanted):
        first = peaks[wanted[frame][0]]
        picture = _frame(frame, float(first.face.result.time_s[first.row]), source)
        if picture is not None:
            yield from ((number, picture) for number in wanted[frame])


def _frame(index: int, time_s: float, source: Source) -> NDArray[np.uint8] | None:
    assert source.path is not None
    if source.pictures:
        with ImageSet([source.pictures[index]], compat=source.compat) as pictures:
            return next((frame.bgr for frame in pictures), None)
    if source.sequence:
        with ImageSequence(source.path, compat=source.compat, fps=source.fps) as frames:
            return next((frame.bgr for frame in frames if frame.index == index), None)
    return _of_video(index, time_s, source)


def _of_video(index: int, time_s: float, source: Source) -> NDArray[np.uint8] | None:
    for before_s in _BEFORE_S:
        start_s = max(0.0, time_s - before_s) if np.isfinite(time_s) else 0.0
        try:
            video = VideoFile(source.path or "", compat=source.compat, start_s=start_s)
        except MienError:
            if start_s == 0:
                raise
            continue
        with video:
            for frame in video:
                if frame.index >= index:
                    break
            else:
                continue
        if frame.index == index:
            return frame.bgr
        if start_s == 0:
            return None
    return None

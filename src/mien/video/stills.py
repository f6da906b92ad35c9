"""Picture files: which are read, by what, and how far they are trusted."""

from __future__ import annotations

import io
import logging
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
    features,
)

from mien.errors import SourceError

logging.getLogger("PIL").addHandler(logging.NullHandler())  # else Python prints its warnings to the terminal

LARGEST = 178_956_970
"""Pixels that a picture may declare: Pillow's own limit against files that unpack to fill the memory."""

_PLUGINS = (
    *(AvifImagePlugin, BmpImagePlugin, GifImagePlugin, JpegImagePlugin),
    *(PngImagePlugin, TiffImagePlugin, WebPImagePlugin),
)
"""Loaded one by one, as Pillow else loads all it has."""

_PILLOW = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF")
"""What Pillow may read. It knows 40 more formats: one starts Ghostscript, others are hardly tested."""
_ANIMATED = ("PNG", "WEBP", "GIF", "AVIF")
_TEXTS = (b"tEXt", b"zTXt", b"iTXt", b"iCCP")
"""Chunks of a PNG that say nothing about its pixels as they are stored."""
_SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N", "I")
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_TERMINAL = threading.Lock()
_REDUCED = 1
"""Bit of a TIFF page's kind: a smaller copy of another page."""


@dataclass(frozen=True, slots=True)
class Still:
    """A picture as it was read.

    Attributes
    ----------
    bgr
        (H, W, 3) uint8, C-contiguous, channels blue, green, red, upright.
    further
        Pictures of the same file that were not read: pages, frames of an animation, a burst.
    """

    bgr: NDArray[np.uint8]
    further: int = 0


def read_still(path: Path, page: int = 0) -> Still:
    """Read one picture of a file.

    The pixels are those of OpenCV's ``imread``, bit for bit (JPEG by libjpeg's exact integer transform), and
    like there the picture is turned upright as its EXIF data ask. 16-bit samples keep their upper eight bits,
    transparency is ignored.

    Parameters
    ----------
    path
        A JPEG, PNG, WebP, BMP, TIFF, GIF or AVIF file, HEIC and HEIF with the extra ``heic``; its content
        counts, not its name.
    page
        Which of its pictures.

    Raises
    ------
    SourceError
        The file is missing, damaged, declares more than `LARGEST` pixels, or is of another format.
    """
    if not path.is_file():
        raise SourceError(f"{path}: no such file; expected a picture")
    try:
        if not path.stat().st_size:
            raise SourceError(f"{path} is empty (0 bytes); expected a picture")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            kind = _kind(path)
            return _read_heif(path, page) if kind == "HEIF" else _read_pillow(path, page)
    except SourceError:
        raise
    except UnidentifiedImageError as error:
        raise SourceError(
            f"{path} is not a picture that can be read: it is none of JPEG, PNG, WebP, BMP, TIFF, GIF, AVIF "
            "and HEIC"
        ) from error
    except Exception as error:  # decoders raise whatever they stumble over
        reason = str(error).strip() or type(error).__name__
        raise SourceError(f"{path} is not a picture that can be read: {reason.splitlines()[0]}") from error


def count_pages(path: Path) -> int:
    """Pictures in a file: pages of a TIFF, frames of an animation; 1 where it can't be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if _kind(path) == "HEIF":
                return len(_heif(path))
            with Image.open(path, formats=_PILLOW) as image:
                return len(_pages(image))
    except Exception:
        return 1


def is_animation(path: Path) -> bool:
    """Whether a file is a GIF, PNG, WebP or AVIF picture that moves."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=_ANIMATED) as image:
                return bool(getattr(image, "is_animated", False))
    except Exception:
        return False


def rgb_of(image: Image.Image) -> NDArray[np.uint8]:
    """Pixels of a picture that Pillow has opened: (H, W, 3) uint8, red, green, blue; transparency is ignored.

    Raises
    ------
    ValueError
        Its samples are of a kind that is not read.
    """
    if image.mode in _SIXTEEN_BITS:
        gray = (np.asarray(image) >> 8).astype(np.uint8)
        return np.repeat(gray[..., None], 3, axis=2)
    if image.mode == "F":
        raise ValueError("it has samples of 32-bit floating point; expected 8 or 16 bits")
    return np.asarray(image.convert("RGB"))


def check_size(path: Path, width: int, height: int) -> None:
    """Refuse a picture by its declared size, before it is decoded."""
    if width < 1 or height < 1 or width * height > LARGEST:
        raise SourceError(
            f"{path} declares {width}x{height} px; expected 1 to {LARGEST // 10**6} million pixels, as more "
            "may be an attempt to fill the memory; make it smaller"
        )


def _kind(path: Path) -> str:
    """HEIF, or what else Pillow may find; AVIF where Pillow can't read it is refused."""
    with path.open("rb") as file:
        head = file.read(64)
    if head[4:8] != b"ftyp":
        return ""
    length = min(max(16, int.from_bytes(head[:4], "big")), 64)
    brands = {head[8:12], *(head[i : i + 4] for i in range(16, length, 4))}
    if brands & _AVIF_BRANDS:
        if not features.check("avif"):
            raise SourceError(
                f"{path} is an AVIF picture, which this Pillow can't read; pip install -U pillow"
            )
        return "AVIF"
    return "HEIF" if brands & _HEIF_BRANDS else ""


def _read_pillow(path: Path, page: int) -> Still:
    try:
        return _read_content(path, path, page)
    except ValueError as error:
        if "MAX_TEXT" not in str(error):
            raise
        return _read_content(path, _without_texts(path), page)


def _without_texts(path: Path) -> io.BytesIO:
    """A PNG without texts and colour profile, which Pillow refuses to unpack where they are long."""
    data = path.read_bytes()
    kept, place = [data[:8]], 8
    while place < len(data):
        end = place + 12 + int.from_bytes(data[place : place + 4])
        if data[place + 4 : place + 8] not in _TEXTS:
            kept.append(data[place:end])
        place = end
    return io.BytesIO(b"".join(kept))


def _read_content(path: Path, content: Path | io.BytesIO, page: int) -> Still:
    try:
        opened = Image.open(content, formats=_PILLOW)
    except Image.DecompressionBombError as error:
        raise SourceError(
            f"{path} declares more than {LARGEST // 10**6} million pixels, which may be an attempt to fill "
            "the memory; make it smaller"
        ) from error
    with opened as image:
        check_size(path, *image.size)
        pages = _pages(image)
        image.seek(pages[page])
        check_size(path, *image.size)
        with _silent() if image.format == "TIFF" else nullcontext():
            rgb = rgb_of(ImageOps.exif_transpose(image))
    return Still(np.ascontiguousarray(rgb[..., ::-1]), len(pages) - 1)


@contextmanager
def _silent() -> Iterator[None]:
    """Keep libtiff from writing to the terminal, which it does by itself, past Python."""
    with _TERMINAL:
        try:
            kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        except OSError:  # there is no standard error
            yield
            return
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)


def _pages(image: Image.Image) -> list[int]:
    """Places of the pictures in a file, smaller copies and what cameras attach to a JPEG left out."""
    count = int(getattr(image, "n_frames", 1))
    if count < 2 or image.format in ("JPEG", "MPO"):
        return [0]
    if image.format != "TIFF":
        return list(range(count))
    pages = []
    for place in range(count):
        try:
            image.seek(place)
        except Exception:  # a chain of pages that leads nowhere: those before it are good
            break
        tags: Any = getattr(image, "tag_v2", {})
        if place == 0 or not int(tags.get(254, 0)) & _REDUCED:
            pages.append(place)
    image.seek(0)
    return pages


def _heif(path: Path) -> Any:
    try:
        import pi_heif  # type: ignore[import-untyped,unused-ignore]
    except ImportError as error:
        raise SourceError(
            f"{path} is a HEIC or HEIF picture; to read it: pip install 'mien[heic]', or convert it to JPEG"
        ) from error
    return pi_heif.open_heif(path, convert_hdr_to_8bit=True, bgr_mode=False)


def _read_heif(path: Path, page: int) -> Still:
    """Read a HEIC picture, tiles joined and turned as the file says, by libheif."""
    file = _heif(path)
    image = file[(file.primary_index + page) % len(file)]
    check_size(path, *image.size)
    rgb = rgb_of(image.to_pillow())
    return Still(np.ascontiguousarray(rgb[..., ::-1]), len(file) - 1)

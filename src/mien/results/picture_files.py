"""Pictures as files: BMP byte for byte as OpenCV writes it, everything else through Pillow."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.errors import OptionError, OutputError

FORMATS = ("bmp", "png", "jpg", "jpeg", "tif", "tiff", "webp")
_JPEG_QUALITY = 95


def picture_suffix(name: str) -> str:
    """The ending of a picture's format in small letters, without the dot.

    Raises
    ------
    OptionError
        The format is unknown.
    """
    suffix = name.lower().removeprefix(".")
    if suffix not in FORMATS:
        raise OptionError(f"picture format: expected one of {', '.join(FORMATS)}, got {name!r}")
    return suffix


def write_picture(image: NDArray[np.uint8], path: Path) -> None:
    """Write a picture; the path's ending chooses the format.

    Parameters
    ----------
    image
        (H, W, 3) uint8, channels blue, green, red; or (H, W) uint8.
    path
        The file.

    Raises
    ------
    OutputError
        The file can't be written there.
    """
    try:
        if path.suffix.lower() == ".bmp":
            path.write_bytes(bmp(image))
            return
        from PIL import Image

        pixels = image if image.ndim == 2 else image[..., ::-1]
        Image.fromarray(np.ascontiguousarray(pixels)).save(path, quality=_JPEG_QUALITY)
    except (OSError, KeyError) as error:
        raise OutputError(
            f"{path} can't be written: {error}; choose another place or free the disk"
        ) from error


def bmp(image: NDArray[np.uint8]) -> bytes:
    """A picture as a BMP file: 24 bits per pixel, or 8 bits with a palette of greys.

    Parameters
    ----------
    image
        (H, W, 3) uint8, channels blue, green, red; or (H, W) uint8.

    Returns
    -------
    bytes
    """
    height, width = image.shape[:2]
    depth = 24 if image.ndim == 3 else 8
    palette = b"" if depth == 24 else (np.arange(256, dtype="<u4") * 0x010101).tobytes()
    rows = np.zeros((height, (width * depth // 8 + 3) // 4 * 4), np.uint8)
    # stored from the bottom up
    rows[:, : width * depth // 8] = image[::-1].reshape(height, -1)
    start = 54 + len(palette)
    file_header = struct.pack("<2sIII", b"BM", start + rows.size, 0, start)
    info_header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, depth, 0, 0, 0, 0, 0, 0)
    return file_header + info_header + palette + rows.tobytes()

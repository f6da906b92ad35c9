"""Colours are OpenCV's, bit for bit, in every pixel format and size; marks of colour are followed, or not."""

from __future__ import annotations

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter

from mien.video.conversion import BgrConversion
from mien.video.file import VideoFile

LOSSLESS = [
    *("yuv420p", "yuv422p", "yuv444p", "yuv440p", "yuv411p", "yuv410p", "yuva420p", "gray", "bgra", "bgr0"),
    *("yuv420p10le", "yuv422p10le", "yuv444p10le", "yuv420p12le", "gray10le", "gray16le", "gbrp10le"),
]
FORMATS = [("ffv1", pixels) for pixels in LOSSLESS]
FORMATS += [("mjpeg", pixels) for pixels in ("yuvj420p", "yuvj422p", "yuvj444p")]
SIZES = [(64, 48), (63, 48), (64, 47), (63, 47), (98, 74)]


def noisy(width, height, seed):
    y, x = np.mgrid[:height, :width]
    smooth = np.stack([x * 3 + seed * 7, y * 5, (x + y) * 2], axis=-1) % 256
    noise = np.random.default_rng(seed).integers(0, 256, smooth.shape)
    return ((smooth + noise) // 2).astype(np.uint8)


def encode(path, codec, pixels, size, pictures=None, **marks):
    convert = VideoReformatter()
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height = size
        stream.pix_fmt = pixels
        for name, value in marks.items():
            setattr(stream.codec_context, name, value)
        for number in range(2):
            picture = noisy(*size, number) if pictures is None else pictures[number]
            frame = convert.reformat(av.VideoFrame.from_ndarray(picture, "bgr24"), format=pixels)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            for name, value in marks.items():
                setattr(frame, name, value)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def as_opencv(path):
    capture = cv2.VideoCapture(str(path))
    pictures = []
    while (picture := capture.read()[1]) is not None:
        pictures.append(picture)
    capture.release()
    return pictures


def read(path, **options):
    with VideoFile(path, **options) as video:
        return [frame.bgr for frame in video]


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize(("codec", "pixels"), FORMATS)
def test_colours_are_opencvs_bit_for_bit(tmp_path, codec, pixels, size):
    path = encode(tmp_path / "clip.mkv", codec, pixels, size)
    expected = as_opencv(path)
    assert len(expected) == 2
    for compat in (None, "openface"):
        got = read(path, compat=compat)
        assert np.array_equal(got, expected)
        assert got[0].flags.c_contiguous


MARKS = [{"colorspace": 1}, {"color_range": 2}, {"colorspace": 1, "color_range": 2}]


def matrix_of(kr, kb):
    """Y, Cb - 128, Cr - 128 to blue, green, red (ITU-R BT.601, BT.709)."""
    kg = 1 - kr - kb
    return np.array(
        [[1, 2 - 2 * kb, 0], [1, -kb * (2 - 2 * kb) / kg, -kr * (2 - 2 * kr) / kg], [1, 0, 2 - 2 * kr]]
    )


@pytest.mark.parametrize("marks", MARKS, ids=str)
def test_marks_of_colour_are_followed_as_players_do_and_not_for_openface(tmp_path, marks):
    """VP9 keeps the pixel format and writes the marks into the stream."""
    flat = [np.full((48, 64, 3), colour, np.uint8) for colour in ((90, 160, 200), (200, 60, 120))]
    convert = VideoReformatter()
    marked = encode(tmp_path / "a.mkv", "libvpx-vp9", "yuv420p", (64, 48), flat, **marks)
    plain = encode(tmp_path / "b.mkv", "libvpx-vp9", "yuv420p", (64, 48), flat)
    assert np.array_equal(read(marked, compat="openface"), read(plain, compat="openface"))
    assert np.array_equal(read(plain), read(plain, compat="openface"))
    matrix = matrix_of(0.2126, 0.0722) if marks.get("colorspace") == 1 else matrix_of(0.299, 0.114)
    full = marks.get("color_range") == 2
    for picture, got in zip(flat, read(marked), strict=True):
        planes = convert.reformat(av.VideoFrame.from_ndarray(picture, "bgr24"), format="yuv444p").to_ndarray()
        y, cb, cr = planes[:, 20, 20].astype(float)
        stored = (
            [y, cb - 128, cr - 128]
            if full
            else [(y - 16) * 255 / 219, *((np.array([cb, cr]) - 128) * 255 / 224)]
        )
        expected = np.clip(matrix @ stored, 0, 255)
        assert np.abs(got[20, 20] - expected).max() < 6  # the codec's own loss is up to 3


def test_a_wanted_size_is_reached_in_the_same_pass():
    picture = av.VideoFrame.from_ndarray(noisy(64, 48, 1), "bgr24")
    enlarged = BgrConversion()(picture, (128, 48))
    assert enlarged.shape == (48, 128, 3)
    assert (
        np.abs(
            cv2.resize(noisy(64, 48, 1), (128, 48), interpolation=cv2.INTER_CUBIC).astype(int) - enlarged
        ).mean()
        < 6
    )

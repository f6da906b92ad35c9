"""Reads damaged pictures, or videos, of every format; reports what is neither a result nor mien's own error.

    python tools/fuzz_pictures.py --count 100000
    python tools/fuzz_pictures.py --videos --count 3000

Small pictures of every format are made, damaged at random (bytes changed, inserted, removed, cut off, numbers
made extreme, pieces of others put in) and read as an analysis reads them. That happens in a process of its
own with limited memory, which is started again when it dies; the input at hand then counts as a crash. Every
input is made from the seed and its number alone, so that ``--first N --count 1`` repeats one. Further files
to damage may be named.
"""

from __future__ import annotations

import argparse
import collections
import io
import multiprocessing
import os
import random
import sys
import tempfile
import time
import warnings
from fractions import Fraction
from pathlib import Path

import numpy as np

LIMIT_S, MEMORY = 10.0, 4 << 30
"""What one input may take: seconds, and bytes of the whole process."""
_EXTREME = (
    b"\x00",
    b"\xff",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\xff",
    b"\x00\x00\x00\x00",
    b"\x80\x00",
    b"\x00\x01",
)


def pictures() -> dict[str, bytes]:
    """A file of every format and of what matters within it, by a name with its ending."""
    from PIL import Image

    y, x = np.mgrid[:48, :64]
    pixels = np.stack([x * 4, y * 5, (x * y) % 256], axis=-1).astype(np.uint8)
    image = Image.fromarray(pixels)
    others = [Image.fromarray(np.roll(pixels, 9 * i, axis=1)) for i in range(1, 4)]
    exif = Image.Exif()
    exif[0x0112] = 6
    many = {"save_all": True, "append_images": others}
    variants = {
        "a.jpg": (image, {"exif": exif}),
        "progressive.jpg": (image, {"progressive": True}),
        "gray.jpg": (image.convert("L"), {}),
        "a.png": (image, {"exif": exif}),
        "palette.png": (image.convert("P"), {}),
        "deep.png": (Image.fromarray((x * 900).astype(np.uint16)), {}),
        "moving.png": (image, many),
        "a.webp": (image, {"exif": exif}),
        "lossless.webp": (image, {"lossless": True}),
        "moving.webp": (image, many),
        "a.bmp": (image, {}),
        "palette.bmp": (image.convert("P"), {}),
        "a.tif": (image, {}),
        "lzw.tif": (image, {"compression": "tiff_lzw"}),
        "jpeg.tif": (image, {"compression": "jpeg"}),
        "deflate.tif": (image, {"compression": "tiff_adobe_deflate"}),
        "pages.tif": (image, many),
        "a.gif": (image.convert("P"), {}),
        "moving.gif": (image, many),
        "a.avif": (image, {}),
        "moving.avif": (image, many),
    }
    made = {}
    for name, (what, options) in variants.items():
        buffer = io.BytesIO()
        what.save(
            buffer, {"jpg": "JPEG", "tif": "TIFF"}.get(name[-3:], name.rsplit(".")[-1].upper()), **options
        )
        made[name] = buffer.getvalue()
    return made


def videos() -> dict[str, bytes]:
    """A short video of every container and codec that this FFmpeg writes."""
    import av

    wanted = {
        "a.mp4": ("libx264", "yuv420p"),
        "a.mov": ("mjpeg", "yuvj420p"),
        "a.mkv": ("libx264", "yuv420p"),
        "a.webm": ("libvpx", "yuv420p"),
        "b.webm": ("libvpx-vp9", "yuv420p"),
        "a.wmv": ("wmv2", "yuv420p"),
        "a.flv": ("flv", "yuv420p"),
        "a.avi": ("mpeg4", "yuv420p"),
        "b.avi": ("mjpeg", "yuvj420p"),
        "a.ts": ("libx264", "yuv420p"),
        "a.mpg": ("mpeg2video", "yuv420p"),
        "a.gif": ("gif", "rgb8"),
    }
    made = {}
    for name, (codec, pixels) in wanted.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            with av.open(str(path), "w") as container:
                stream = container.add_stream(codec, rate=25)
                stream.width, stream.height, stream.pix_fmt = 96, 64, pixels
                stream.codec_context.gop_size = 8
                for number in range(24):
                    noise = np.random.default_rng(number).integers(60, 140, (64, 96, 3), dtype=np.uint8)
                    frame = av.VideoFrame.from_ndarray(noise, "rgb24").reformat(format=pixels)
                    frame.pts, frame.time_base = number, Fraction(1, 25)
                    container.mux(stream.encode(frame))
                container.mux(stream.encode())
            made[name] = path.read_bytes()
    return made


def damaged(files: dict[str, bytes], number: int, seed: int) -> tuple[str, bytes]:
    """The input with this number: a name and its bytes."""
    chance = random.Random(f"{seed}:{number}")
    name = chance.choice(sorted(files))
    data = bytearray(files[name])
    for _ in range(chance.choice((1, 1, 2, 4, 8, 30))):
        if not data:
            break
        # headers are where it hurts
        place = chance.randrange(min(len(data), 200) if chance.random() < 0.5 else len(data))
        _DAMAGES[chance.randrange(len(_DAMAGES))](data, place, chance, files)
    if chance.random() < 0.05:
        name = f"{name.rsplit('.')[0]}.{chance.choice(sorted(files)).rsplit('.')[-1]}"
    return name, bytes(data)


def _change(data, place, chance, files):
    data[place] = chance.randrange(256)


def _flip(data, place, chance, files):
    data[place] ^= 1 << chance.randrange(8)


def _extreme(data, place, chance, files):
    value = chance.choice(_EXTREME)
    data[place : place + len(value)] = value


def _remove(data, place, chance, files):
    del data[place : place + chance.choice((1, 2, 7, 64, 500))]


def _insert(data, place, chance, files):
    data[place:place] = chance.randbytes(chance.choice((1, 2, 7, 64)))


def _cut(data, place, chance, files):
    if chance.random() < 0.3:
        del data[place:]


def _zero(data, place, chance, files):
    length = chance.choice((4, 32, 300))
    data[place : place + length] = bytes(min(length, len(data) - place))


def _borrow(data, place, chance, files):
    other = files[chance.choice(sorted(files))]
    start = chance.randrange(len(other))
    piece = other[start : start + chance.choice((4, 16, 128))]
    data[place : place + len(piece)] = piece


_DAMAGES = (_change, _flip, _extreme, _remove, _insert, _cut, _zero, _borrow)


def read(path: Path, *, as_video: bool) -> str:
    """Read a file as an analysis does, and say in a word how it went."""
    from mien.video.file import open_video
    from mien.video.source import are_pictures
    from mien.video.stills import read_still

    if not as_video and are_pictures(path):
        read_still(path)
        return "read"
    with open_video(path) as video:
        for number, _ in enumerate(video):
            if number > 500:
                return "long"
        return "read, losses told" if video.lost else "read"


def work(options: argparse.Namespace, first: int, results) -> None:
    """Read inputs from one on, and report each; dies with the first that crashes."""
    import logging
    import resource

    from mien.errors import MienError

    warnings.simplefilter("error")  # what would reach a terminal is a finding
    logging.lastResort = None
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    files = sources(options)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(first, options.first + options.count):
            name, data = damaged(files, number, options.seed)
            path = Path(folder) / name
            path.write_bytes(data)
            results.put(("begin", number, "", 0.0, 0))
            begin = time.perf_counter()
            try:
                how = read(path, as_video=options.videos)
            except MienError as error:
                how = "refused" if "\n" not in str(error) else f"TWO LINES {error!r}"
            except Exception as error:
                how = f"FOREIGN {type(error).__name__}: {error}"
            took = time.perf_counter() - begin
            results.put(("end", number, how, took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
            path.unlink()
    results.put(("done", 0, "", 0.0, 0))


def sources(options: argparse.Namespace) -> dict[str, bytes]:
    """What is damaged: the made files, and those named."""
    made = videos() if options.videos else pictures()
    return made | {path.name: path.read_bytes() for path in options.files}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", type=Path, help="further files to damage")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--videos", action="store_true")
    parser.add_argument("--keep", type=Path, help="folder for inputs that are findings")
    options = parser.parse_args()
    found = collections.Counter()
    findings, slowest, memory = [], (0.0, -1), 0
    context = multiprocessing.get_context("spawn")
    first = options.first
    while first < options.first + options.count:
        results = context.SimpleQueue()
        worker = context.Process(target=work, args=(options, first, results))
        worker.start()
        at, over = first, ""
        while True:
            if not _waits(results, worker, LIMIT_S * 3):
                over = "HANGS" if worker.is_alive() else f"CRASHES with {worker.exitcode}"
                break
            event, number, how, took, used = results.get()
            if event == "done":
                break
            at = number
            if event == "end":
                word = how.split(":")[0] if how.startswith("FOREIGN") else how
                found[word] += 1
                slowest, memory = max(slowest, (took, number)), max(memory, used)
                if how.startswith(("FOREIGN", "TWO")) or took > LIMIT_S:
                    findings.append((number, how, took))
        worker.kill()
        worker.join()
        if not over:
            break
        findings.append((at, over, 0.0))
        found[over] += 1
        first = at + 1
    print(f"{sum(found.values())} inputs, seed {options.seed}: {dict(found.most_common())}")
    print(f"slowest {slowest[0]:.2f} s (number {slowest[1]}), peak memory {memory / 1024:.0f} MB")
    files = sources(options)
    for number, how, took in findings[:50]:
        name, data = damaged(files, number, options.seed)
        print(f"number {number}, {name}: {how} ({took:.1f} s)")
        if options.keep:
            options.keep.mkdir(parents=True, exist_ok=True)
            (options.keep / f"{number}_{name}").write_bytes(data)
    sys.exit(1 if findings else 0)


def _waits(results, worker, limit_s: float) -> bool:
    """Whether there is a result in time; not where the worker has died or is stuck."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        if not results.empty():
            return True
        if not worker.is_alive():
            return not results.empty()
        time.sleep(0.0002)
    return False


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()

"""A study of many files: short pieces of real videos, damaged ones among them."""

from __future__ import annotations

import itertools
import shutil
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

VIDEOS = (
    "0417_02_003_bill_clinton.avi",
    "2015-10-15-15-14.avi",
    "clip2.mp4",
    "default.wmv",
    "multi_face.avi",
    "subj01_timepoint01.mp4",
)


def cut(source: Path, first: int, frames: int, pieces: int, folder: Path) -> list[Path]:
    """Cut neighbouring pieces of so many frames out of a video."""
    made = []
    with av.open(str(source)) as container:
        pictures = container.decode(video=0)
        for _ in itertools.islice(pictures, first):
            pass
        for number in range(pieces):
            path = folder / f"{source.stem}-{number:02}.mp4"
            write(path, [frame.to_ndarray(format="rgb24") for frame in itertools.islice(pictures, frames)])
            made.append(path)
    return made


def write(path: Path, pictures: list[np.ndarray]) -> None:
    """Encode pictures as they are, but for compression."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt, stream.bit_rate = "yuv420p", 4_000_000
        for number, rgb in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def make_study(media: Path, folder: Path, *, frames: int = 5, pieces: int = 9) -> list[str]:
    """Fill a folder with clips of all videos, pictures, and files that are not right; gives their names."""
    for name in VIDEOS:
        place = folder / Path(name).stem
        place.mkdir(parents=True)
        cut(media / name, 5, frames, pieces, place)
    odd = folder / "odd"
    odd.mkdir()
    good = sorted(folder.glob("default/*.mp4"))[0]
    shutil.copyfile(good, odd / "same.mp4")
    with av.open(str(good)) as source, av.open(str(odd / "same.avi"), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    (odd / "empty.mp4").write_bytes(b"")
    (odd / "text.mp4").write_bytes(b"this is no video" * 100)
    (odd / "cut.mp4").write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    write(odd / "nobody.mp4", [np.full((240, 320, 3), 40, np.uint8)] * frames)
    for name in ("sample1.jpg", "sample2.jpg"):
        shutil.copyfile(media / name, odd / name)
    Image.fromarray(np.full((240, 320, 3), 40, np.uint8)).save(odd / "nobody.png")
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


DAMAGED = ["odd/cut.mp4", "odd/empty.mp4", "odd/text.mp4"]
"""Those of which nothing can be read."""

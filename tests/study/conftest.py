"""A small study: drawn faces on video, with synthetic models; the command is the installed one."""

from __future__ import annotations

import math
import shutil
import subprocess

import av
import numpy as np
import pytest
from PIL import Image
from study_process import start

from synthetic_face import Pose, picture
from synthetic_models import write_openface
from synthetic_video import write_video

FRAMES = 6
SIZE = (320, 240)


@pytest.fixture(scope="session")
def study_models(tmp_path_factory):
    """A complete synthetic model folder."""
    return write_openface(tmp_path_factory.mktemp("models") / "openface-2.2.0", ce_clm=False)


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """Recordings to copy: two clips, one without a face, a damaged one, a picture, one without a face."""
    folder = tmp_path_factory.mktemp("drawn")

    def pictures(first):
        for turn in (2 * math.pi * (first + i) / 50 for i in range(FRAMES)):
            yield picture(Pose(x=160 + 3 * math.sin(turn), y=120 + 2 * math.cos(turn)), *SIZE)

    write_video(folder / "one.mp4", list(pictures(0)))
    write_video(folder / "two.mp4", list(pictures(20)))
    blank = np.full((SIZE[1], SIZE[0], 3), 30, np.uint8)
    write_video(folder / "nobody.mp4", [blank] * FRAMES)
    (folder / "damaged.mp4").write_bytes(b"this is no video" * 40)
    Image.fromarray(next(pictures(0))[..., ::-1]).save(folder / "face.png")
    Image.fromarray(blank).save(folder / "nobody.png")
    return folder


@pytest.fixture
def face_hours(drawn, tmp_path):
    """A folder with one recording that takes long."""
    folder = tmp_path / "hours"
    folder.mkdir()
    with av.open(str(drawn / "one.mp4")) as source, av.open(str(folder / "long.mp4"), "w") as target:
        original = source.streams.video[0]
        stream = target.add_stream_from_template(original)
        packets = [packet for packet in source.demux(original) if packet.dts is not None]
        for number, packet in enumerate(packets * 2000):
            packet.pts = packet.dts = number * (packet.duration or 1)
            packet.stream = stream
            target.mux(packet)
    return folder


@pytest.fixture
def recordings(tmp_path, drawn):
    """A folder of a study with every kind of recording."""
    folder = tmp_path / "recordings"
    for place, name in (
        ("day1/a.mp4", "one"),
        ("day1/b.mp4", "two"),
        ("day2/a.mp4", "two"),
        ("day2/a.avi", "one"),
        ("day2/nobody.mp4", "nobody"),
        ("day2/damaged.mp4", "damaged"),
        ("photos/face.png", "face"),
        ("photos/nobody.png", "nobody"),
    ):
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        source = drawn / f"{name}{'.png' if place.endswith('.png') else '.mp4'}"
        shutil.copyfile(source, target)
    (folder / "day1" / "notes.txt").write_text("no recording")
    return folder


@pytest.fixture
def study(study_models, tmp_path):
    """Run ``mien study`` to its end in an empty folder."""

    def run(*arguments, code=0) -> subprocess.CompletedProcess:
        elsewhere = {"--workers", "--scheduler"} & set(arguments)
        process = start(study_models, tmp_path, *arguments, *([] if elsewhere else ["--workers", "1"]))
        out, err = process.communicate(timeout=300)
        assert process.returncode == code, f"{out}\n{err}"
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    return run

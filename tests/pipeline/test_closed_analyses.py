"""A closed analysis gives back memory and descriptors at once, not when Python looks for circles."""

from __future__ import annotations

import gc
import os
import threading
from contextlib import contextmanager, suppress

import av
import pytest

import mien
import synthetic_face
from mien.analysis.outputs import OutputOptions
from mien.analysis.videos import Analysis
from mien.live.session import LiveAnalysis
from mien.options import AnalysisOptions
from mien.packs import build_stages, choose_pack
from mien.video.file import VideoFile
from mien.video.pacing import RealTime
from synthetic_face import Pose
from synthetic_video import write_video

OURS = ("mien", "onnxruntime", "av")
FRAMES = 6
_SIDE_DATA_HOLDS_ITS_FRAME = int(av.__version__.partition(".")[0]) < 19
"""Circles of PyAV's own, which it has got rid of: of the pictures whose side data were asked for."""


@pytest.fixture(scope="module")
def picture():
    return synthetic_face.picture(Pose(1.5, x=320, y=240))


@pytest.fixture(scope="module")
def clip(tmp_path_factory, picture):
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", [picture] * FRAMES)


@pytest.fixture(autouse=True)
def models(monkeypatch, synthetic_openface):
    monkeypatch.setenv("MIEN_MODELS", str(synthetic_openface))


@contextmanager
def without_collector():
    """Collect circles before, none meanwhile."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def caught_in_circles(work) -> list[str]:
    """Types of the package's objects, and of what holds memory for it, that only the collector would free."""
    work()  # what is loaded once and kept
    with without_collector():
        work()
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        names = {f"{type(item).__module__}.{type(item).__qualname__}" for item in gc.garbage}
    if _SIDE_DATA_HOLDS_ITS_FRAME:
        names = {name for name in names if not name.startswith("av.")}
    return sorted(name for name in names if name.split(".")[0] in OURS or "memmap" in name or "mmap" in name)


def descriptors() -> int:
    folder = next((folder for folder in ("/proc/self/fd", "/dev/fd") if os.path.isdir(folder)), None)
    if folder is None:
        pytest.skip("the system does not tell open descriptors")
    return len(os.listdir(folder))


def whole(clip, **options):
    mien.analyze(clip, **options)


def left_early(clip, **options):
    for face in mien.track(clip, **options):
        if face.frame == 2:
            break


def with_outputs(clip, tmp_path):
    outputs = OutputOptions(folder=tmp_path, base="clip", hog=True)
    with Analysis(clip, AnalysisOptions(models="openface", end_s=0.1), outputs=outputs) as analysis:
        for _ in analysis:
            pass
        analysis.result()
        analysis.outputs.close()


def live(clip):
    with VideoFile(clip) as video:
        stages = build_stages(choose_pack("openface"), AnalysisOptions())
        for _ in LiveAnalysis(RealTime(video), stages):
            pass


def test_the_clip_shows_a_face(clip):
    assert mien.analyze(clip).success.all()


@pytest.mark.parametrize("landmarks", ["clnf", "ce-clm"])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_whole_video_leaves_nothing(clip, landmarks, threads):
    assert caught_in_circles(lambda: whole(clip, landmarks=landmarks, threads=threads)) == []


@pytest.mark.parametrize("options", [{"faces": "many"}, {"every": 3}, {"models": "open"}])
def test_other_ways_through_leave_nothing_either(clip, options):
    assert caught_in_circles(lambda: whole(clip, **options)) == []


def test_many_faces_of_the_open_models_leave_nothing(clip):
    assert caught_in_circles(lambda: whole(clip, models="open", faces="many")) == []


def test_an_analysis_that_is_left_early_leaves_nothing(clip):
    assert caught_in_circles(lambda: left_early(clip)) == []


def test_outputs_leave_nothing(clip, tmp_path):
    assert caught_in_circles(lambda: with_outputs(clip, tmp_path)) == []


def test_a_live_analysis_leaves_nothing(clip):
    assert caught_in_circles(lambda: live(clip)) == []


def test_pictures_leave_nothing(tmp_path, picture):
    from PIL import Image

    Image.fromarray(picture[..., ::-1]).save(tmp_path / "face.png")
    assert caught_in_circles(lambda: whole(tmp_path / "face.png")) == []


def test_an_analysis_that_fails_leaves_nothing(clip, tmp_path):
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(clip.read_bytes()[:1000])

    def fail():
        with suppress(mien.MienError):
            whole(damaged)

    assert caught_in_circles(fail) == []


def test_threads_of_one_process_give_back_every_descriptor(clip):
    """Four at a time, as somebody with many videos would; without a word to the collector."""

    def four_at_once():
        threads = [
            threading.Thread(target=whole, args=(clip,), kwargs={"landmarks": "ce-clm"}) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    four_at_once()
    with without_collector():
        before, threads = descriptors(), threading.active_count()
        for _ in range(3):
            four_at_once()
        assert descriptors() == before
        assert threading.active_count() == threads

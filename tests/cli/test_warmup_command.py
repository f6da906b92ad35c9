"""mien warmup: all kernels are compiled ahead, by one process or two, and then never again."""

import dataclasses
import os
import subprocess
import sys

import pytest

from mien.analysis import warmup
from mien.models.store import ModelStore
from mien.options import AnalysisOptions
from mien.packs import build_stages, describe_pack
from mien.pipeline import Pipeline
from mien.runtime import compilation
from mien.runtime.compilation import counting_compilations, is_warm
from synthetic_video import numbered_video

OPTIONS = AnalysisOptions(models="openface", landmarks="clnf")


@pytest.fixture
def pack(synthetic_openface, monkeypatch):
    monkeypatch.setenv("MIEN_MODELS", str(synthetic_openface))
    return describe_pack("openface", ModelStore(synthetic_openface))


@pytest.fixture
def own_markers(monkeypatch, tmp_path):
    """Markers of this test only; the compiled kernels themselves are shared."""
    monkeypatch.setattr(compilation, "_marker", lambda pack, landmarks: tmp_path / f"{pack}-{landmarks}.warm")


def test_an_analysis_after_it_compiles_nothing(pack, own_markers):
    warmup.warm_up(pack, OPTIONS)
    frames = warmup.portrait_frames()
    with counting_compilations() as compiled:
        assert len(list(Pipeline(build_stages(pack, OPTIONS)).run(frames))) == len(frames)
    assert compiled() == 0


def test_both_shares_leave_nothing_to_compile_but_what_the_whole_needs(pack):
    frame = warmup.portrait_frames()[0]
    stages = build_stages(pack, OPTIONS)
    for share in warmup._SHARES["openface"]:
        share(stages, frame)
    with counting_compilations() as compiled:
        stages.tracker.reset()
        (face,) = stages.tracker.track(frame)
        camera = stages.camera_for(640, 480)
        pose, landmarks_3d = stages.pose.estimate(face.landmarks, camera)
        stages.gaze.estimate(dataclasses.replace(face.landmarks, success=True), landmarks_3d, pose, camera)
    assert compiled() == 0


PROGRAM = """
import sys
from mien.cli.main import app
from mien.runtime.compilation import counting_compilations
with counting_compilations() as compiled:
    try:
        app(sys.argv[1:])
    finally:
        print(compiled(), [name for name in ("pydantic", "rich", "PIL") if name in sys.modules])
"""


def test_an_analysis_after_it_compiles_nothing_and_imports_nothing_idle(pack, tmp_path):
    video = tmp_path / "gray.mp4"
    numbered_video(video, 2)
    command = [
        "analyze",
        str(video),
        "-o",
        str(tmp_path / "out.csv"),
        "--models",
        "openface",
        "--landmarks",
        "clnf",
    ]
    runs = [
        subprocess.run([sys.executable, "-c", PROGRAM, *command], capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert runs[-1].stdout.splitlines()[-1] == "0 []"


def test_it_is_remembered_per_pack_and_landmark_model(pack, own_markers):
    assert not is_warm("openface", "clnf")
    warmup.warm_up(pack, OPTIONS)
    assert is_warm("openface", "clnf")
    assert not is_warm("openface", "ce-clm")
    assert not is_warm("openface", None)


def test_one_core_compiles_in_one_process(pack, own_markers, monkeypatch):
    monkeypatch.setattr(warmup, "available_cores", lambda: 1)
    assert warmup.warm_up(pack, OPTIONS).processes == 1


def test_a_second_process_that_fails_leaves_its_share_to_the_first(pack, own_markers, monkeypatch):
    monkeypatch.setattr(warmup, "available_cores", lambda: 2)
    monkeypatch.setattr(warmup.sys, "executable", "/bin/false")
    assert warmup.warm_up(pack, OPTIONS).processes == 2


def test_the_command_says_when_it_is_ready(mien):
    done = mien("warmup", "--models", "open")
    assert done.returncode == 0, done.stderr
    assert "Ready after" in done.stdout
    assert "Compiling" not in mien("warmup", "--models", "open").stderr


TOGETHER = """
from mien.packs import choose_pack
from mien.options import AnalysisOptions
from mien.analysis.warmup import warm_up
done = warm_up(choose_pack("open"), AnalysisOptions(models="open"))
print(done.compiled, done.processes)
"""


def test_of_two_processes_that_start_together_one_compiles(tmp_path):
    environment = os.environ | {"MIEN_CACHE": str(tmp_path)}
    processes = [
        subprocess.Popen([sys.executable, "-c", TOGETHER], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    compiled, processes = zip(*sorted(process.communicate()[0].split() for process in processes), strict=True)
    assert processes == ("0", "1")
    assert int(compiled[0]) == 0 < int(compiled[1])


def test_a_first_analysis_says_once_that_it_compiles_whatever_it_compiles(mien, face_video, tmp_path):
    environment = os.environ | {"MIEN_CACHE": str(tmp_path / "cache")}
    command = [
        "analyze",
        face_video,
        "--models",
        "open",
        "--end",
        "0.1",
        "--tracked",
        "-o",
        tmp_path / "out.csv",
    ]
    runs = [mien(*command, env=environment) for _ in range(2)]
    assert [run.stderr.count("Compiling") for run in runs] == [1, 0], runs[0].stderr

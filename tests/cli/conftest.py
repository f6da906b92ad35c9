"""The real executable, in a subprocess, with synthetic models and a synthetic face."""

from __future__ import annotations

import math
import subprocess
from pathlib import Path

import pytest
from cli_process import environment, executable

from synthetic_face import Pose, picture
from synthetic_models import write_openface
from synthetic_video import write_video

WIDTH, HEIGHT = 320, 240


def _pose(i: int) -> Pose:
    turn = 2 * math.pi * i / 50
    return Pose(scale=1.0, rotation=(0.0, 0.0, 0.0), x=160 + 3 * math.sin(turn), y=120 + 2 * math.cos(turn))


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory):
    """A complete synthetic model folder."""
    return write_openface(tmp_path_factory.mktemp("models") / "openface-2.2.0", ce_clm=False)


@pytest.fixture(scope="session")
def face_pictures():
    """Fifty pictures of a drawn face that moves in a circle."""
    return [picture(_pose(i), WIDTH, HEIGHT) for i in range(50)]


@pytest.fixture(scope="session")
def face_video(tmp_path_factory, face_pictures) -> Path:
    """Two seconds of the drawn face."""
    return write_video(tmp_path_factory.mktemp("video") / "face.mp4", face_pictures)


@pytest.fixture
def analyze(mien):
    """Run ``mien analyze`` with the synthetic CLNF model."""

    def run(video: Path, *arguments: object) -> subprocess.CompletedProcess:
        return mien("analyze", video, "--models", "openface", "--landmarks", "clnf", *arguments)

    return run


@pytest.fixture
def mien(models_folder, tmp_path):
    """Run ``mien`` in an empty folder; gives the finished process with its text."""

    def run(*arguments: object, models: Path | None = models_folder, **kwargs) -> subprocess.CompletedProcess:
        return subprocess.run(
            [executable(), *map(str, arguments)],
            env=environment(models) | kwargs.pop("env", {}),
            cwd=kwargs.pop("cwd", tmp_path),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            **kwargs,
        )

    return run

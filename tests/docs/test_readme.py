"""The README's example of the library: typed, and it prints something sensible with either pack of models."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mien.data import PORTRAIT
from mien.video.known_motion import portrait_motion, render, write_video
from synthetic_face import Pose, picture
from synthetic_models import write_openface
from synthetic_video import write_video as write_pictures

README = Path(__file__).resolve().parent.parent.parent / "README.md"
(EXAMPLE,) = re.findall(
    r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)


@pytest.fixture
def example(tmp_path):
    path = tmp_path / "example.py"
    path.write_text(EXAMPLE, encoding="utf-8")
    return path


def run(path: Path, models: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command, path.name],
        cwd=path.parent,
        env=os.environ | {"MIEN_MODELS": str(models)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def test_the_example_is_typed(example, tmp_path):
    pytest.importorskip("mypy")
    done = run(example, tmp_path, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"))
    assert done.returncode == 0, done.stdout


def check(done: subprocess.CompletedProcess[str], folder: Path) -> None:
    assert done.returncode == 0, done.stderr
    assert (folder / "interview.csv").is_file()
    assert "nan" not in done.stdout
    assert re.search(r"^0\.00 s: .*\d", done.stdout, re.MULTILINE)


def test_the_example_runs_with_the_open_models(example, tmp_path):
    from PIL import Image

    frames = render(Image.open(PORTRAIT), portrait_motion(20), (640, 480))
    write_video(frames, tmp_path / "interview.mp4")
    check(run(example, tmp_path / "none"), tmp_path)


def test_the_example_runs_with_models_of_openface(example, tmp_path):
    pictures = [picture(Pose(x=160 + i % 3, y=120), 320, 240) for i in range(20)]
    write_pictures(tmp_path / "interview.mp4", pictures)
    check(run(example, write_openface(tmp_path / "openface-2.2.0", ce_clm=False)), tmp_path)

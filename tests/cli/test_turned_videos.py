"""Videos whose people are not upright, through the real command: the summary says so, and only then."""

import itertools
import json

import numpy as np
import pytest
from PIL import Image

from mien.data import PORTRAIT
from mien.video.file import VideoFile
from synthetic_video import write_video

LINE = "In most frames faces are found more surely when the picture is turned"


def turned(path, pictures, clockwise):
    """A video of pictures that must be turned clockwise to be upright."""
    return write_video(path, [np.ascontiguousarray(np.rot90(each, clockwise // 90)) for each in pictures])


@pytest.mark.parametrize(
    ("clockwise", "words"),
    [
        (90, "by 90 degrees clockwise: is v.mp4 on its side?"),
        (180, "by 180 degrees: is v.mp4 upside down?"),
        (270, "by 90 degrees counterclockwise: is v.mp4 on its side?"),
    ],
)
def test_a_turned_portrait_is_told_of_with_the_open_models(mien, tmp_path, clockwise, words):
    with Image.open(PORTRAIT) as image:
        portrait = np.asarray(image.convert("RGB"))[..., ::-1]
    video = turned(tmp_path / "v.mp4", [portrait] * 3, clockwise)
    done = mien("analyze", video, "--models", "open")
    assert done.returncode == 0, done.stderr
    assert f"{LINE} {words}" in done.stdout
    (note,) = json.loads((tmp_path / "v.provenance.json").read_text())["notes"]
    assert note == f"{LINE} {words}"


def test_an_upright_portrait_is_not(mien, tmp_path):
    with Image.open(PORTRAIT) as image:
        portrait = np.asarray(image.convert("RGB"))[..., ::-1]
    done = mien("analyze", turned(tmp_path / "v.mp4", [portrait] * 3, 0), "--models", "open")
    assert done.returncode == 0, done.stderr
    assert LINE not in done.stdout
    assert json.loads((tmp_path / "v.provenance.json").read_text())["notes"] == []


@pytest.mark.models
@pytest.mark.parametrize(("clockwise", "told"), [(0, False), (180, True)])
@pytest.mark.parametrize("clip", ["default.wmv", "clip2.mp4"])
def test_a_turned_clip_is_told_of_with_openfaces_models(
    mien, openface_dir, media_dir, tmp_path, clip, clockwise, told
):
    with VideoFile(media_dir / clip) as frames:
        pictures = [frame.bgr for frame in itertools.islice(frames, 0, 90, 3)]
    video = turned(tmp_path / "v.mp4", pictures, clockwise)
    done = mien("analyze", video, "--models", "openface", "--landmarks", "clnf", models=openface_dir)
    assert done.returncode == 0, done.stderr
    assert (f"{LINE} by 180 degrees: is v.mp4 upside down?" in done.stdout) is told
    assert (LINE in done.stdout) is told

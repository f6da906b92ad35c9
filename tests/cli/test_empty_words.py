"""Nothing between quotes, as a shell leaves of a variable that is not set, is never the current folder."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import mien
from mien.cli.main import app


@pytest.fixture(autouse=True)
def folder_with_a_picture(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save("a.png")


@pytest.mark.parametrize("blank", ["", "  "])
@pytest.mark.parametrize(
    ("words", "after"),
    [
        (["analyze", None], "analyze"),
        (["analyze", "a.png", None], "a.png"),
        (["analyze", "a.png", "-o", None], "-o"),
        (["analyze", "a.png", "--boxes={}"], "--boxes"),
        (["analyze", "a.mp4", "--neutral", None], "--neutral"),
        (["study", None, "-o", "out"], "study"),
        (["sides", None], "sides"),
        (["report", None], "report"),
        (["compare", "a.csv", None], "a.csv"),
        (["models", "import", None], "import"),
        (["live", "--jsonl", None], "--jsonl"),
        (["FaceLandmarkImg", "-fdir", None], "-fdir"),
        ([None], "mien"),
    ],
)
def test_an_empty_word_is_one_line_that_says_where_it_stands(words, after, blank, tmp_path):
    words = [blank if word is None else word.format(blank) for word in words]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    assert done.output.startswith(f"mien: what follows {after} is empty; expected a value, a name, or .")
    assert done.output.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_python_refuses_it_too():
    for read in (mien.analyze, mien.track, mien.sides):
        with pytest.raises(mien.SourceError, match="the name of the source is empty"):
            read("")


def test_python_refuses_names_that_are_too_long_for_a_file():
    for read in (mien.analyze, mien.track, mien.sides, mien.VideoFile):
        with pytest.raises(mien.SourceError, match="name too long"):
            read("a" * 300 + ".mp4")


@pytest.mark.parametrize(
    ("option", "text", "message"),
    [
        ("--columns", "gaze,", "unknown columns ''"),
        ("--extra", ",", "unknown extra columns ''"),
        ("--also", "csv,", "got ''"),
        ("--skip", "gaze,,aus", "got ''"),
    ],
)
def test_an_empty_name_in_a_list_is_shown_as_such(option, text, message):
    done = subprocess.run(
        [sys.executable, "-m", "mien", "analyze", "a.png", option, text], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert message in done.stderr

"""What is counted while rows pass by, and what is said of it."""

from __future__ import annotations

import tempfile

import numpy as np
import pytest

from mien.analysis.job_run import keep_tables
from mien.analysis.outcome import JobOutcome, Tally, impossible_pose
from mien.analysis.outputs import OutputOptions
from mien.cli.exit_codes import ExitCode
from mien.cli.words import exit_code, printable, remarks, worst
from mien.datatypes import HeadPose
from mien.errors import OutputError, SourceError
from mien.results import VideoResult
from synthetic_result import make_result


@pytest.mark.parametrize(
    ("degrees", "impossible"),
    [
        ((0, 0, 0), False),
        ((20, -60, 30), False),
        ((0, 75, 0), False),
        ((0, 0, 90), False),
        ((0, -88, 0), True),
        ((85, 0, 0), True),
        ((60, 75, 0), True),
        ((0, 0, 178), True),
    ],
)
def test_a_visible_face_has_no_such_pose(degrees, impossible):
    pose = HeadPose(np.zeros(3), np.radians(np.array(degrees, float)))
    assert impossible_pose(pose) is impossible


def outcome(**values):
    return JobOutcome(source=None, name="a.mp4", frames=10, rows=10, **values)


def test_a_face_that_stands_upside_down_in_most_frames_is_told_of():
    assert remarks(outcome(successes=8, impossible=4)) == []
    (line,) = remarks(outcome(successes=8, impossible=5))
    assert "62 % of the frames" in line
    assert "upside down" in line


@pytest.mark.parametrize(
    ("values", "code", "quiet_code"),
    [
        ({"successes": 1}, ExitCode.OK, ExitCode.OK),
        ({}, ExitCode.OK, ExitCode.NO_FACE),
        ({"lost": "a frame"}, ExitCode.INCOMPLETE_SOURCE, ExitCode.INCOMPLETE_SOURCE),
        ({"error": SourceError("no")}, ExitCode.ERROR, ExitCode.ERROR),
        ({"stopped": True, "lost": "a frame"}, ExitCode.INTERRUPTED, ExitCode.INTERRUPTED),
    ],
)
def test_exit_codes(values, code, quiet_code):
    assert exit_code(outcome(**values)) is code
    assert exit_code(outcome(**values), quiet=True) is quiet_code


def test_the_worst_code_counts():
    assert worst([]) is ExitCode.OK
    assert worst([ExitCode.NO_FACE, ExitCode.INCOMPLETE_SOURCE, ExitCode.OK]) is ExitCode.INCOMPLETE_SOURCE
    assert worst([ExitCode.INCOMPLETE_SOURCE, ExitCode.ERROR]) is ExitCode.ERROR


def test_lines_hold_nothing_that_a_terminal_would_obey():
    assert printable("a\x1b[31m\n\udce9 · é 面") == "a\\x1b[31m\\n\\udce9 · é 面"


def test_an_empty_tally_is_no_division_by_zero():
    assert Tally().summary()["mean_confidence"] == 0


def test_where_a_further_table_can_not_be_written_the_first_is_kept_in_its_folder(tmp_path, monkeypatch):
    """A disk that is full after the first table: nothing is written a second time elsewhere."""
    save = VideoResult.save

    def failing(self, path, **how):
        if path.suffix == ".jsonl":
            raise OutputError("No space left on device")
        save(self, path, **how)

    monkeypatch.setattr(VideoResult, "save", failing)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "elsewhere"))
    (tmp_path / "elsewhere").mkdir()
    outputs = OutputOptions(folder=tmp_path, base="clip", tables=(".csv", ".jsonl"))
    assert keep_tables(outputs, make_result()) == (tmp_path / "clip.partial.csv",)
    assert list((tmp_path / "elsewhere").iterdir()) == []

"""A live line is the line of a recorded video plus how the analysis keeps up."""

import json
import math

import pytest

from mien.errors import OptionError
from mien.live.lines import LiveEncoder
from mien.live.session import LiveFace
from mien.results.jsonl import RowEncoder
from synthetic_result import make_face


@pytest.fixture
def result():
    return LiveFace(make_face(4), latency_s=0.0123456, dropped=3, fps=29.97)


def test_a_line_has_all_that_a_recorded_line_has_and_the_state_of_the_analysis(result):
    line = LiveEncoder().line(result)
    assert line.endswith("}\n")
    assert line.count("\n") == 1
    read = json.loads(line)
    assert read.pop("live") == {"latency_ms": 12.35, "dropped": 3, "fps": 30.0}
    assert read == json.loads(RowEncoder().face(result.face))


def test_an_unknown_rate_is_null(result):
    first = LiveFace(result.face, 0.01, 0, math.nan)
    assert json.loads(LiveEncoder().line(first))["live"]["fps"] is None


@pytest.mark.parametrize(("corrected", "expected"), [(False, "live"), (True, "live, corrected")])
def test_the_header_says_what_the_numbers_are(corrected, expected):
    about = json.loads(LiveEncoder(corrected=corrected).header())["mien"]
    assert about["action_units"] == expected
    assert about["fields"]["live"]["latency_ms"]["unit"] == "ms"


def test_groups_choose_the_fields(result):
    read = json.loads(LiveEncoder(["pose"]).line(result))
    assert "pose_rotation_rad" in read
    assert "landmarks" not in read
    with pytest.raises(OptionError, match="unknown columns"):
        LiveEncoder(["faces"])

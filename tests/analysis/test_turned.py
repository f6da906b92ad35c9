"""Pictures of a video are judged by how sure a detector is of them, as they are and turned."""

from itertools import pairwise

import numpy as np
import pytest

from mien.analysis.outcome import JobOutcome, Tally
from mien.analysis.turned import Samples, turn_to_upright
from mien.cli.words import remarks

SURE, HALF, NOTHING = 1.9, 1.5, 0.0


def picture(counterclockwise=0):
    """An upright picture has its bright side on top; this one is turned."""
    upright = np.zeros((4, 6, 3), np.uint8)
    upright[0] = 200
    return np.rot90(upright, counterclockwise // 90)


def certainty_of(upright, otherwise):
    return lambda bgr: upright if bgr[0].min() == 200 else otherwise


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_the_turn_is_clockwise(degrees):
    pictures = [picture(degrees)] * 3
    assert turn_to_upright(pictures, certainty_of(HALF, NOTHING)) == degrees


def test_upright_pictures_are_left_alone():
    assert turn_to_upright([picture()] * 5, certainty_of(HALF, NOTHING)) == 0


@pytest.mark.parametrize(
    ("upright", "otherwise", "turn"),
    [(1.5, 1.4, 0), (1.5, 1.3, 180), (0.7, 0.0, 0), (0.8, 0.0, 180), (2.0, 1.8, 0)],
)
def test_faces_must_be_certain_and_clearly_more_so(upright, otherwise, turn):
    assert turn_to_upright([picture(180)] * 3, certainty_of(upright, otherwise)) == turn


@pytest.mark.parametrize(("turned", "upright", "turn"), [(2, 0, 0), (3, 0, 180), (3, 2, 180), (3, 3, 0)])
def test_more_than_half_of_at_least_three_pictures_agree(turned, upright, turn):
    pictures = [picture(180)] * turned + [picture()] * upright
    assert turn_to_upright(pictures, certainty_of(SURE, NOTHING)) == turn


@pytest.mark.parametrize("count", [3, 8, 9, 100, 1000])
def test_samples_are_few_small_and_spread_over_the_video(count):
    samples = Samples()
    for number in range(count):
        samples.add(np.full((720, 1280, 3), number % 256, np.uint8))
    kept = [int(each[0, 0, 0]) for each in samples.pictures]
    assert min(count, 5) <= len(kept) <= 8
    steps = {(b - a) % 256 for a, b in pairwise(kept)}
    assert len(steps) == 1
    assert max(samples.pictures[0].shape) < 512
    if count <= 256:
        assert kept[0] == 0
        assert kept[-1] >= count - 1 - steps.pop()


@pytest.mark.parametrize(
    ("values", "doubtful"),
    [
        ({"successes": 100, "confidence": 97.0}, False),
        ({"successes": 94, "confidence": 97.0}, True),
        ({"successes": 100, "confidence": 92.0}, True),
    ],
)
def test_few_successes_or_a_low_confidence_are_doubtful(values, doubtful):
    assert Tally(frames=100, rows=100, **values).doubtful is doubtful


def outcome(source, **values):
    return JobOutcome(source=source, name="a.mp4", frames=10, rows=10, **values)


def test_the_summary_says_how_to_turn_the_video(tmp_path):
    (line,) = remarks(outcome(tmp_path / "a.mp4", successes=8, impossible=8, turned_deg=180))
    assert "turned by 180 degrees: is a.mp4 upside down?" in line
    assert line.endswith("ffmpeg -i VIDEO -vf hflip,vflip TURNED.mp4")
    nobody, line = remarks(outcome(tmp_path / "a.mp4", turned_deg=90), "openface")
    assert nobody == "No face was found in a.mp4."
    assert "turned by 90 degrees clockwise: is a.mp4 on its side?" in line
    assert line.endswith("ffmpeg -noautorotate -i VIDEO -vf transpose=clock TURNED.mp4")
    (line,) = remarks(outcome(tmp_path, successes=8, turned_deg=270))
    assert line.endswith("Turn its pictures first.")

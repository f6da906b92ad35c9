"""What is drawn in the terminal, and what is said where there is none."""

import io
import math

import pytest
from rich.console import Console

from mien.cli.live_display import Display, Quiet, live_display, picture_of
from mien.live.session import LiveFace
from synthetic_result import make_face


def drawn(result, width=100, height=50):
    console = Console(file=io.StringIO(), width=width)
    console.print(picture_of("camera 0", result, width, height))
    return console.file.getvalue()


def test_all_numbers_are_drawn():
    text = drawn(LiveFace(make_face(2), 0.0123, 0, 29.6))
    for part in ("camera 0", "30 frames/s", "latency 12 ms", "0 dropped", "confidence", "head", "gaze"):
        assert part in text
    assert "AU12 lip corner puller" in text
    assert "AU28" not in text  # has no intensity


@pytest.mark.parametrize(("width", "height"), [(100, 50), (80, 24), (58, 24), (57, 12), (40, 10), (24, 4)])
def test_it_fits_into_the_terminal(width, height):
    lines = drawn(LiveFace(make_face(2), 0.0123, 0, 29.6), width, height).rstrip().split("\n")
    assert len(lines) < max(height, 6)
    assert max(map(len, lines)) <= width
    assert lines[0].startswith("30 frames/s")
    assert "confidence" in lines[1]


def test_what_was_not_measured_is_left_out():
    text = drawn(LiveFace(make_face(2, gaze=False, units=False), 0.01, 3, math.nan))
    assert "gaze" not in text
    assert "AU12" not in text
    assert "– frames/s" in text
    assert "3 dropped" in text


def test_a_display_draws_the_latest_result():
    console = Console(file=io.StringIO(), width=100, height=60, force_terminal=True)
    with Display("clip.mp4", console) as display:
        for dropped in (0, 7):
            display.show(LiveFace(make_face(2), 0.01, dropped, 30.0))
    assert "7 dropped" in console.file.getvalue()


def test_drops_are_told_at_most_every_five_seconds():
    said, now = [], [0.0]
    quiet = Quiet(said.append, lambda: now[0])
    for time_s, dropped in ((0, 0), (1, 2), (2, 3), (5.9, 4), (6.1, 4), (20, 4)):
        now[0] = time_s
        quiet.show(LiveFace(make_face(), 0.01, dropped, 30.0))
    assert [line.split()[1] for line in said] == ["2", "4"]


def test_nothing_is_said_where_nothing_shall_be(capsys):
    display = live_display("x", terminal=True, quiet=True, clock=lambda: 0.0)
    with display:
        display.show(LiveFace(make_face(), 0.01, 5, 30.0))
    assert capsys.readouterr() == ("", "")

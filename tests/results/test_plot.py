"""Time courses as a picture."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from mien.errors import OptionError
from mien.results import RecordedSource, ResultBuilder
from synthetic_result import make_face, make_result

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture
def result():
    made = make_result(10, measures=("mouth_open",))
    made.success[[3, 4, 9]] = made.valid[[3, 4, 9]] = False
    return made


def curves(axes):
    return {line.get_label(): line for line in axes.get_lines()}


def test_it_draws_the_time_courses_asked_for_and_gives_the_axes(result):
    axes = result.plot(["AU06", "AU12_c", "mouth_open"])
    lines = curves(axes)
    assert list(lines) == ["AU06", "AU12_c", "mouth_open"]
    np.testing.assert_array_equal(lines["AU06"].get_xdata(), result.time_s)
    expected = np.where(result.success, result.au_intensity[:, 4], np.nan)
    np.testing.assert_array_equal(lines["AU06"].get_ydata(), expected)
    assert axes.get_xlabel() == "time, s"
    assert (result.plot("AU06,AU12").get_ylabel(), result.plot("AU12_c").get_ylabel()) == (
        "intensity",
        "presence",
    )


def test_spans_without_success_are_shaded(result):
    axes = result.plot("AU12")
    (shade,) = axes.collections
    assert shade.get_label() == "no success"
    spans = [(path.vertices[:, 0].min(), path.vertices[:, 0].max()) for path in shade.get_paths()]
    step = 1 / 30
    np.testing.assert_allclose(spans, [(2.5 * step, 4.5 * step), (8.5 * step, 9 * step)], atol=1e-9)
    assert not make_result(4).plot("AU12").collections


def test_by_default_it_draws_the_units_that_reach_highest():
    result = make_result(20)
    result.au_intensity[:] = 0.1
    for column in (2, 8, 0, 14):
        result.au_intensity[:, column] = 4
    assert list(curves(result.plot())) == ["AU01", "AU04", "AU12", "AU25"]


def test_of_several_people_it_draws_one():
    builder = ResultBuilder()
    for frame in range(6):
        for face_id in (1,) if frame < 3 else (0, 1):
            builder.append(make_face(frame, face_id=face_id))
    result = builder.finish()
    assert result.plot("AU12").get_title() == "face 1"
    axes = result.plot("AU12", face_id=0)
    assert len(curves(axes)["AU12"].get_xdata()) == (result.face_id == 0).sum()
    with pytest.raises(OptionError, match="face_id: expected one of 0, 1, got 7"):
        result.plot("AU12", face_id=7)


def test_it_draws_into_axes_that_are_given(result):
    _, axes = plt.subplots()
    assert result.plot("AU12", ax=axes) is axes


def test_without_times_frames_are_counted():
    result = replace(make_result(4), time_s=np.zeros(4))
    axes = result.plot("AU12")
    assert axes.get_xlabel() == "frame"
    np.testing.assert_array_equal(curves(axes)["AU12"].get_xdata(), [1, 2, 3, 4])


@pytest.mark.parametrize("name", ["clip.mp4", "cost $5$ and $\\frac.mp4", "caf\udce9.mp4"])
def test_it_can_be_drawn_whatever_the_file_is_named(result, tmp_path, name):
    named = replace(result, source=RecordedSource(name, None, 640, 480, 25.0))
    named.plot().figure.savefig(tmp_path / "t.png")
    assert (tmp_path / "t.png").stat().st_size > 5000


def test_what_can_not_be_drawn_is_named(result):
    with pytest.raises(OptionError, match=r"units: expected some of AU01, .*mouth_open; got AU99"):
        result.plot(["AU12", "AU99"])
    with pytest.raises(OptionError, match="got none"):
        result.plot([])
    with pytest.raises(OptionError, match="without any"):
        result[:0].plot()
    with pytest.raises(OptionError, match="a measured action unit"):
        make_result(3, units=False).plot()


def test_without_matplotlib_the_command_to_install_it_is_named(monkeypatch, result):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(OptionError, match=r"pip install 'mien\[plot\]'"):
        result.plot()


def test_matplotlib_is_not_imported_unless_something_is_drawn():
    code = "import sys, mien.results.plot, mien.results.notebook; print('matplotlib' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "False"

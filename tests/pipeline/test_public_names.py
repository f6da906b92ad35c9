"""The public face of the package: names, what importing it costs, options."""

import dataclasses
import subprocess
import sys

import pytest

import mien
from mien.options import AnalysisOptions, OptionValues


def test_importing_the_package_loads_nothing_heavy():
    code = (
        "import sys, mien; "
        "heavy = {'numpy', 'numba', 'onnxruntime', 'av', 'rich', 'typer', 'pandas'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_public_name_exists():
    for name in mien.__all__:
        assert getattr(mien, name) is not None, name
    assert set(mien.__all__) <= set(dir(mien))


def test_unknown_names_are_refused_as_by_any_module():
    with pytest.raises(AttributeError, match=r"attribute '?analyse"):
        mien.analyse  # noqa: B018


def test_keywords_and_options_have_the_same_fields():
    assert set(OptionValues.__annotations__) == {f.name for f in dataclasses.fields(AnalysisOptions)}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"compat": "matlab"}, "compat: expected one of openface"),
        ({"start_s": -1.0}, "start: expected 0 s or more"),
        ({"start_s": float("nan")}, "start: expected 0 s or more"),
        ({"start_s": 2.0, "end_s": 2.0}, "end: expected more than the start"),
        ({"threads": 0}, "threads: expected 1 or more"),
        ({"landmarks": ""}, "landmarks: expected a name"),
        ({"focal_px": (-500.0, 500.0)}, "focal_px: expected focal lengths of 1 to 1e"),
        ({"focal_px": (500.0, float("nan"))}, "focal_px: expected focal lengths"),
        ({"centre_px": (0.0, float("inf"))}, "centre_px: expected a point within"),
        ({"fps": 0.0}, "fps: expected 1e-06 to 1e"),
        ({"fps": 1e-300}, "fps: expected 1e-06 to 1e"),
    ],
)
def test_impossible_options_are_refused_at_once(values, message):
    with pytest.raises(mien.OptionError, match=message):
        AnalysisOptions(**values)


def test_threads_left_open_are_decided_for_the_machine():
    assert 1 <= AnalysisOptions().threads_used <= 3
    assert AnalysisOptions(threads=7).threads_used == 7

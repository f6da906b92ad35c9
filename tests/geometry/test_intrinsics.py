"""Intrinsics of a camera are understood in every documented form, and nothing else is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import OptionError
from mien.geometry.pinhole import Intrinsics, read_intrinsics

FOCAL = st.floats(1, 1e5)
CENTRE = st.floats(-1e4, 1e4)


@given(FOCAL, FOCAL, CENTRE, CENTRE)
def test_every_form_of_the_same_numbers_means_the_same(tmp_path_factory, fx, fy, cx, cy):
    folder = tmp_path_factory.mktemp("camera")
    matrix = [[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]]
    forms = {
        "named.json": json.dumps({"fx": fx, "fy": fy, "cx": cx, "cy": cy}),
        "matrix.json": json.dumps({"camera_matrix": matrix, "distortion": [0, 0]}),
        "four.txt": f"{fx} {fy}\n{cx} {cy}\n",
        "nine.txt": "\n".join(" ".join(map(repr, row)) for row in matrix),
    }
    wanted = Intrinsics((fx, fy), (cx, cy))
    assert read_intrinsics(f"{fx},{fy},{cx},{cy}") == wanted
    for name, content in forms.items():
        (folder / name).write_text(content)
        assert read_intrinsics(str(folder / name)) == wanted


def test_the_centre_may_be_unknown(tmp_path):
    (tmp_path / "focal.json").write_text('{"fx": 800, "fy": 810}')
    assert read_intrinsics("800, 810") == Intrinsics((800.0, 810.0), None)
    assert read_intrinsics(str(tmp_path / "focal.json")) == Intrinsics((800.0, 810.0), None)


@pytest.mark.parametrize(
    "text", ["800", "800,810,320", "0,800", "-1,800", "1e400,800", "800,810,,", "1,2,3,4,5", "", "nan,1"]
)
def test_other_numbers_are_refused(text):
    with pytest.raises(OptionError, match="intrinsics"):
        read_intrinsics(text)


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[1, 2]",
        '{"fx": 800}',
        '{"fx": "a", "fy": 1}',
        '{"camera_matrix": [[1, 2], [3]]}',
        "fx fy",
        "\x00",
    ],
)
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "camera.json").write_text(content)
    with pytest.raises(OptionError, match="expected FX,FY or FX,FY,CX,CY"):
        read_intrinsics(str(tmp_path / "camera.json"))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(OptionError, match=r"camera\.json: No such file"):
        read_intrinsics(str(tmp_path / "camera.json"))

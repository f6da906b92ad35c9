"""JSON Lines: a header that explains, and rows of typed values."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from mien.errors import OptionError
from mien.results import RowEncoder
from synthetic_result import make_face, make_result


def read(path):
    header, *rows = (json.loads(line) for line in path.read_text().splitlines())
    return header["mien"], rows


def test_a_result_is_one_line_per_row(tmp_path):
    result = make_result(3, measures=("eye_opening",))
    result.save(tmp_path / "t.jsonl", extra="measures")
    header, rows = read(tmp_path / "t.jsonl")
    assert [row["frame"] for row in rows] == [1, 2, 3]
    row = rows[1]
    assert row["success"] is True
    np.testing.assert_allclose(row["landmarks"], result.landmarks[1], atol=5.1e-4)
    np.testing.assert_allclose(row["gaze_directions"], result.gaze_directions[1], atol=5.1e-7)
    np.testing.assert_allclose(row["pose_rotation_rad"], result.pose_rotation_rad[1], atol=5.1e-7)
    assert row["au_intensity"]["AU12"] == pytest.approx(result.au_intensity[1, 8], abs=5.1e-5)
    assert row["au_presence"]["AU45"] in (0, 1)
    assert isinstance(row["au_presence"]["AU45"], int)
    assert row["measures"]["eye_opening"] == pytest.approx(result.measures["eye_opening"][1], abs=5.1e-5)
    assert header["provenance"] == {"mien": "test"}
    assert json.loads((tmp_path / "t.provenance.json").read_text())["table"] == "t.jsonl"


def test_the_header_gives_units_and_decimals(tmp_path):
    make_result(1).save(tmp_path / "t.jsonl")
    header, rows = read(tmp_path / "t.jsonl")
    fields = header["fields"]
    assert set(rows[0]) <= set(fields)
    assert fields["landmarks"] == {"unit": "px", "decimals": 3}
    assert fields["gaze_angle_rad"]["unit"] == "rad"
    assert fields["landmarks_3d"]["unit"] == "mm"
    assert fields["global_params"]["unit"] == ["px/mm", "rad", "rad", "rad", "px", "px"]
    assert header["format"] == 1
    assert header["action_units"] == "live"


def test_faces_that_come_one_by_one_give_the_same_lines(tmp_path):
    make_result(3).save(tmp_path / "whole.jsonl")
    encoder = RowEncoder()
    lines = [json.loads(encoder.face(make_face(frame))) for frame in range(3)]
    assert lines == read(tmp_path / "whole.jsonl")[1]


def test_nan_becomes_null():
    face = make_face()
    face.action_units.intensity[3] = np.nan
    face.action_units.presence[:] = np.nan
    face.landmarks.points[7] = np.nan
    row = json.loads(RowEncoder().face(face))
    assert row["au_intensity"]["AU05"] is None
    assert set(row["au_presence"].values()) == {None}
    assert row["landmarks"][7] == [None, None]
    assert None not in row["landmarks"][6]


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinity_becomes_null_as_json_has_none(value):
    face = dataclasses.replace(make_face(), time_s=value)
    assert json.loads(RowEncoder().face(face))["time_s"] is None


def test_negative_zero_loses_its_sign():
    face = make_face()
    face.pose.rotation_rad[:] = -1e-12
    assert "-0.0" not in RowEncoder(["pose"]).face(face)


def test_groups_choose_fields():
    row = json.loads(RowEncoder(["pose"]).face(make_face()))
    expected = {"frame", "face_id", "time_s", "confidence", "success", "valid"}
    assert set(row) == expected | {"pose_translation_mm", "pose_rotation_rad"}
    with pytest.raises(OptionError, match="nose"):
        RowEncoder(["nose"])


def test_groups_that_were_not_measured_are_absent():
    row = json.loads(RowEncoder().face(make_face(gaze=False, units=False)))
    assert not {"gaze_directions", "eye_landmarks", "au_intensity", "measures"} & set(row)


def test_pandas_reads_the_rows(tmp_path):
    import pandas as pd

    make_result(4).save(tmp_path / "t.jsonl")
    with (tmp_path / "t.jsonl").open() as file:
        file.readline()
        table = pd.read_json(file, lines=True)
    assert len(table) == 4
    assert len(table["landmarks"][0]) == 68

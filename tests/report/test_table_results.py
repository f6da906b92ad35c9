"""Tables of every format and origin are read back as results."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mien.errors import TableError
from mien.report import read_result
from mien.report.making import read_recording
from recording_results import recording
from synthetic_result import make_result


@pytest.mark.parametrize(
    ("name", "how"),
    [("t.csv", {}), ("t.csv", {"style": "openface-blank"}), ("t.parquet", {}), ("t.jsonl", {})],
)
def test_every_format_gives_the_same_numbers(tmp_path, name, how):
    result = make_result(20, measures=("mouth_width_cm",))
    result.save(tmp_path / name, extra="measures", **how)
    read = read_result(tmp_path / name)
    assert read.frame.tolist() == result.frame.tolist()
    assert read.success.tolist() == result.success.tolist()
    assert read.au_intensity_names == result.au_intensity_names
    assert np.allclose(read.au_intensity, result.au_intensity, atol=0.0051)
    assert np.allclose(read.landmarks, result.landmarks, atol=0.06)
    assert np.allclose(read.gaze_angle_rad, result.gaze_angle_rad, atol=0.0006)
    assert np.allclose(read.time_s, result.time_s, atol=0.0006)
    assert list(read.measures) == ["mouth_width_cm"]
    assert read.provenance["mien"] == "test"


def test_provenance_that_is_no_object_is_left_out(tmp_path):
    make_result(3).save(tmp_path / "t.csv")
    (tmp_path / "t.provenance.json").write_text(json.dumps([1]), encoding="utf-8")
    assert read_result(tmp_path / "t.csv").provenance == {}


def test_openfaces_own_tables_are_read(reference_dir):
    read = read_result(reference_dir / "videos" / "default" / "default.csv")
    assert len(read) > 100
    assert np.isfinite(read.landmarks).all()
    assert read.measures == {}


def test_tables_of_sides_stand_for_themselves(tmp_path):
    head = (
        "frame,timestamp,confidence,success,usable,yaw,pitch,roll,AU12_r_left,AU12_r_right,AU12_r_full,"
        "pfh_mm_left,pfh_mm_right,mm_per_px"
    )
    rows = [f"{i},{i / 30},0.9,1,1,0.1,0.2,0.3,1,2,1.5,9,8,0.4" for i in range(1, 5)]
    (tmp_path / "a.sides.csv").write_text("\n".join([head, *rows]), encoding="utf-8")
    read = read_result(tmp_path / "a.sides.csv")
    assert read.au_intensity_names == ("AU12",)
    assert read.au_intensity[:, 0].tolist() == [1.5] * 4
    assert set(read.measures) == {"AU12_r_left", "AU12_r_right", "pfh_mm_left", "pfh_mm_right", "mm_per_px"}
    assert read.pose_rotation_rad[0].tolist() == [0.2, 0.1, 0.3]


def test_sides_beside_a_table_are_joined_by_frame(tmp_path):
    recording(10, lost=()).save(tmp_path / "a.csv")
    (tmp_path / "a.sides.csv").write_text(
        "frame,timestamp,confidence,success,x_mm_left,x_mm_right\n3,0.1,1,1,5,6\n", encoding="utf-8"
    )
    read = read_recording(tmp_path / "a.csv")
    assert np.flatnonzero(np.isfinite(read.measures["x_mm_left"])).tolist() == [2]


def test_numbers_that_can_not_be_true_are_left_out_and_counted(tmp_path):
    (tmp_path / "t.csv").write_text(
        "frame,confidence,success,AU12_r\n1,0.9,1,1e300\n2,7,1,inf\n,1,1,1\n", encoding="utf-8"
    )
    read = read_result(tmp_path / "t.csv")
    assert np.isnan(read.au_intensity[:2, 0]).all()
    assert read.frame.tolist() == [0, 1, 2]
    assert any(note.startswith("3 numbers") for note in read.source.notes)
    assert any(note.startswith("1 rows have no number") for note in read.source.notes)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", ""),
        ("t.csv", "a,b\n1,2\n"),
        ("t.jsonl", "{"),
        ("t.jsonl", '{"mien":{}}\n[1]\n'),
        ("t.jsonl", '{"frame":[1]}\n'),
        ("t.parquet", "no parquet"),
        ("t.txt", ""),
    ],
)
def test_what_is_no_table_is_refused_with_its_name(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(TableError, match=name.replace(".", r"\.")):
        read_result(tmp_path / name)

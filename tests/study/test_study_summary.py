"""Summaries: every figure against plain NumPy, pandas or a hand's count, from results and from tables."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_events import series

from mien.errors import TableError
from mien.results import ResultBuilder, Table
from mien.study import SummaryOptions, series_of_result, series_of_table, summarise
from mien.study.hysteresis import samples
from mien.study.movement import speed, spread, turns
from mien.study.read import read_series
from mien.study.tables import summarise_tables
from synthetic_result import make_face, make_result


def one(face, **options):
    (row,) = summarise(face, SummaryOptions(**options))
    return row


def test_only_usable_frames_count_and_the_rule_says_which():
    face = series(
        [1, 2, 3, 5, 5, 4], [0, 1, 1, 1, 1, 1], success=[1, 1, 1, 0, 1, 1], confidence=[1] * 4 + [0.5, 1]
    )
    row = one(face)
    assert row["rule"] == "success = 1 and confidence >= 0.8"
    assert (row["frames"], row["usable_frames"]) == (6, 4)
    assert row["usable_share"] == pytest.approx(4 / 6)
    assert row["success_share"] == pytest.approx(5 / 6)
    assert row["mean_confidence"] == pytest.approx(5.5 / 6)
    assert row["AU12_r_mean"] == 2.5
    assert row["AU12_r_sd"] == pytest.approx(np.std([1, 2, 3, 4], ddof=1))
    assert row["AU12_r_p95"] == pytest.approx(np.percentile([1, 2, 3, 4], 95))
    assert row["AU12_c_share"] == 0.75
    assert row["AU12_r_mean_present"] == 3


def test_rates_are_per_minute_of_usable_time():
    values = np.zeros(900)
    for begin in (100, 300, 500):
        values[begin : begin + 30] = 2
    success = np.ones(900, bool)
    success[600:] = False
    row = one(series(values, success=success))
    assert row["usable_s"] == pytest.approx(20)
    assert row["duration_s"] == pytest.approx(30)
    assert row["AU12_r_events"] == 3
    assert row["AU12_r_events_per_min"] == pytest.approx(9)
    assert row["AU12_r_event_mean_s"] == pytest.approx(1)


def test_what_was_not_measured_is_missing_and_not_zero():
    row = one(series([np.nan] * 30))
    assert not [name for name in row if name.startswith("AU12") or "duchenne" in name]
    assert not [name for name in row if name.startswith(("head", "gaze", "blink"))]
    nobody = one(series([1.0] * 30, success=[0] * 30))
    assert nobody["usable_frames"] == 0
    assert nobody["usable_share"] == 0
    assert "AU12_r_mean" not in nobody


def test_a_recording_without_frames_or_time_has_a_row():
    assert one(series([]))["frames"] == 0
    still = one(replace(series([1.0] * 5), time_s=np.full(5, np.nan)))
    assert still["AU12_r_mean"] == 1
    assert "AU12_r_events" not in still
    assert math.isnan(still["usable_s"])


def test_every_number_of_a_row_has_a_column_with_a_meaning():
    summary = make_result(40).summary()
    assert set(summary[0]) <= set(summary.names)
    assert len(set(summary.names)) == len(summary.names)
    assert all(column.meaning.endswith(".") for column in summary.columns)


def test_every_face_has_a_row():
    builder = ResultBuilder()
    for frame in range(6):
        for face_id in (0, 2)[: 1 + frame // 3]:
            builder.append(make_face(frame, face_id=face_id))
    rows = builder.finish().summary()
    assert [(row["face_id"], row["frames"]) for row in rows] == [(0, 6), (2, 3)]


def test_a_result_and_its_table_are_summed_up_alike(tmp_path):
    result = make_result(60)
    result.confidence[:] = np.tile([0.97, 0.83, 0.78], 20)
    table = tmp_path / "clip.csv"
    result.save(table)
    (row,) = summarise(series_of_result(result, "clip.mp4"))
    (other,) = summarise(read_series(table, name="clip.mp4"))
    assert row.keys() == other.keys()
    for name, value in row.items():
        # the table has two decimals, and times of three
        near = value if isinstance(value, str) else pytest.approx(value, abs=0.02, rel=0.05, nan_ok=True)
        assert other[name] == near, name


def test_long_form_has_every_number_once():
    summary = make_result(30).summary()
    rows = summary.long()
    assert {row["statistic"] for row in rows} >= {"mean", "sd", "p95", "share", "events_per_min"}
    assert len(rows) == len(
        [name for name in summary[0] if summary.columns[summary.names.index(name)].variable]
    )
    au12 = [
        row
        for row in rows
        if (row["variable"], row["signal"], row["statistic"]) == ("AU12", "intensity", "p95")
    ]
    assert [row["value"] for row in au12] == [summary[0]["AU12_r_p95"]]


def test_pictures_have_a_row_for_every_face(tmp_path):
    result = replace(make_result(3), provenance={"pictures": 2})
    rows = result.summary()
    assert len(rows) == 3
    assert {row["frames"] for row in rows} == {1}
    result.save(tmp_path / "sample.csv", form="image")
    assert len(summarise(read_series(tmp_path / "sample.csv"))) == 3


angles = st.floats(-1.4, 1.4)


@given(st.lists(st.tuples(angles, angles, angles), min_size=2, max_size=6))
def test_turns_are_the_angles_between_orientations(euler):
    matrices = [_plain_rotation(*angles) for angles in euler]
    expected = [
        math.acos(max(-1, min(1, (np.trace(one.T @ two) - 1) / 2))) for one, two in pairwise(matrices)
    ]
    assert turns(np.array(euler)) == pytest.approx(expected, abs=1e-7)


def _plain_rotation(x, y, z):
    def turn(angle, a, b):
        matrix = np.eye(3)
        matrix[a, a] = matrix[b, b] = math.cos(angle)
        matrix[a, b], matrix[b, a] = -math.sin(angle), math.sin(angle)
        return matrix

    return turn(x, 1, 2) @ turn(y, 2, 0) @ turn(z, 0, 1)


def test_speed_leaves_out_what_lies_between_stretches():
    time_s = np.array([0, 0.1, 0.2, 5.0, 5.1])
    at = samples(time_s, np.ones(5, bool), 0.1, 0.2)
    assert speed(np.array([1.0, 1.0, 1000.0, 4.0]), at) == pytest.approx(6 / 0.3)
    assert math.isnan(speed(np.array([]), samples(time_s[:1], np.ones(1, bool), 0.1, 0.2)))


def test_spread_is_missing_where_nothing_is_known():
    assert all(math.isnan(value) for value in spread(np.array([np.nan])).values())
    assert spread(np.array([1.0, 2.0, np.nan]))["mean"] == 1.5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "OpenFace's columns"),
        ("frame, timestamp, confidence, success\n1,0.1,1,1\n2,0.05,1,1\n", "runs back at frame 2"),
        ("frame, timestamp, confidence, success\n,0.1,1,1\n", "a number of the frame"),
    ],
)
def test_tables_of_another_kind_are_refused(tmp_path, text, said):
    table = tmp_path / "odd.csv"
    table.write_text(text)
    with pytest.raises(TableError, match=said):
        read_series(table)


def test_a_rate_of_frames_takes_the_place_of_time_stamps(tmp_path):
    table = tmp_path / "sequence.csv"
    table.write_text(
        "frame,timestamp,confidence,success,AU12_r\n" + "".join(f"{i},0,1,1,2\n" for i in range(1, 61))
    )
    (without,) = summarise(read_series(table))
    (with_rate,) = summarise(read_series(table, fps=20))
    assert "AU12_r_events" not in without
    assert with_rate["AU12_r_events"] == 1
    assert with_rate["duration_s"] == pytest.approx(3)


def test_parquet_tables_are_summed_up_too(tmp_path):
    result = make_result(30)
    result.confidence[:] = 1
    result.save(tmp_path / "clip.parquet")
    (row,), (other,) = (
        summarise(series_of_result(result)),
        summarise(read_series(tmp_path / "clip.parquet", name="")),
    )
    assert row.keys() == other.keys()
    assert other["AU12_r_mean"] == pytest.approx(row["AU12_r_mean"])


@pytest.mark.models
def test_openfaces_own_table_gives_what_pandas_makes_of_it(reference_dir):
    pd = pytest.importorskip("pandas")
    path = reference_dir / "videos" / "clip2" / "clip2.csv"
    frame = pd.read_csv(path, skipinitialspace=True)
    usable = frame[(frame.success == 1) & (frame.confidence >= 0.8)]
    (row,) = summarise(read_series(path))
    assert row["usable_share"] == pytest.approx(len(usable) / len(frame))
    for name in (column[:-2] for column in frame if column.startswith("AU") and column.endswith("_r")):
        values = usable[f"{name}_r"]
        assert row[f"{name}_r_mean"] == pytest.approx(values.mean())
        assert row[f"{name}_r_sd"] == pytest.approx(values.std())
        assert row[f"{name}_r_p95"] == pytest.approx(values.quantile(0.95))
        assert row[f"{name}_c_share"] == pytest.approx(usable[f"{name}_c"].mean())
        present = values[usable[f"{name}_c"] == 1]
        assert row[f"{name}_r_mean_present"] == pytest.approx(present.mean(), nan_ok=True)
    assert row["head_yaw_mean_deg"] == pytest.approx(np.degrees(usable.pose_Ry.mean()))
    assert row["gaze_x_sd_deg"] == pytest.approx(np.degrees(usable.gaze_angle_x.std()))


def test_a_table_without_rows_has_a_row_and_one_unknown_confidence_hides_no_other(tmp_path):
    head = "frame,timestamp,confidence,success,AU12_r\n"
    (tmp_path / "empty.csv").write_text(head)
    (tmp_path / "nan.csv").write_text(f"{head}1,0,nan,0,0\n2,0.1,0.9,1,1\n3,0.2,0.7,1,1\n")
    summary, _, failures = summarise_tables([tmp_path / "empty.csv", tmp_path / "nan.csv"])
    assert not failures
    assert [row["frames"] for row in summary] == [0, 3]
    assert summary[1]["mean_confidence"] == pytest.approx(0.8)


@pytest.mark.models
def test_one_damaged_table_does_not_stop_the_others(reference_dir, tmp_path):
    good = reference_dir / "videos" / "default" / "default.csv"
    cut = tmp_path / "cut.csv"
    cut.write_bytes(good.read_bytes()[:60_000])
    summary, events, failures = summarise_tables([cut, good])
    assert len(summary) == 1
    assert len(events) > 10
    assert "cells" in str(failures[0])


def test_tables_of_openface_need_not_have_all_groups():
    names = ("frame", "timestamp", "confidence", "success", "AU12_r")
    (face,) = series_of_table(_table(*names, rows=4), "clip")
    assert face.head_mm is None
    assert face.eye_aspect is None
    assert one(face)["AU12_r_mean"] == 1


def _table(*names, rows):
    values = np.ones((rows, len(names)))
    values[:, 0] = np.arange(1, rows + 1)
    values[:, 1] = np.arange(rows) / 30
    return Table(names, values, np.full(len(names), -1))

"""The container of results: validated once, sliced by rows, saved by suffix."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from mien.errors import OptionError
from mien.results import CsvStyle, read_openface_csv
from synthetic_result import make_result


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("landmarks", np.zeros((5, 68, 3), np.float32), r"landmarks: expected shape \(N, 68, 2\) with N = 5"),
        ("time_s", np.zeros(4), r"time_s: expected shape .* got \(4,\)"),
        ("success", np.zeros(5), "success: expected bool, got float64"),
        ("landmarks_3d", np.zeros((5, 68, 3)), "landmarks_3d: expected float32, got float64"),
        ("au_intensity", np.zeros((5, 18)), r"au_intensity: expected shape \(N, 17\)"),
    ],
)
def test_arrays_that_do_not_fit_are_named(name, array, message):
    with pytest.raises(ValueError, match=message):
        replace(make_result(5), **{name: array})


def test_measures_are_validated_too():
    with pytest.raises(ValueError, match="mouth_open: expected shape"):
        replace(make_result(5), measures={"mouth_open": np.zeros(4)})


@pytest.mark.parametrize("rows", [slice(1, 4), [1, 2, 3], np.array([False, True, True, True, False])])
def test_rows_are_chosen_in_all_arrays_at_once(rows):
    result = make_result(5, mesh=True, measures=("a",))
    part = result[rows]
    assert len(part) == 3
    for (name, whole), (_, chosen) in zip(result.arrays(), part.arrays(), strict=True):
        np.testing.assert_array_equal(chosen, whole[1:4], err_msg=name)


def test_one_index_gives_one_row_and_counts_from_the_end():
    result = make_result(5)
    assert result[-1].frame.tolist() == [4]
    with pytest.raises(IndexError):
        result[5]


def test_slices_share_memory():
    result = make_result(5)
    assert np.shares_memory(result[1:3].landmarks, result.landmarks)


def test_text_shows_shapes_not_numbers():
    text = repr(make_result(3, gaze=False, measures=("a", "b")))
    assert text.startswith("VideoResult(3 rows: frame[3]")
    assert "landmarks[3, 68, 2]" in text
    assert "2 measures" in text
    assert "without gaze_directions" in text
    assert len(text) < 600


def test_rates_are_over_all_rows():
    result = make_result(4)
    result.success[:] = [True, True, True, False]
    assert result.success_rate == 0.75
    assert result.mean_confidence == pytest.approx(result.confidence.mean())
    assert np.isnan(result[:0].success_rate)


def test_a_data_frame_has_openfaces_columns_by_frame_number():
    result = make_result(3, measures=("mouth_open",))
    frame = result.to_pandas(extra="measures")
    assert frame.index.name == "frame"
    assert frame.index.tolist() == [1, 2, 3]
    assert frame.shape == (3, 714)
    assert result.to_pandas().shape == (3, 713)
    np.testing.assert_array_equal(frame["AU12_r"], result.au_intensity[:, 8])
    np.testing.assert_array_equal(frame["y_67"], result.landmarks[:, 67, 1])
    np.testing.assert_array_equal(frame["mouth_open"], result.measures["mouth_open"])
    assert frame["success"].dtype == bool
    assert result.to_pandas(groups="pose").shape == (3, 4 + 6)
    assert result.to_pandas(groups="pose, gaze").shape == (3, 4 + 6 + 288)
    assert result[:0].to_pandas().shape == (0, 713)


def test_saving_writes_the_table_and_how_it_was_made(tmp_path):
    result = make_result(3)
    result.save(tmp_path / "t.csv")
    assert len(read_openface_csv(tmp_path / "t.csv")) == 3
    made = json.loads((tmp_path / "t.provenance.json").read_text())
    assert made == {"table": "t.csv", "mien": "test", "written": made["written"]}


@pytest.mark.parametrize("style", CsvStyle)
def test_the_provenance_says_how_the_table_is_laid_out(tmp_path, style):
    make_result(1).save(tmp_path / "t.csv", groups="pose", style=style)
    made = json.loads((tmp_path / "t.provenance.json").read_text())
    assert made["written"] == {
        "format": "csv",
        "form": "sequence",
        "csv_style": style,
        "columns": ["pose"],
        "extra": [],
    }


def test_a_layout_of_text_has_no_meaning_for_other_formats_but_must_exist(tmp_path):
    make_result(1).save(tmp_path / "t.jsonl", style="openface-blank")
    assert "csv_style" not in json.loads((tmp_path / "t.provenance.json").read_text())["written"]
    with pytest.raises(OptionError, match="CSV style"):
        make_result(1).save(tmp_path / "t.parquet", style="excel")


def test_parquet_keeps_every_digit(tmp_path):
    result = make_result(3)
    result.save(tmp_path / "t.parquet")
    table = pq.read_table(tmp_path / "t.parquet")
    assert tuple(table.column_names) == result.to_table().names
    np.testing.assert_array_equal(table["gaze_1_z"].to_numpy(), result.gaze_directions[:, 1, 2])
    np.testing.assert_array_equal(table["x_5"].to_numpy(), result.landmarks[:, 5, 0])
    assert json.loads(table.schema.metadata[b"mien"]) == {"mien": "test"}


def test_other_suffixes_are_refused(tmp_path):
    with pytest.raises(OptionError, match=r"ends in \.csv, \.parquet or \.jsonl"):
        make_result(1).save(tmp_path / "t.xlsx")

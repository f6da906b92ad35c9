"""What summaries and events are written to: CSV, Parquet, descriptions of columns, ELAN, Praat."""

from __future__ import annotations

import csv
import json
import math

import pytest
from test_events import found, series

from mien.errors import OutputError
from mien.study import Events, find_events, series_of_result
from mien.study.annotations import label, tiers, write_annotations
from mien.study.event import EVENT_FIELDS
from mien.study.record_files import cell_text, csv_text
from synthetic_result import make_result


@pytest.fixture(scope="module")
def result():
    made = make_result(90)
    made.confidence[:] = 1
    return made


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_summary_is_written_with_its_columns_described(result, tmp_path):
    summary = result.summary()
    summary.save(tmp_path / "study.csv")
    (row,) = read(tmp_path / "study.csv")
    assert list(row) == summary.names
    assert float(row["AU12_r_mean"]) == pytest.approx(summary[0]["AU12_r_mean"], rel=1e-5)
    assert row["rule"] == "success = 1 and confidence >= 0.8"
    described = json.loads((tmp_path / "study.json").read_text("utf-8"))
    assert set(summary.names) <= set(described)
    assert described["head_yaw_sd_deg"]["Units"] == "deg"
    assert "not a feeling" in described["Composites"]["Warning"]
    assert "not a feeling" in described["emfacs_anger_04_05_07_23_c_share"]["Description"]


def test_events_are_written_with_their_columns_described(result, tmp_path):
    events = find_events(series_of_result(result, "clip.mp4"))
    events.save(tmp_path / "events.csv")
    rows = read(tmp_path / "events.csv")
    assert len(rows) == len(events) > 0
    assert tuple(rows[0]) == EVENT_FIELDS
    described = json.loads((tmp_path / "events.json").read_text("utf-8"))
    assert set(described["kind"]["Levels"]) == {"action_unit", "composite", "blink"}
    assert set(described["signal"]["Levels"]) == {"intensity", "presence", "eye_aspect"}


def test_parquet_holds_the_same_with_missing_values_missing(result, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    summary = result.summary()
    summary.save(tmp_path / "study.parquet")
    table = parquet.read_table(tmp_path / "study.parquet")
    assert table.column_names == summary.names
    assert table["AU12_r_mean"].to_pylist() == [summary[0]["AU12_r_mean"]]
    assert table["frames"].to_pylist() == [90]
    assert table.schema.field("usable_s").metadata[b"unit"] == b"s"
    find_events(series([])).save(tmp_path / "events.parquet")
    assert parquet.read_table(tmp_path / "events.parquet").num_rows == 0


def test_data_frames_have_the_same_columns(result):
    pytest.importorskip("pandas")
    summary = result.summary()
    assert list(summary.to_pandas().columns) == summary.names
    assert len(summary.to_pandas(long=True)) == len(summary.long())
    assert list(result.events().to_pandas().columns) == list(EVENT_FIELDS)


def test_cells_hold_whatever_a_file_is_called():
    assert [cell_text(value) for value in (None, math.nan, 0.1234567891, 3, "x")] == [
        "",
        "",
        "0.123457",
        "3",
        "x",
    ]
    assert cell_text("bad\udce4.mp4") == "bad\\udce4.mp4"
    text = csv_text([{"file": 'a,"b"\nc', "value": 1}], ["file", "value"])
    assert list(csv.reader(text.splitlines(keepends=True)))[1] == ['a,"b"\nc', "1"]


def test_another_ending_is_refused(result, tmp_path):
    with pytest.raises(OutputError, match=r"\.csv or \.parquet"):
        result.summary().save(tmp_path / "study.xlsx")


def test_elan_reads_the_events_back(result, tmp_path):
    elan = pytest.importorskip("pympi.Elan")
    events = result.events()
    (tmp_path / "clip.mp4").touch()
    for _ in range(2):  # a file that is there is replaced, without leftovers
        write_annotations(events, tmp_path / "clip.eaf", media=tmp_path / "clip.mp4")
    document = elan.Eaf(str(tmp_path / "clip.eaf"))
    expected = dict(tiers(events))
    assert set(document.get_tier_names()) == set(expected)
    for name, mine in expected.items():
        read_back = sorted(document.get_annotation_data_for_tier(name))
        assert [(begin, end, text) for begin, end, text, *_ in read_back] == [
            (round(1000 * event.onset_s), round(1000 * event.offset_s), label(event)) for event in mine
        ]
    assert document.get_linked_files()[0]["RELATIVE_MEDIA_URL"] == "./clip.mp4"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.eaf", "clip.mp4"]


def test_praat_reads_the_events_back(result, tmp_path):
    praat = pytest.importorskip("pympi.Praat")
    events = result.events()
    events.save(tmp_path / "clip.TextGrid")
    document = praat.TextGrid(str(tmp_path / "clip.TextGrid"))
    read_back = {
        tier.name: [i for i in tier.get_intervals(sort=True) if i[2]] for tier in document.get_tiers()
    }
    assert set(read_back) == {name for name, _ in tiers(events)}
    for name, mine in tiers(events):
        assert [begin for begin, _, _ in read_back[name]] == pytest.approx(
            [e.onset_s for e in mine], abs=1e-5
        )
        assert [text for _, _, text in read_back[name]] == [label(event) for event in mine]
    assert document.xmax == pytest.approx(3, abs=1e-3)


@pytest.mark.parametrize("name", ["clip.eaf", "clip.TextGrid"])
def test_a_recording_without_events_is_still_a_file_that_opens(name, tmp_path):
    pytest.importorskip("pympi")
    Events().save(tmp_path / name)
    assert (tmp_path / name).stat().st_size > 100


def test_annotations_say_what_is_not_seen_of_an_event():
    (cut,) = found(series([2.0] * 10))
    assert label(cut) == "…2.00…"
    (present,) = found(series((), [0, 1, 1, 1, 1, 1, 0]))
    assert label(present) == "present"


def test_events_of_several_recordings_are_no_tiers_of_one(tmp_path):
    pytest.importorskip("pympi")
    faces = [series([2.0] * 10), *series_of_result(make_result(5), "other.mp4")]
    with pytest.raises(OutputError, match="one recording"):
        find_events(faces).save(tmp_path / "both.eaf")

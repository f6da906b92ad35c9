"""Faces of several pictures in one table: a column of text says which picture each is in."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from mien.errors import TableError
from mien.results import CsvStyle, ResultBuilder, compare_tables, read_openface_csv
from synthetic_result import make_face, make_result

PICTURES = (
    "a.jpg",
    "with, comma.png",
    'say "hi".jpg',
    "two\nlines\x1b.jpg",
    " blank .jpg",
    "Zoë 笑.png",
    "caf\udce9.jpg",
)
READABLE = (*PICTURES[:3], r"two\nlines\x1b.jpg", *PICTURES[4:-1], r"caf\xe9.jpg")


@pytest.fixture
def result():
    builder = ResultBuilder(pictures=PICTURES)
    for frame in range(len(PICTURES)):
        builder.append(make_face(frame))
    builder.append(make_face(len(PICTURES) - 1, face_id=1))
    return builder.finish()


@pytest.mark.parametrize("style", CsvStyle)
def test_the_name_goes_before_the_other_columns(result, tmp_path, style):
    result.save(tmp_path / "t.csv", style=style, groups="pose")
    assert (tmp_path / "t.csv").read_text().startswith(f"file{style.separator}frame{style.separator}face_id")
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, skipinitialspace=True))
    assert [row["file"] for row in rows] == [*READABLE, READABLE[-1]]
    assert [int(row["frame"]) for row in rows] == [1, 2, 3, 4, 5, 6, 7, 7]
    frame = pd.read_csv(tmp_path / "t.csv", skipinitialspace=True)
    assert frame["file"].tolist() == [*READABLE, READABLE[-1]]
    np.testing.assert_allclose(frame["pose_Tx"], result.pose_translation_mm[:, 0], atol=0.0501)


@pytest.mark.parametrize("style", CsvStyle)
def test_mien_reads_the_names_too(result, tmp_path, style):
    result.save(tmp_path / "t.csv", style=style)
    table = read_openface_csv(tmp_path / "t.csv")
    assert table.texts["file"] == (*READABLE, READABLE[-1])
    assert table.names == make_result(0).to_table().names
    assert table.to_pandas().shape == (8, 715)
    found = compare_tables(tmp_path / "t.csv", result)
    assert (found.matched, found.same_rows) == (8, True)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Bild\u202f1\u3000笑 \N{GRINNING FACE}.png", None),
        ("line\u2028end\x85.png", r"line\u2028end\x85.png"),
        ("half \ud83d.png", r"half \ud83d.png"),
        ("b\udcff.png", r"b\xff.png"),
    ],
)
def test_only_what_is_no_text_is_replaced_in_a_name(name, shown):
    result = replace(make_result(1), pictures=(name,))
    assert result.to_table().texts["file"] == (shown or name,)


def test_every_face_is_one_line(result, tmp_path):
    result.save(tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes().count(b"\n") == 9


def test_names_without_signs_are_read_back_without_quotes(tmp_path):
    result = replace(make_result(2), pictures=("a.jpg", "b.jpg"))
    result.save(tmp_path / "t.csv", groups="pose")
    assert '"' not in (tmp_path / "t.csv").read_text()
    assert read_openface_csv(tmp_path / "t.csv").texts == {"file": ("a.jpg", "b.jpg")}


def test_other_formats_and_data_frames_have_them(result, tmp_path):
    result.save(tmp_path / "t.parquet")
    table = pq.read_table(tmp_path / "t.parquet")
    assert table.column_names[:2] == ["file", "frame"]
    assert table["file"].to_pylist() == [*READABLE, READABLE[-1]]
    result.save(tmp_path / "t.jsonl")
    header, *rows = map(json.loads, (tmp_path / "t.jsonl").read_text().splitlines())
    assert [row["file"] for row in rows] == [*READABLE, READABLE[-1]]
    assert "file" in header["mien"]["fields"]
    frame = result.to_pandas()
    assert list(frame.columns[:2]) == ["file", "face_id"]
    assert frame["file"].tolist()[0] == "a.jpg"


def test_chosen_rows_keep_their_names(result):
    assert result[[0, 7]].to_pandas()["file"].tolist() == ["a.jpg", READABLE[-1]]
    assert result[:0].to_table().texts == {"file": ()}


def test_a_video_has_no_such_column():
    assert make_result(2).to_table().texts == {}


def test_every_picture_needs_a_name():
    with pytest.raises(ValueError, match="pictures: expected at least 3 names"):
        replace(make_result(3), pictures=("a.jpg",))


def test_a_damaged_quotation_is_named(tmp_path):
    (tmp_path / "t.csv").write_text('file,frame\n"a.jpg,1\n')
    with pytest.raises(TableError, match="line 2: expected 2 cells, got 1"):
        read_openface_csv(tmp_path / "t.csv")
    (tmp_path / "t.csv").write_text('file,frame\n"' + "a" * 200_000 + '",1\n')
    with pytest.raises(TableError, match="field larger"):
        read_openface_csv(tmp_path / "t.csv")

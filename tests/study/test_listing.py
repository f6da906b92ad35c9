"""Lists of recordings: CSV as people's programs write it, and one clear line where it is not."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import TableError
from mien.study.listing import read_listing


@pytest.fixture
def listed(tmp_path):
    def make(text, encoding="utf-8"):
        path = tmp_path / "list.csv"
        path.write_bytes(text.encode(encoding))
        return read_listing(path)

    return make


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_columns_travel_with_every_separator_and_a_byte_order_mark(listed, separator):
    text = "\ufefffile,person,condition\r\na/1.mp4,P1,baseline\r\n\r\nb/1.mp4,P2,\r\n".replace(",", separator)
    found = listed(text)
    assert found.columns == ("person", "condition")
    assert [(line.file, line.line, dict(line.values)) for line in found.lines] == [
        ("a/1.mp4", 2, {"person": "P1", "condition": "baseline"}),
        ("b/1.mp4", 4, {"person": "P2", "condition": ""}),
    ]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("File\tPERSON\na.mp4\tP1\n", "utf-16"),
        ("file;person;;\r\na.mp4;P1;;\r\n;;;\r\n", "utf-8-sig"),
        ("sep=;\nfile;person\na.mp4;P1\n", "utf-8"),
    ],
)
def test_lists_are_read_as_spreadsheets_leave_them(listed, text, encoding):
    found = listed(text, encoding)
    assert found.columns == ("person",)
    assert [(line.file, dict(line.values)) for line in found.lines] == [("a.mp4", {"person": "P1"})]


@pytest.mark.parametrize("name", ["AU12_r_mean", "table", "Frames", "value", "reason", "onset_s"])
def test_a_column_of_the_studys_own_tables_is_refused_before_anything_is_done(listed, name):
    with pytest.raises(TableError, match=f"{name} is the name of a column of the summary"):
        listed(f"file,{name}\na.mp4,1\n")


def test_quoted_cells_hold_separators(listed):
    found = listed('file,note\n"a, b.mp4","says ""x"""\n')
    assert (found.lines[0].file, found.lines[0].values["note"]) == ("a, b.mp4", 'says "x"')


def test_a_file_is_found_by_its_path_or_its_name(listed):
    found = listed("file,person\nday1/a.mp4,P1\nday1\\b.mp4,P2\nc.mp4,P3\nd,P4\n")
    assert found.of("day1/a.mp4")["person"] == "P1"
    assert found.of("tables/a.csv")["person"] == "P1"
    assert found.of("day1/b.mp4")["person"] == "P2"
    assert found.of("c.csv")["person"] == "P3"
    assert found.of("x/d.csv")["person"] == "P4"
    assert found.of("unknown.csv") == {}


def test_a_name_that_fits_several_lines_is_refused(listed):
    found = listed("file,person\nday1/a.mp4,P1\nday2/a.mp4,P2\n")
    assert found.of("day2/a.csv")["person"] == "P2"
    with pytest.raises(TableError, match=r"lines 2, 3 all fit a\.csv"):
        found.of("a.csv")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected a column named file, got nothing"),
        ("name,person\na,P1\n", "got name, person"),
        ("file,person\n", "got none"),
        ("file,person\na.mp4\n", "line 2: expected 2 cells, got 1"),
        ("file,person\n,P1\n", "line 2: expected a file"),
        ("file,person\na,P1\na,P2\n", "line 3: a is in line 2 already"),
        ("file,frames\na,P1\n", "frames is the name of a column of the summary"),
        ("file,person,person\na,1,2\n", "a name of its own"),
        ("file,,person\na,1,P1\n", "a name of its own"),
        ("file,\na,1\n", "line 2: expected 1 cells, got 2"),
    ],
)
def test_what_is_wrong_with_a_list_is_said_with_its_line(listed, text, said):
    with pytest.raises(TableError, match=said):
        listed(text)


def test_lists_that_are_no_text_are_refused(listed, tmp_path):
    with pytest.raises(TableError, match="UTF-8"):
        listed("file,person\nä.mp4,P1\n", "latin-1")
    with pytest.raises(TableError, match="No such file"):
        read_listing(tmp_path / "missing.csv")


@given(st.binary(max_size=200))
def test_whatever_a_file_holds_there_is_a_list_or_one_error(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("list") / "list.csv"
    path.write_bytes(b"file,person\n" + data)
    with suppress(TableError):
        assert read_listing(path).lines

"""OpenFace's text form: names, order, decimals, and cell by cell against the original's files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from helpers_reference import VIDEOS, read_video, result_of
from mien.errors import OptionError, OutputError, TableError
from mien.results import CsvStyle, Group, columns, openface_csv, read_openface_csv, write_openface_csv
from synthetic_result import make_result


def read_cells(path):
    return [[cell.strip() for cell in line.split(",")] for line in path.read_text().splitlines()]


def pyfeat_columns():
    """The 431 columns that py-feat's ``read_openface`` asks for by name."""
    names = ["frame", "timestamp", "confidence", "success"]
    names += [f"gaze_{eye}_{axis}" for eye in (0, 1) for axis in "xyz"]
    names += [f"pose_{kind}{axis}" for kind in "TR" for axis in "xyz"]
    names += [f"{axis}_{index}" for axis in "xyXYZ" for index in range(68)]
    names += [f"p_{name}" for name in ("scale", "rx", "ry", "rz", "tx", "ty")]
    names += [f"p_{index}" for index in range(34)]
    units = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45)
    names += [f"AU{unit:02d}_r" for unit in units]
    return names + [f"AU{unit:02d}_c" for unit in sorted([*units, 28])]


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    write_openface_csv(make_result(4), path)
    return path


def test_all_columns_are_there_in_openfaces_order(table):
    header = read_cells(table)[0]
    assert tuple(header) == columns.full_sequence()
    assert len(header) == 714


def test_a_published_reader_finds_every_column_it_asks_for(table):
    wanted = pyfeat_columns()
    assert len(wanted) == len(set(wanted)) == 431
    assert read_openface_csv(table).has(wanted)


def test_cells_are_separated_by_a_comma_alone_and_lines_end_with_a_newline_alone(table):
    data = table.read_bytes()
    assert b" " not in data
    assert b"\r" not in data
    assert data.endswith(b"\n")
    assert len(data.splitlines()) == 5


def test_numbers_have_openfaces_decimals(table):
    names, first = read_cells(table)[:2]
    cells = dict(zip(names, first, strict=True))
    decimals = {name: len(cell.partition(".")[2]) for name, cell in cells.items()}
    assert {name: decimals[name] for name in ("frame", "face_id", "timestamp", "confidence", "success")} == {
        "frame": 0, "face_id": 0, "timestamp": 3, "confidence": 2, "success": 0,
    }  # fmt: skip
    assert (decimals["gaze_1_z"], decimals["gaze_angle_y"], decimals["eye_lmk_x_55"]) == (6, 3, 1)
    assert (decimals["pose_Tx"], decimals["pose_Rz"], decimals["p_33"]) == (1, 3, 3)
    assert (decimals["x_0"], decimals["Z_67"], decimals["AU01_r"]) == (1, 1, 2)


def test_frames_are_counted_from_one_and_time_from_zero(table):
    found = read_openface_csv(table)
    np.testing.assert_array_equal(found["frame"], [1, 2, 3, 4])
    np.testing.assert_array_equal(found["timestamp"], [0, 0.033, 0.067, 0.1])


@pytest.mark.parametrize(("post_processed", "cell"), [(False, "1.0"), (True, "1.00")])
def test_presence_has_two_decimals_after_post_processing_and_one_before(tmp_path, post_processed, cell):
    result = make_result(1)
    result = replace(result, au_presence=np.ones((1, 18)), au_post_processed=post_processed)
    write_openface_csv(result, tmp_path / "t.csv")
    assert read_cells(tmp_path / "t.csv")[1][-18:] == [cell] * 18


def test_values_come_back_within_their_rounding(tmp_path):
    result = make_result(700)
    write_openface_csv(result, tmp_path / "t.csv")
    found, expected = read_openface_csv(tmp_path / "t.csv"), result.to_table()
    assert found.names == expected.names
    half = 0.5 * 10.0**-expected.decimals + 1e-9
    assert (np.abs(found.values - expected.values) <= half).all()


@pytest.mark.parametrize("style", CsvStyle)
def test_rows_equal_what_python_formats(tmp_path, style):
    result = make_result(300)
    result.pose_translation_mm[[17, 299], 1] = 1e17, -np.inf
    result.landmarks[5] = np.nan
    write_openface_csv(result, tmp_path / "t.csv", style=style)
    table = result.to_table()
    lines = (tmp_path / "t.csv").read_text().splitlines(keepends=True)[1:]
    assert lines == [openface_csv.format_row(row, table.decimals, style) for row in table.values]


@pytest.mark.parametrize("units", ["action-units", "aus"])
def test_selected_groups_keep_openfaces_order(tmp_path, units):
    write_openface_csv(make_result(2), tmp_path / "t.csv", groups=[units, Group.POSE])
    names = read_cells(tmp_path / "t.csv")[0]
    assert names[:6] == ["frame", "face_id", "timestamp", "confidence", "success", "pose_Tx"]
    assert names[11] == "AU01_r"
    assert len(names) == 5 + 6 + 35


def test_unknown_groups_are_refused(tmp_path):
    with pytest.raises(OptionError, match="unknown columns poses: expected some of gaze, pose"):
        write_openface_csv(make_result(1), tmp_path / "t.csv", groups="poses")
    assert not list(tmp_path.iterdir())


def test_groups_that_were_switched_off_have_no_columns(tmp_path):
    write_openface_csv(make_result(2, gaze=False, units=False), tmp_path / "t.csv")
    assert len(read_cells(tmp_path / "t.csv")[0]) == 714 - 288 - 35


def test_single_images_have_a_face_and_no_frame(tmp_path):
    write_openface_csv(make_result(2), tmp_path / "t.csv", form="image")
    names, first, _ = read_cells(tmp_path / "t.csv")
    assert names[:3] == ["face", "confidence", "gaze_0_x"]
    assert len(names) == 711
    assert len(first[1].partition(".")[2]) == 3


def test_no_rows_make_a_header(tmp_path):
    write_openface_csv(make_result(0), tmp_path / "t.csv")
    assert read_cells(tmp_path / "t.csv") == [list(columns.full_sequence())]
    assert len(read_openface_csv(tmp_path / "t.csv")) == 0


def test_a_table_that_fails_halfway_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "t.csv"
    path.write_text("old")

    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(openface_csv, "_write_rows", fail)
    with pytest.raises(KeyboardInterrupt):
        write_openface_csv(make_result(2), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_folders_are_made_and_places_that_cannot_be_written_are_named(tmp_path):
    write_openface_csv(make_result(1), tmp_path / "new" / "t.csv")
    assert (tmp_path / "new" / "t.csv").is_file()
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "t.csv", tmp_path / "new"):
        with pytest.raises(OutputError, match=r"can't be written"):
            write_openface_csv(make_result(1), path)


@pytest.mark.parametrize("separator", [",", ", ", ",  "])
def test_tables_of_all_versions_can_be_read(tmp_path, separator):
    text = (
        separator.join(["frame", "success", "AU01_r"]) + "\n" + separator.join(["1", "1", "-0.05"]) + "\r\n"
    )
    (tmp_path / "t.csv").write_bytes(text.encode())
    table = read_openface_csv(tmp_path / "t.csv")
    assert table.names == ("frame", "success", "AU01_r")
    np.testing.assert_array_equal(table.values, [[1, 1, -0.05]])


def test_empty_cells_are_read_as_nan(tmp_path):
    (tmp_path / "t.csv").write_text("a,b,c\n1,,3\n, 2,\n")
    values = read_openface_csv(tmp_path / "t.csv").values
    np.testing.assert_array_equal(values, [[1, np.nan, 3], [np.nan, 2, np.nan]])


@pytest.mark.parametrize("text", ["nan", "-nan", "-nan(ind)", "nan(snan)", "NaN", "1.#QNAN0", "-1.#IND"])
def test_what_c_programs_print_for_not_a_number_is_read_as_nan(tmp_path, text):
    (tmp_path / "t.csv").write_text(f"a, b, c\n1, {text}, 3\n")
    np.testing.assert_array_equal(read_openface_csv(tmp_path / "t.csv").values, [[1, np.nan, 3]])


def test_both_styles_hold_the_same_table(tmp_path):
    result = make_result(30)
    result.au_intensity[:, 3] = np.nan
    for style in CsvStyle:
        write_openface_csv(result, tmp_path / f"{style}.csv", style=style)
    plain, blank = (read_openface_csv(tmp_path / f"{style}.csv") for style in CsvStyle)
    assert plain.names == blank.names
    np.testing.assert_array_equal(plain.values, blank.values)


def test_unknown_styles_are_refused(tmp_path):
    with pytest.raises(OptionError, match=r"expected openface-2\.2 or openface-blank, got 'excel'"):
        write_openface_csv(make_result(1), tmp_path / "t.csv", style="excel")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a header line"),
        ("a,b\n1,2\n3\n", "line 3: expected 2 cells, got 1"),
        ("a,b\n1,two\n", "line 2, column b: expected a number, got 'two'"),
        ("a,b,a\n1,2,3\n", "expected every name once, got a several times"),
    ],
)
def test_files_that_are_no_tables_are_refused(tmp_path, text, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(TableError, match=message):
        read_openface_csv(tmp_path / "t.csv")


def test_missing_and_binary_files_are_refused(tmp_path):
    with pytest.raises(TableError, match="No such file"):
        read_openface_csv(tmp_path / "t.csv")
    (tmp_path / "t.csv").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(TableError, match="not text"):
        read_openface_csv(tmp_path / "t.csv")


@pytest.mark.models
@pytest.mark.parametrize("name", VIDEOS)
def test_files_of_the_original_are_reproduced_cell_for_cell(name, reference_dir, tmp_path):
    folder = reference_dir / "videos" / name
    write_openface_csv(result_of(read_video(folder)), tmp_path / "t.csv")
    assert read_cells(tmp_path / "t.csv") == read_cells(folder / f"{name}.csv")


@pytest.mark.models
@pytest.mark.parametrize("name", VIDEOS)
def test_files_of_the_original_with_blanks_are_reproduced_byte_for_byte(name, reference_dir, tmp_path):
    folder = reference_dir / "videos" / name
    write_openface_csv(result_of(read_video(folder)), tmp_path / "t.csv", style="openface-blank")
    assert (tmp_path / "t.csv").read_bytes() == (folder / f"{name}.csv").read_bytes()


@pytest.mark.models
def test_columns_of_single_images_are_the_originals(reference_dir, tmp_path):
    write_openface_csv(make_result(2), tmp_path / "t.csv", form="image")
    found, expected = read_cells(tmp_path / "t.csv"), read_cells(reference_dir / "images/sample1/sample1.csv")
    assert found[0] == expected[0]
    decimals = [[len(cell.partition(".")[2]) for cell in rows[1]] for rows in (found, expected)]
    assert decimals[0] == decimals[1]


@pytest.mark.models
@pytest.mark.parametrize("name", ["sample1", "sample2", "sample3", "24795717_1"])
def test_the_originals_tables_of_images_can_be_written_byte_for_byte(name, reference_dir, tmp_path):
    path = reference_dir / "images" / name / f"{name}.csv"
    table, layout = read_openface_csv(path), make_result(0).to_table(form="image")
    layout.decimals[-18:] = 1  # live presence
    assert table.names == layout.names
    with (tmp_path / "t.csv").open("wb") as file:
        file.write(", ".join(table.names).encode() + b"\n")
        openface_csv._write_rows(file, replace(table, decimals=layout.decimals), CsvStyle.OPENFACE_BLANK)
    assert (tmp_path / "t.csv").read_bytes() == path.read_bytes()

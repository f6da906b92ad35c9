"""Tables as programs made for OpenFace read them; docs/reading-tables.md names who does it which way."""

from __future__ import annotations

import csv

import numpy as np
import pandas as pd
import pytest

from mien.results import columns, read_openface_csv
from synthetic_result import make_result

INTENSITIES, PRESENCES = columns.intensity().names, columns.presence().names
NAMES = columns.full_sequence()


@pytest.fixture(scope="module", params=["openface-2.2", "openface-blank"])
def style(request):
    return request.param


@pytest.fixture(scope="module")
def expected():
    result = make_result(40)
    result.au_presence[:, 3] = np.nan  # never measured, as with the open models
    return result


@pytest.fixture(scope="module")
def path(style, expected, tmp_path_factory):
    path = tmp_path_factory.mktemp(style) / "clip.csv"
    expected.save(path, style=style)
    return path


def check(frame, expected):
    """A reader's data frame, names stripped, holds the result's action units and flags."""
    np.testing.assert_allclose(frame[list(INTENSITIES)], expected.au_intensity, atol=0.005001)
    np.testing.assert_array_equal(frame[list(PRESENCES)], expected.au_presence)
    assert frame["success"].tolist() == [1] * 40
    assert frame["frame"].tolist() == list(range(1, 41))
    assert all(kind.kind in "if" for kind in frame.dtypes)


def read_names_with_a_blank(path):
    """As open_dbm reads: names are looked up with a leading blank, all but the first."""
    frame = pd.read_csv(path)
    units = [name for name in frame if " AU" in name]
    rest = ["frame", " face_id", " timestamp", " confidence", " success"]
    return frame[[*rest, *units]].rename(columns=str.strip)


def test_readers_of_names_with_a_leading_blank_get_everything_from_the_blank_style(path, style, expected):
    if style == "openface-2.2":
        with pytest.raises(KeyError, match="' success'"):
            read_names_with_a_blank(path)
        return
    frame = read_names_with_a_blank(path)
    assert len(frame.columns) == 5 + 35
    check(frame, expected)


def test_readers_of_plain_names_get_everything_from_the_plain_style(path, style, expected):
    frame = pd.read_csv(path)
    if style == "openface-2.2":
        check(frame, expected)
    else:
        assert "success" not in frame
        assert all(kind.kind in "if" for kind in frame.dtypes)


def test_pandas_reads_both_when_told_to_skip_blanks(path, expected):
    frame = pd.read_csv(path, skipinitialspace=True)
    assert tuple(frame.columns) == NAMES
    check(frame, expected)


def test_readers_that_strip_names_read_both(path, expected):
    """As py-feat's ``read_openface`` does."""
    frame = pd.read_csv(path, sep=",")
    frame.columns = frame.columns.str.strip(" ")
    check(frame, expected)


def test_readers_that_split_at_a_comma_and_blanks_read_both(path, expected):
    frame = pd.read_csv(path, sep=r",\s*", engine="python")
    assert tuple(frame.columns) == NAMES
    check(frame, expected)


def test_readers_that_count_columns_read_both(path, expected):
    frame = pd.read_csv(path)
    assert frame.shape == (40, 714)
    np.testing.assert_allclose(frame.iloc[:, 679:696], expected.au_intensity, atol=0.005001)
    np.testing.assert_array_equal(frame.iloc[:, 696:], expected.au_presence)


def test_readers_that_take_everything_from_the_first_action_unit_on_read_both(path, style, expected):
    first = " AU01_r" if style == "openface-blank" else "AU01_r"
    units = pd.read_csv(path).loc[:, first:]
    assert [name.strip() for name in units] == [*INTENSITIES, *PRESENCES]
    np.testing.assert_array_equal(units.iloc[:, 17:], expected.au_presence)


def test_the_csv_module_and_numpy_read_both(path, expected):
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file, skipinitialspace=True))
    assert [float(row["AU12_r"]) for row in rows] == pytest.approx(expected.au_intensity[:, 8], abs=0.005001)
    array = np.genfromtxt(path, delimiter=",", names=True, autostrip=True, deletechars="")
    np.testing.assert_allclose(array["AU12_r"], expected.au_intensity[:, 8], atol=0.005001)


def test_mien_reads_both(path, expected):
    table = read_openface_csv(path)
    assert table.names == NAMES
    np.testing.assert_array_equal(table.select(PRESENCES), expected.au_presence)


def test_a_choice_of_columns_has_no_names_that_differ_in_case_alone():
    """For programs such as SPSS, which take ``x_0`` and ``X_0`` for one name."""
    assert len({name.lower() for name in NAMES}) < len(NAMES)
    chosen = make_result(0).to_table(groups=["pose", "landmarks-2d", "shape", "action-units"]).names
    assert len({name.lower() for name in chosen}) == len(chosen)

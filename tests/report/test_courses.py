"""Lines of a page: which there are, where they are broken, and how too many rows are bundled."""

from __future__ import annotations

import numpy as np
import pytest

from mien.report.courses import courses_of, encode
from mien.report.face_rows import faces_in
from mien.report.payload import Payload, unpack
from recording_results import recording


def encoded(result, most=10**6, events=()):
    (face,) = faces_in(result, 0.8)
    payload = Payload()
    described = encode(face, courses_of(face, 30), events, payload, most)
    text = payload.text()
    return described, lambda number: unpack(text, payload.columns[number])


def line(described, key, name):
    (course,) = [each for each in described["courses"] if each["key"] == key]
    (found,) = [each for each in course["lines"] if each["name"] == name]
    return found


def test_rows_that_do_not_count_hold_no_measurement():
    result = recording(300, lost=((100, 130),))
    described, column = encoded(result)
    values = column(line(described, "intensity", "AU12")["column"])
    assert np.isnan(values[100:130]).all()
    assert np.allclose(values[:100], result.au_intensity[:100, 8], atol=0.0051)
    assert np.isfinite(column(line(described, "confidence", "confidence")["column"])).all()


def test_lines_are_broken_where_rows_are_missing():
    result = recording(100, lost=())
    described, column = encoded(result[(result.frame < 50) | (result.frame >= 60)])
    x, values = column(described["x"]), column(line(described, "gaze", "vertical, down")["column"])
    assert len(x) == len(values) == 91
    assert np.flatnonzero(np.isnan(values)).tolist() == [50]
    assert (np.diff(x) > 0).all()


def test_bundles_of_rows_keep_every_peak():
    result = recording(10_000, lost=())
    result.au_intensity[:, 8] = 0.5
    result.au_intensity[7777, 8] = 4.5
    described, column = encoded(result, most=1000)
    values = column(line(described, "intensity", "AU12")["column"])
    assert described["rows_per_pair"] == 20
    assert len(values) == len(column(described["x"])) == 1000
    assert values.max() == pytest.approx(4.5, abs=0.01)
    assert (np.diff(column(described["x"])) >= 0).all()


def test_the_units_that_reach_highest_are_chosen():
    result = recording(200, lost=())
    result.au_intensity[:] = 0
    result.au_intensity[:, [1, 3, 5, 7, 9, 11]] = 3
    described, _ = encoded(result)
    chosen = [each["name"] for each in described["courses"][1]["lines"] if each["chosen"]]
    assert chosen == [result.au_intensity_names[index] for index in (1, 3, 5, 7, 9, 11)]


def test_what_was_not_measured_has_no_line():
    result = recording(50, lost=(), gaze_angle_rad=None)
    result.au_intensity[:, 8] = np.nan
    described, _ = encoded(result)
    assert "gaze" not in [course["key"] for course in described["courses"]]
    assert "AU12" not in [each["name"] for each in described["courses"][1]["lines"]]


def test_sides_are_pairs_and_other_measures_are_not():
    measures = {
        "a_left": np.ones(50),
        "a_right": np.full(50, np.nan),
        "b_left": np.ones(50),
        "c": np.ones(50),
    }
    described, _ = encoded(recording(50, lost=(), measures=measures))
    found = {course["key"]: [each["name"] for each in course["lines"]] for course in described["courses"]}
    assert found["sides"] == ["a_left", "a_right"]
    assert found["measures"] == ["b_left", "c"]

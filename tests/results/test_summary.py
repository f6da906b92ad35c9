"""Summaries: which rows count, and every figure worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from mien.results import ResultBuilder
from mien.results.summary import summarise, summarise_faces, usable_rows
from synthetic_result import make_face, make_result


@pytest.fixture
def result():
    """Six rows: the fourth without success, the fifth of low confidence, the last of a middling one."""
    made = make_result(6)
    made.success[:] = [True, True, True, False, True, True]
    made.confidence[:] = [0.9, 0.9, 0.9, 0.9, 0.6, 0.85]
    made.au_intensity[:, 8] = [1, 2, np.nan, 5, 5, 3]  # AU12
    made.au_presence[:, 8] = [0, 1, np.nan, 1, 1, 1]
    return made


def unit(summary, name="AU12"):
    return {each.name: each for each in summary.units}[name]


def test_rows_count_with_success_and_enough_confidence(result):
    assert usable_rows(result).tolist() == [True, True, True, False, False, True]
    found = summarise(result)
    assert (found.rows, found.successes, found.usable) == (6, 5, 4)
    assert found.success_rate == pytest.approx(5 / 6)
    assert found.usable_share == pytest.approx(4 / 6)
    assert found.mean_confidence == pytest.approx(5.05 / 6)
    assert (found.begin_s, found.end_s) == (0, pytest.approx(5 / 30))


def test_units_are_summarised_over_rows_that_count_and_were_measured(result):
    au12 = unit(summarise(result))
    assert (au12.frames, au12.mean, au12.sd) == (3, 2, 1)
    assert au12.p95 == pytest.approx(2.9)
    assert au12.present == pytest.approx(2 / 3)


def test_a_minimum_of_confidence_leaves_rows_out(result):
    au12 = unit(summarise(result, min_confidence=0.88))
    assert (au12.frames, au12.mean, au12.present) == (2, 1.5, 0.5)


def test_a_unit_of_presence_only_has_no_intensity(result):
    au28 = unit(summarise(result), "AU28")
    assert au28.frames == 0
    assert math.isnan(au28.mean)
    assert au28.present == pytest.approx(result.au_presence[[0, 1, 2, 5], 16].mean())


def test_one_measured_row_has_no_spread_and_none_has_nothing(result):
    one, none = unit(summarise(result[[0]])), unit(summarise(result[[3]]))
    assert (one.frames, one.mean) == (1, 1)
    assert math.isnan(one.sd)
    assert none.frames == 0
    assert all(math.isnan(value) for value in (none.mean, none.sd, none.p95, none.present))


def test_an_empty_result_and_one_without_units_can_be_summarised():
    found = summarise(make_result(0))
    assert (found.rows, found.usable) == (0, 0)
    assert math.isnan(found.success_rate)
    assert math.isnan(found.usable_share)
    assert summarise(make_result(2, units=False)).units == ()


def test_every_identity_is_summarised_by_itself():
    builder = ResultBuilder()
    for frame in range(4):
        for face_id in (0, 2)[: 1 + frame // 2]:
            builder.append(make_face(frame, face_id=face_id))
    found = summarise_faces(builder.finish())
    assert {face_id: summary.rows for face_id, summary in found.items()} == {0: 4, 2: 2}


def test_units_stand_in_the_order_of_their_numbers(result):
    names = [each.name for each in summarise(replace(result)).units]
    assert names == sorted(names)
    assert len(names) == 18

"""Rows become arrays: growth, groups that come and go, post-processed action units."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from mien.action_units import catalogue
from mien.results import ResultBuilder, builder
from synthetic_result import make_face


@dataclass
class Series:
    intensity: np.ndarray
    presence: np.ndarray
    measures: dict = field(default_factory=dict)


def build(faces):
    rows = ResultBuilder()
    for face in faces:
        rows.append(face)
    return rows


def test_rows_keep_their_values_across_blocks(monkeypatch):
    monkeypatch.setattr(builder, "_BLOCK_ROWS", 4)
    faces = [make_face(frame, measures=("a",)) for frame in range(11)]
    result = build(faces).finish()
    assert len(result) == 11
    for row, face in enumerate(faces):
        np.testing.assert_array_equal(result.landmarks[row], face.landmarks.points)
        np.testing.assert_array_equal(result.landmarks_3d[row], face.landmarks_3d)
        np.testing.assert_array_equal(result.pose_rotation_rad[row], face.pose.rotation_rad)
        np.testing.assert_array_equal(result.gaze_directions[row], face.gaze.directions)
        np.testing.assert_array_equal(result.eye_landmarks[row], face.gaze.eye_points)
        np.testing.assert_array_equal(result.au_intensity[row], face.action_units.intensity)
        np.testing.assert_array_equal(result.local_params[row], face.landmarks.local_params)
        assert result.measures["a"][row] == face.action_units.measures["a"]
        assert (result.frame[row], result.time_s[row]) == (face.frame, face.time_s)


def test_a_result_can_be_asked_for_at_any_time(monkeypatch):
    monkeypatch.setattr(builder, "_BLOCK_ROWS", 4)
    rows = build([make_face(frame) for frame in range(3)])
    first = rows.finish()
    again = rows.finish()
    assert np.shares_memory(first.landmarks, again.landmarks)
    before = first.landmarks.copy()
    for frame in range(3, 9):
        rows.append(make_face(frame))
    assert len(rows.finish()) == len(rows) == 9
    np.testing.assert_array_equal(first.landmarks, before)
    np.testing.assert_array_equal(rows.finish().frame, range(9))


def test_nothing_is_kept_of_the_frames_own_arrays():
    face = make_face(0)
    rows = build([face])
    face.landmarks.points[:] = 0
    assert rows.finish().landmarks.any()


def test_groups_that_are_off_stay_off():
    result = build([make_face(0, gaze=False, units=False)]).finish()
    assert result.gaze_directions is None
    assert result.eye_landmarks is None
    assert result.au_intensity is None
    assert result.mesh is None


def test_what_only_some_rows_have_is_missing_in_the_others():
    faces = [make_face(0), make_face(1, mesh=True, measures=("a",)), make_face(2, gaze=False, units=False)]
    result = build(faces).finish()
    np.testing.assert_array_equal(np.isnan(result.mesh[:, 0, 0]), [True, False, True])
    np.testing.assert_array_equal(np.isnan(result.measures["a"]), [True, False, True])
    np.testing.assert_array_equal(np.isnan(result.gaze_angle_rad[:, 0]), [False, False, True])
    np.testing.assert_array_equal(np.isnan(result.au_presence[:, 0]), [False, False, True])


def test_post_processed_action_units_replace_the_live_ones():
    rows = build([make_face(frame, measures=("a",)) for frame in range(3)])
    assert not rows.finish().au_post_processed
    series = Series(np.full((3, 17), 2.0), np.ones((3, 18)), {"a": np.arange(3.0)})
    result = rows.finish(series)
    assert result.au_post_processed
    np.testing.assert_array_equal(result.au_intensity, series.intensity)
    np.testing.assert_array_equal(result.au_presence, series.presence)
    np.testing.assert_array_equal(result.measures["a"], [0, 1, 2])
    assert not np.array_equal(rows.finish().au_intensity, series.intensity)


def test_a_series_of_another_length_is_refused():
    rows = build([make_face(frame) for frame in range(3)])
    with pytest.raises(ValueError, match="au_intensity: expected shape"):
        rows.finish(Series(np.zeros((2, 17)), np.zeros((2, 18))))


def test_a_row_that_does_not_fit_is_refused_and_leaves_no_trace():
    rows = build([make_face(0)])
    bad = make_face(1)
    bad = replace(bad, landmarks=replace(bad.landmarks, local_params=np.zeros(20, np.float32)))
    with pytest.raises(ValueError, match=r"local_params: expected shape \(34,\)"):
        rows.append(bad)
    rows.append(make_face(1))
    assert len(rows.finish()) == 2


def test_no_rows_make_an_empty_result():
    result = ResultBuilder().finish()
    assert len(result) == 0
    assert result.landmarks.shape == (0, 68, 2)


def test_names_of_action_units_are_the_catalogues():
    result = build([make_face(0)]).finish()
    assert result.au_intensity_names == tuple(catalogue.INTENSITY_NAMES)
    assert result.au_presence_names == tuple(catalogue.PRESENCE_NAMES)

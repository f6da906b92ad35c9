"""Geometric action units: relative to the person's neutral, and missing where they cannot be measured."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers_open import canonical_face, landmarks_of
from mien.action_units.catalogue import INTENSITY_NAMES
from mien.action_units.geometric import (
    GAINS,
    LIVE_FRAMES,
    MEASURE_NAMES,
    RECORDED_FRAMES,
    GeometricActionUnits,
    smooth,
)
from mien.action_units.mesh_measures import RULES
from mien.datatypes import TrackedFace
from mien.geometry.rotation import rotation_from_euler
from mien.landmarks.mesh_tracker import no_face

JAW = (152, 199, 175)
MISSING = [name for name in INTENSITY_NAMES if name not in RULES]


def face(jaw_cm=0.0, yaw=0.0):
    """Landmarks of the canonical face, its jaw dropped by a length, its head turned."""
    shape = np.vstack([canonical_face().vertices, np.zeros((10, 3))])
    shape[list(JAW), 1] += jaw_cm
    return landmarks_of(shape @ rotation_from_euler((0.0, yaw, 0.0)).T * 10 + (300, 200, 0))


def analyse(faces, **options):
    analyzer = GeometricActionUnits(canonical_face(), **options)
    live = [analyzer.analyze(TrackedFace(0, landmarks)) for landmarks in faces]
    return live, analyzer


def column(series, name):
    return series.intensity[:, INTENSITY_NAMES.index(name)]


def test_an_action_shows_where_it_happens_and_nowhere_else():
    faces = [face()] * 100
    faces[50:60] = [face(jaw_cm=1.2)] * 10
    _, analyzer = analyse(faces)
    series = analyzer.finish()
    dropped = series.measures["AU26_cm"]
    np.testing.assert_allclose(dropped[51:59], 1.2, atol=1e-4)
    np.testing.assert_allclose(dropped[[50, 59]], 0.8, atol=1e-4)
    np.testing.assert_allclose(np.delete(dropped, range(49, 61)), 0, atol=1e-4)
    np.testing.assert_allclose(column(series, "AU26"), np.clip(GAINS["AU26"] * dropped, 0, 5), atol=1e-9)
    np.testing.assert_allclose(series.measures["lip_gap_cm_change"], 0, atol=1e-4)


def test_what_geometry_cannot_measure_is_missing():
    _, analyzer = analyse([face()] * RECORDED_FRAMES)
    series = analyzer.finish()
    assert series.intensity.shape == (RECORDED_FRAMES, 17)
    assert series.presence.shape == (RECORDED_FRAMES, 18)
    assert np.all(np.isnan(series.presence))
    for name in MISSING:
        assert np.all(np.isnan(column(series, name))), name
    for name in RULES:
        assert np.all(np.isfinite(column(series, name))), name
    assert tuple(series.measures) == MEASURE_NAMES


def test_frames_without_a_face_stay_missing_and_do_not_spoil_the_rest():
    faces = [face(0.1 * (i % 2)) for i in range(100)]
    faces[40:45] = [no_face()] * 5
    _, analyzer = analyse(faces)
    series = analyzer.finish()
    gap = np.isnan(series.measures["AU26_cm"])
    assert gap.tolist() == [40 <= i < 45 for i in range(100)]
    np.testing.assert_array_equal(np.isnan(column(series, "AU12")), gap)


def test_a_face_turned_aside_is_not_measured_unless_asked_for():
    faces = [face()] * 100 + [face(yaw=math.radians(35))] * 3
    _, analyzer = analyse(faces)
    assert np.isnan(analyzer.finish().measures["lip_gap_cm"][-3:]).all()
    _, analyzer = analyse(faces, max_yaw_rad=None)
    assert np.isfinite(analyzer.finish().measures["lip_gap_cm"]).all()


def test_landmarks_that_are_not_valid_are_not_measured():
    _, analyzer = analyse([dataclasses.replace(face(), valid=False)])
    assert np.isnan(analyzer.finish().measures["lip_gap_cm"]).all()


@pytest.mark.parametrize(("count", "known"), [(RECORDED_FRAMES - 1, False), (RECORDED_FRAMES, True)])
def test_a_short_recording_has_measures_but_no_neutral(count, known):
    _, analyzer = analyse([face()] * count)
    series = analyzer.finish()
    assert np.isfinite(series.measures["mouth_width_cm"]).all()
    assert np.isfinite(series.measures["mouth_width_cm_change"]).all() == known
    assert np.isfinite(column(series, "AU12")).all() == known
    assert (analyzer.neutral is not None) == known


def test_the_neutral_of_another_recording_serves_a_single_frame():
    _, analyzer = analyse([face()] * RECORDED_FRAMES)
    live, other = analyse([face(jaw_cm=0.5)], neutral=analyzer.neutral)
    assert live[0].measures["AU26_cm"] == pytest.approx(0.5, abs=1e-4)
    assert other.finish().measures["AU26_cm"][0] == pytest.approx(0.5, abs=1e-4)


def test_live_values_start_with_the_first_neutral():
    live, _ = analyse([face()] * (LIVE_FRAMES + 20) + [face(jaw_cm=1)])
    known = [np.isfinite(units.intensity[INTENSITY_NAMES.index("AU26")]) for units in live]
    assert known == [i >= LIVE_FRAMES - 1 for i in range(len(live))]
    assert live[-1].measures["AU26_cm"] == pytest.approx(1, abs=1e-4)
    assert np.isfinite(live[0].measures["lip_gap_cm"])
    assert np.all(np.isnan(live[-1].presence))
    assert tuple(live[0].measures) == MEASURE_NAMES


def test_reset_forgets_the_person():
    _, analyzer = analyse([face()] * RECORDED_FRAMES)
    analyzer.reset()
    assert analyzer.neutral is None
    assert analyzer.finish().intensity.shape == (0, 17)
    assert np.isnan(analyzer.analyze(TrackedFace(0, face())).measures["AU26_cm"])


values = st.lists(st.one_of(st.just(math.nan), st.floats(-10, 10)), max_size=20)


@given(values)
def test_smoothing_equals_its_definition(numbers):
    """Mean of three, the frame itself standing in for a neighbour that is missing."""
    expected = []
    for i, value in enumerate(numbers):
        sides = [numbers[j] if 0 <= j < len(numbers) else math.nan for j in (i - 1, i + 1)]
        expected.append((sum(value if math.isnan(side) else side for side in sides) + value) / 3)
    np.testing.assert_allclose(smooth(np.array(numbers).reshape(-1, 1))[:, 0], expected, atol=1e-12)

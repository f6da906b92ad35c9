"""Action units of the mesh: relative to the person's neutral, and missing where they cannot be measured."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers_open import canonical_face, landmarks_of
from mien.action_units.catalogue import INTENSITY_NAMES
from mien.action_units.mesh_formulas import (
    MEASURED_UNITS,
    SIDED_UNITS,
    SIDES,
    UNITS_WITHOUT_NEUTRAL,
    USUAL_BLINK,
)
from mien.action_units.mesh_measures import RULES
from mien.action_units.mesh_units import (
    LIVE_FRAMES,
    MEASURE_NAMES,
    RECORDED_FRAMES,
    MeshActionUnits,
    smooth,
)
from mien.datatypes import BLENDSHAPE_NAMES, Blendshapes, TrackedFace
from mien.geometry.rotation import rotation_from_euler
from mien.landmarks.mesh_tracker import no_face

JAW = (152, 199, 175)
MISSING = [name for name in INTENSITY_NAMES if name not in MEASURED_UNITS]


class Network:
    """Stands for the blendshape network: gives what it is told, frame by frame."""

    def __init__(self, frames):
        self._frames = iter(frames)

    def read(self, mesh):
        coefficients = np.full(len(BLENDSHAPE_NAMES), 0.01)
        for name, value in next(self._frames).items():
            coefficients[BLENDSHAPE_NAMES.index(name)] = value
        logits = np.log(coefficients / (1 - coefficients))
        return Blendshapes(coefficients.astype(np.float32), logits.astype(np.float32))


def with_shapes(*frames, faces=None, **options):
    """The series of a still face with these coefficients, frame by frame."""
    analyzer = MeshActionUnits(canonical_face(), Network(frames), **options)
    for landmarks in faces or [face()] * len(frames):
        analyzer.analyze(TrackedFace(0, landmarks))
    return analyzer.finish()


def face(jaw_cm=0.0, yaw=0.0):
    """Landmarks of the canonical face, its jaw dropped by a length, its head turned."""
    shape = np.vstack([canonical_face().vertices, np.zeros((10, 3))])
    shape[list(JAW), 1] += jaw_cm
    return landmarks_of(shape @ rotation_from_euler((0.0, yaw, 0.0)).T * 10 + (300, 200, 0))


def analyse(faces, **options):
    analyzer = MeshActionUnits(canonical_face(), **options)
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
    np.testing.assert_allclose(column(series, "AU26"), dropped, atol=1e-4)
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
    series = with_shapes(*[{}] * RECORDED_FRAMES)
    measured = [name for name in INTENSITY_NAMES if np.all(np.isfinite(column(series, name)))]
    assert measured == list(MEASURED_UNITS)
    assert np.all(np.isnan(series.presence))


def test_both_sides_are_told_apart():
    shapes = {"mouthSmileLeft": 0.9, "eyeBlinkRight": 0.8, "mouthUpperUpLeft": 0.5}
    series = with_shapes(*[{}] * 70, *[shapes] * 9)
    right, left = ({name: series.measures[f"{name}_{side}"][75] for name in SIDED_UNITS} for side in SIDES)
    # the mouth's corners and lids of the mesh rest: geometry sees nothing
    assert left["AU12"] == pytest.approx(0.9, abs=0.01)
    assert right["AU12"] == pytest.approx(0.01, abs=0.01)
    assert right["AU45"] == pytest.approx(2.5 * 0.79, abs=0.01)
    assert left["AU45"] == pytest.approx(0, abs=0.01)
    assert left["AU10"] == pytest.approx(0.5, abs=0.01)
    for name in SIDED_UNITS:
        assert column(series, name)[75] == pytest.approx((right[name] + left[name]) / 2, abs=1e-6), name


def test_the_level_of_a_smile_needs_no_neutral():
    smiling = {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8}
    assert column(with_shapes(*[smiling] * 100), "AU12") == pytest.approx(0.8, abs=0.01)
    assert column(with_shapes(smiling), "AU12") == pytest.approx(1.6, abs=0.01)


def test_geometry_and_network_count_half_each():
    closed = {"eyeBlinkRight": 0.61, "eyeBlinkLeft": 0.61}
    shape = np.vstack([canonical_face().vertices, np.zeros((10, 3))])
    for upper, lower in ((160, 144), (158, 153), (385, 380), (387, 373)):
        shape[upper] = shape[lower]
    shut = landmarks_of(shape * 10 + (300, 200, 0))
    opening = analyse([face()])[0][0].measures["eye_opening_left"]
    series = with_shapes(*[{}] * 80, *[closed] * 5, faces=[face()] * 80 + [shut] * 5)
    assert column(series, "AU45")[82] == pytest.approx((5 * 0.6 + 14 * opening) / 2, abs=0.02)


def test_one_picture_has_the_units_that_need_no_neutral():
    series = with_shapes({"eyeBlinkLeft": USUAL_BLINK + 0.4, "eyeBlinkRight": USUAL_BLINK, "jawOpen": 0.5})
    known = [name for name in INTENSITY_NAMES if np.isfinite(column(series, name)).all()]
    assert known == list(UNITS_WITHOUT_NEUTRAL)
    assert column(series, "AU45")[0] == pytest.approx(1.0, abs=0.01)
    assert column(series, "AU26")[0] == pytest.approx(2.0, abs=0.01)


def test_changes_of_logits_show_what_coefficients_hide():
    rest, raised = (dict.fromkeys(("cheekSquintLeft", "cheekSquintRight"), value) for value in (1e-6, 1e-5))
    series = with_shapes(*[rest] * 70, *[raised] * 9)
    assert column(series, "AU06")[75] == pytest.approx(0.8 * math.log(10), abs=1e-3)


def test_blendshapes_are_reported_even_of_a_face_turned_aside():
    analyzer = MeshActionUnits(canonical_face(), Network([{"jawOpen": 0.3}] * 2))
    units = analyzer.analyze(TrackedFace(0, face(yaw=math.radians(40))))
    assert np.isnan(units.intensity).all()
    assert units.blendshapes.coefficients[BLENDSHAPE_NAMES.index("jawOpen")] == pytest.approx(0.3)
    assert np.isnan(analyzer.analyze(TrackedFace(0, no_face())).blendshapes.logits).all()


def test_values_stay_between_0_and_5():
    strong = dict.fromkeys(BLENDSHAPE_NAMES, 0.999)
    series = with_shapes(*[{}] * 70, *[strong] * 9)
    for name in MEASURED_UNITS:
        assert column(series, name).min() >= 0
        assert column(series, name).max() <= 5
    assert column(series, "AU05")[75] == 5


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
    assert np.isfinite(column(series, "AU25")).all()
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

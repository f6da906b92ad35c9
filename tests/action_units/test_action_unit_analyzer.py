"""The analyzers on a drawn face with random predictors, against the definition written out slowly."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import mien.action_units.analyzer as module
from mien.action_units.analyzer import ActionUnitAnalyzer, StaticActionUnitAnalyzer
from mien.action_units.catalogue import INTENSITY_NAMES, PRESENCE_NAMES
from mien.action_units.geometry import ShapeDescriptor
from mien.action_units.predictors import PredictorSet
from mien.appearance.extractor import AppearanceExtractor
from mien.datatypes import FaceLandmarks, Frame, TrackedFace
from mien.errors import OptionError
from mien.models.readers.action_units import read_action_units
from oracle import action_units as oracle
from synthetic_face import Pose, landmarks, picture
from synthetic_models import PREDICTORS


@pytest.fixture(scope="module")
def dynamic(synthetic_openface):
    return read_action_units(synthetic_openface / PREDICTORS / "main_dynamic_svms.txt")


@pytest.fixture(scope="module")
def static(synthetic_openface):
    return read_action_units(synthetic_openface / PREDICTORS / "main_static_svms.txt")


def sample(index, valid=True):
    """A frame of a face that moves, turns and opens its mouth."""
    t = index / 3
    turn = (0.1 * np.sin(t), 0.2 * np.cos(t), 0.05 * t / 10)
    pose = Pose(1.2, turn, 160 + 3 * np.sin(2 * t), 120.0, (20 * np.sin(t), 10 * np.cos(3 * t)))
    bgr = picture(pose, 320, 240, noise=3, seed=index)
    points = landmarks(pose).astype(np.float32)
    blank = np.zeros((68, 3), np.float32), np.zeros(6, np.float32), np.zeros(34, np.float32)
    return Frame(index, index / 30, bgr, bgr[:, :, 0]), FaceLandmarks(points, *blank, (), 0.9, True, valid)


FLAGS = [False, True, True, False, True, True, True, True, False, False, True, True, True, True]


@pytest.fixture(scope="module")
def frames():
    return [sample(i, ok) for i, ok in enumerate(FLAGS)]


@pytest.fixture(scope="module")
def samples(dynamic, frames):
    """Faces and their appearance."""
    extractor = AppearanceExtractor(dynamic.pdm, dynamic.triangles)
    return [(TrackedFace(0, face), extractor.extract(frame, face)) for frame, face in frames]


@pytest.fixture(scope="module")
def descriptors(dynamic, samples):
    """(N, 4702) as the definition has them: zeros where the frame failed."""
    shape = ShapeDescriptor(dynamic.pdm)
    rows = []
    for (_, appearance), ok in zip(samples, FLAGS, strict=True):
        assert appearance.good == ok == appearance.fhog.any() == appearance.aligned.bgr.any()
        rows.append(np.append(appearance.fhog.astype(float), shape.describe(appearance.local_params)))
    return np.array(rows)


def in_catalogue_order(record):
    by_slot = {(p.kind, p.name): p for p in record.predictors}
    return [by_slot["svr", name] for name in INTENSITY_NAMES] + [
        by_slot["svm", name] for name in PRESENCE_NAMES
    ]


def neutral_faces(descriptors):
    """Median descriptor at every frame: moved by the first, third, fifth ... frame only."""
    fhog, shape = oracle.NaiveMedian(-0.005, 1.0, 1000, True), oracle.NaiveMedian(-60.0, 60.0, 10000, False)
    medians = []
    for i, row in enumerate(descriptors):
        if i % 2 == 0:
            current = np.append(fhog.update(row[:4464], FLAGS[i]), shape.update(row[4464:], FLAGS[i]))
        medians.append(current)
    return medians


def classes(predictors, decisions):
    return [
        p.positive_class if s > 0 else p.negative_class for p, s in zip(predictors, decisions, strict=True)
    ]


def expected_series(predictors, descriptors, medians, limit):
    """Histories with the running medians, the first ``limit`` successes predicted again, post-processed."""
    again = set(np.flatnonzero(FLAGS)[:limit])
    intensity, presence = np.zeros((len(FLAGS), 17)), np.zeros((len(FLAGS), 18))
    for i in np.flatnonzero(FLAGS):
        row = oracle.scores(predictors, descriptors[i], medians[-1] if i in again else medians[i])
        intensity[i], presence[i] = row[:17], classes(predictors[17:], row[17:])
    finished = [oracle.finish_intensity(intensity[:, k], FLAGS, predictors[k].cutoff) for k in range(17)]
    return np.transpose(finished), np.transpose([oracle.vote(list(column)) for column in presence.T])


def analyzer_of(record, **options):
    return ActionUnitAnalyzer(record, **options)


def run(analyzer, samples):
    return [analyzer.analyze(*pair) for pair in samples]


def test_live_values_equal_the_definition(dynamic, samples, descriptors):
    predictors, medians = in_catalogue_order(dynamic), neutral_faces(descriptors)
    for i, units in enumerate(run(analyzer_of(dynamic), samples)):
        expected = oracle.scores(predictors, descriptors[i], medians[i]) if FLAGS[i] else np.zeros(35)
        np.testing.assert_allclose(units.intensity, expected[:17], rtol=0, atol=1e-9)
        presence = classes(predictors[17:], expected[17:]) if FLAGS[i] else np.zeros(18)
        np.testing.assert_array_equal(units.presence, presence)


@pytest.mark.parametrize("limit", [3000, 4])
def test_series_equals_the_definition(dynamic, samples, descriptors, limit, monkeypatch):
    monkeypatch.setattr(module, "MAX_REPREDICTED", limit)
    analyzer = analyzer_of(dynamic)
    run(analyzer, samples)
    series = analyzer.finish()
    expected = expected_series(in_catalogue_order(dynamic), descriptors, neutral_faces(descriptors), limit)
    np.testing.assert_allclose(series.intensity, expected[0], rtol=0, atol=1e-9)
    np.testing.assert_array_equal(series.presence, expected[1])


def test_finish_can_be_called_on_the_way_and_again(dynamic, samples):
    once, twice = (
        analyzer_of(dynamic),
        analyzer_of(dynamic),
    )
    run(once, samples)
    for i, pair in enumerate(samples):
        twice.analyze(*pair)
        assert len(twice.finish().intensity) == i + 1
    for _ in range(2):
        np.testing.assert_array_equal(twice.finish().intensity, once.finish().intensity)
        np.testing.assert_array_equal(twice.finish().presence, once.finish().presence)


def test_reset_starts_another_video(dynamic, samples):
    used, fresh = (
        analyzer_of(dynamic),
        analyzer_of(dynamic),
    )
    run(used, samples)
    used.reset()
    assert len(used.finish().intensity) == 0
    for pair in samples[3:9]:
        a, b = used.analyze(*pair), fresh.analyze(*pair)
        np.testing.assert_array_equal(a.intensity, b.intensity)
        np.testing.assert_array_equal(a.presence, b.presence)
    np.testing.assert_array_equal(used.finish().intensity, fresh.finish().intensity)


def test_a_video_without_any_success_is_all_zero(dynamic, samples):
    analyzer, failed = analyzer_of(dynamic), samples[FLAGS.index(False)]
    for _ in range(4):
        units = analyzer.analyze(*failed)
        assert not units.intensity.any()
        assert not units.presence.any()
    series = analyzer.finish()
    assert not series.intensity.any()
    assert not series.presence.any()


def test_static_predictors_in_a_video_are_only_clamped_and_smoothed(static, samples, descriptors):
    analyzer = analyzer_of(static)
    run(analyzer, samples)
    predictors = in_catalogue_order(static)
    no_median = [np.zeros(4702)] * len(FLAGS)
    intensity, presence = expected_series(predictors, descriptors, no_median, 3000)
    series = analyzer.finish()
    np.testing.assert_allclose(series.intensity, intensity, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(series.presence, presence)
    assert analyzer._fhog_median.count == 0


def test_live_values_of_a_camera_are_corrected_and_the_series_is_not(dynamic, samples):
    camera, file = (
        analyzer_of(dynamic, camera_source=True),
        analyzer_of(dynamic),
    )
    twins = [oracle.NaiveCorrection() for _ in range(17)]
    for i, (live, raw) in enumerate(zip(run(camera, samples), run(file, samples), strict=True)):
        expected = [twin.apply(v, FLAGS[i]) for twin, v in zip(twins, raw.intensity, strict=True)]
        np.testing.assert_allclose(live.intensity, expected, rtol=0, atol=1e-14)
        np.testing.assert_array_equal(live.presence, raw.presence)
    np.testing.assert_array_equal(camera.finish().intensity, file.finish().intensity)


def test_a_subset_of_predictors_leaves_the_others_unmeasured(dynamic, samples):
    few = dataclasses.replace(
        dynamic, predictors=tuple(p for p in dynamic.predictors if p.name in ("AU12", "AU45"))
    )
    analyzer, complete = (
        analyzer_of(few),
        analyzer_of(dynamic),
    )
    measured = [INTENSITY_NAMES.index("AU12"), INTENSITY_NAMES.index("AU45")]
    for pair in samples:
        units, all_units = analyzer.analyze(*pair), complete.analyze(*pair)
        np.testing.assert_array_equal(np.flatnonzero(~np.isnan(units.intensity)), measured)
        np.testing.assert_array_equal(units.intensity[measured], all_units.intensity[measured])
    series, whole = analyzer.finish(), complete.finish()
    np.testing.assert_array_equal(np.flatnonzero(~np.isnan(series.intensity[0])), measured)
    np.testing.assert_array_equal(series.intensity[:, measured], whole.intensity[:, measured])
    assert np.isnan(series.presence).sum() == len(samples) * 16


def test_several_analyzers_share_one_set_of_predictors(dynamic, samples):
    shared = PredictorSet(dynamic.predictors)
    analyzers = [analyzer_of(dynamic, predictors=shared) for _ in range(2)]
    alone = analyzer_of(dynamic)
    for pair in samples[:3]:
        one, two = (analyzer.analyze(*pair) for analyzer in analyzers)
        np.testing.assert_array_equal(one.intensity, two.intensity)
        np.testing.assert_array_equal(one.intensity, alone.analyze(*pair).intensity)


def test_single_pictures_use_static_predictors_whether_or_not_the_landmarks_are_valid(
    static, frames, descriptors
):
    analyzer, predictors = StaticActionUnitAnalyzer(static), in_catalogue_order(static)
    extractor = AppearanceExtractor(static.pdm, static.triangles, always=True)
    for i, (frame, fitted) in enumerate(frames):
        for valid in (True, False) if FLAGS[i] else ():
            face = TrackedFace(0, dataclasses.replace(fitted, valid=valid))
            appearance = extractor.extract(frame, face.landmarks)
            assert appearance.good == valid
            units = analyzer.analyze(face, appearance)
            expected = oracle.scores(predictors, descriptors[i], 0)
            np.testing.assert_allclose(units.intensity, np.clip(expected[:17], 0, 5), rtol=0, atol=1e-9)
            np.testing.assert_array_equal(units.presence, classes(predictors[17:], expected[17:]))
    assert analyzer.finish() is None


def test_single_pictures_refuse_dynamic_predictors(dynamic):
    with pytest.raises(OptionError, match="main_static_svms"):
        StaticActionUnitAnalyzer(dynamic)


def test_predictors_of_another_length_are_refused(dynamic):
    short = tuple(
        dataclasses.replace(p, means=p.means[:-1], weights=p.weights[:-1]) for p in dynamic.predictors
    )
    with pytest.raises(ValueError, match="expected predictors for 4702 numbers, got 4701"):
        ActionUnitAnalyzer(dataclasses.replace(dynamic, predictors=short))


def test_a_face_without_appearance_is_refused(dynamic, static, samples):
    for analyzer in (ActionUnitAnalyzer(dynamic), StaticActionUnitAnalyzer(static)):
        with pytest.raises(ValueError, match="expected the appearance"):
            analyzer.analyze(samples[0][0], None)


def test_shape_descriptor_is_the_deviation_axis_by_axis_and_then_the_parameters(dynamic):
    local = np.random.default_rng(0).normal(0, 5, 34).astype(np.float32)
    basis = dynamic.pdm.basis.astype(float)
    expected = np.concatenate([*(basis[:, axis] @ local.astype(float) for axis in range(3)), local])
    descriptor = ShapeDescriptor(dynamic.pdm).describe(local)
    np.testing.assert_allclose(descriptor, expected, rtol=0, atol=1e-12)
    assert ShapeDescriptor(dynamic.pdm).length == 238

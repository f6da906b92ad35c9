"""A complete detection: parts, their merge, validation (docs/algorithms/parts.md)."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from helpers_landmarks import random_model, random_part, textured
from mien.landmarks.detector import Detection, LandmarkDetector
from mien.landmarks.options import FitOptions
from mien.models.records import LandmarkModelRecord
from mien.shape.model import PointDistributionModel, ShapeParameters
from oracle import shape as oracle

pytestmark = pytest.mark.usefixtures("private_cache")

WINDOWS = (0, 9, 7)
LEFT = [(0, 1), (2, 3), (4, 5), (6, 7), (8, 0)]
RIGHT = [(1, 0), (3, 2), (5, 4), (7, 6), (8, 7)]  # shares landmark 8 with the left part


def record_with(*parts, n: int = 10) -> LandmarkModelRecord:
    return dataclasses.replace(random_model(n=n), parts=tuple(parts))


def two_parts(left_scale: float = 1.0, right_scale: float = 1.0) -> LandmarkModelRecord:
    main = random_model()
    return dataclasses.replace(
        main,
        parts=(
            random_part(main, "left_eye_28", LEFT, 8, left_scale, seed=2),
            random_part(main, "right_eye_28", RIGHT, 9, right_scale, seed=3),
        ),
    )


def start(scale: float = 1.3, x: float = 160) -> ShapeParameters:
    return ShapeParameters(np.array([scale, 0, 0.1, 0, x, 120], np.float32), np.zeros(4, np.float32))


def picture(seed: int = 1) -> np.ndarray:
    return textured(np.random.default_rng(seed))


class Validator:
    """Gives one certainty and remembers what it was asked."""

    def __init__(self, certainty: float) -> None:
        self.certainty = np.float32(certainty)
        self.asked: list[tuple] = []

    def __call__(self, orientation, gray, points) -> float:
        self.asked.append((orientation.copy(), gray, points.copy()))
        return float(self.certainty)


# --- parts ------------------------------------------------------------------------------------------------


def test_part_starts_from_the_landmarks_it_shares_with_the_face():
    """Unmapped landmarks are missing; the start is not turned with the head (docs/algorithms/parts.md)."""
    record = two_parts()
    detector = LandmarkDetector(record, FitOptions(), None)
    main_points = detector.pdm.points(start(0.8))
    for model, part in zip(detector.parts, record.parts, strict=True):
        fit = model.fit(picture(), main_points, 0.8)
        mapped = np.zeros((2, len(part.model.pdm.mean)))
        for main_index, part_index in part.mapping:
            mapped[:, part_index] = main_points[main_index]
        pdm = oracle.model(part.model.pdm)
        glob, local, _ = oracle.fit_to_points(pdm, mapped)
        np.testing.assert_allclose(fit.points, oracle.project(pdm, glob, local).T, atol=2e-3)
        assert not fit.refined
        assert fit.fit is None


@pytest.mark.parametrize(
    ("main_scale", "part_scale", "refined"),
    [(0.89, 1.0, False), (0.91, 1.0, True), (0.44, 0.5, False), (0.46, 0.5, True), (2.0, 2.5, False)],
)
def test_part_is_refined_where_the_face_is_large_enough(main_scale, part_scale, refined):
    """More than 0.9 of the part's first scale, both in px per mm; the main model's scale decides."""
    detector = LandmarkDetector(two_parts(part_scale), FitOptions(), None)
    fit = detector.parts[0].fit(picture(), detector.pdm.points(start(main_scale)), main_scale)
    assert fit.refined is refined
    assert (fit.fit is not None) is refined
    if refined:
        np.testing.assert_array_equal(fit.points, detector.parts[0].model.pdm.points(fit.params))
        assert [len(fit.fit.iterations), fit.fit.ok] == [2, True]


def test_refined_parts_are_merged_in_their_order_and_the_face_is_fitted_again():
    record = two_parts()
    detector = LandmarkDetector(record, FitOptions(), None)
    alone = LandmarkDetector(dataclasses.replace(record, parts=()), FitOptions(), None)
    main = alone.detect(picture(), start(), WINDOWS)
    result = detector.detect(picture(), start(), WINDOWS)
    assert [p.name for p in result.parts] == ["left_eye_28", "right_eye_28"]
    merged = main.points.copy()
    for part, fit in zip(record.parts, result.parts, strict=True):
        for main_index, part_index in part.mapping:
            merged[main_index] = fit.points[part_index]
    np.testing.assert_array_equal(merged[8], result.parts[1].points[7])
    pdm = PointDistributionModel(record.pdm)
    glob, local = pdm.fit_to_points(merged)
    np.testing.assert_array_equal(result.params.global_params, glob)
    np.testing.assert_array_equal(result.params.local_params, local)
    np.testing.assert_array_equal(result.points, pdm.points(result.params))
    assert result.likelihood == main.likelihood


def test_one_refined_part_merges_all():
    record = two_parts(left_scale=1.0, right_scale=50.0)
    detector = LandmarkDetector(record, FitOptions(), None)
    result = detector.detect(picture(), start(), WINDOWS)
    assert [p.refined for p in result.parts] == [True, False]
    main = LandmarkDetector(dataclasses.replace(record, parts=()), FitOptions(), None).detect(
        picture(), start(), WINDOWS
    )
    merged = main.points.copy()
    for part, fit in zip(record.parts, result.parts, strict=True):
        merged[part.mapping[:, 0]] = fit.points[part.mapping[:, 1]]
    np.testing.assert_array_equal(result.params.global_params, detector.pdm.fit_to_points(merged)[0])


def test_parts_that_were_not_refined_leave_the_face_alone():
    record = two_parts(50.0, 50.0)
    result = LandmarkDetector(record, FitOptions(), None).detect(picture(), start(), WINDOWS)
    main = LandmarkDetector(dataclasses.replace(record, parts=()), FitOptions(), None).detect(
        picture(), start(), WINDOWS
    )
    assert len(result.parts) == 2
    np.testing.assert_array_equal(result.params.local_params, main.params.local_params)
    np.testing.assert_array_equal(result.points, main.points)


def test_points_are_always_an_instance_of_the_model():
    detector = LandmarkDetector(two_parts(), FitOptions(), None)
    result = detector.detect(picture(4), start(), WINDOWS)
    np.testing.assert_array_equal(result.points, detector.pdm.points(result.params))


# --- validation -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("certainty", "success"), [(0.98, True), (0.75, True), (0.7251, True), (0.725, False), (0.0, False)]
)
def test_certainty_must_exceed_the_boundary(certainty, success):
    """In float32: 0.725 itself fails."""
    result = LandmarkDetector(random_model(), FitOptions(), Validator(certainty)).detect(
        picture(), start(), WINDOWS
    )
    assert result.success is success
    assert result.certainty == np.float32(certainty)


def test_boundary_can_be_moved():
    options = FitOptions(validation_boundary=0.5)
    result = LandmarkDetector(random_model(), options, Validator(0.6)).detect(picture(), start(), WINDOWS)
    assert result.success


def test_validator_sees_the_refined_face():
    validator = Validator(0.9)
    gray = picture()
    result = LandmarkDetector(two_parts(), FitOptions(), validator).detect(gray, start(), WINDOWS)
    ((orientation, seen, points),) = validator.asked
    np.testing.assert_array_equal(orientation, result.params.global_params[1:4])
    np.testing.assert_array_equal(points, result.points)
    assert seen is gray


@pytest.mark.parametrize("how", ["no validator", "switched off"])
def test_without_validation_a_fit_is_certain(how):
    validator = None if how == "no validator" else Validator(0.1)
    options = FitOptions(validate=how != "switched off")
    result = LandmarkDetector(random_model(), options, validator).detect(picture(), start(), WINDOWS)
    assert (result.certainty, result.success) == (1.0, True)


def test_failed_fit_is_refined_but_not_validated():
    validator = Validator(0.9)
    result = LandmarkDetector(two_parts(0.05, 0.05), FitOptions(), validator).detect(
        picture(), start(0.1), WINDOWS
    )
    assert (result.certainty, result.success) == (0.0, False)
    assert not validator.asked
    assert [p.refined for p in result.parts] == [True, True]


def test_incomplete_detection_has_neither_parts_nor_validation():
    validator = Validator(0.9)
    detector = LandmarkDetector(two_parts(), FitOptions(), validator)
    result = detector.detect(picture(), start(), WINDOWS, complete=False)
    assert isinstance(result, Detection)
    assert result.parts == ()
    assert not validator.asked
    completed = detector.complete(picture(), result)
    np.testing.assert_array_equal(completed.points, detector.detect(picture(), start(), WINDOWS).points)
    assert len(validator.asked) == 2

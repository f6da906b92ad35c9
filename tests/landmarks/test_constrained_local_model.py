"""The multi-scale fit: scales, parameters, failure, cached kernels (docs/algorithms/fitting-nu-rlms.md)."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from helpers_landmarks import random_model, textured
from mien.landmarks.fitting import ConstrainedLocalModel
from mien.landmarks.options import FitOptions, scale_parameters
from mien.landmarks.patch_experts import CcnfPatchExperts
from mien.models.records import LandmarkModelRecord
from mien.shape.model import PointDistributionModel, ShapeParameters
from oracle import landmarks as oracle
from oracle import shape as shape_oracle

pytestmark = pytest.mark.usefixtures("private_cache")


def build(record: LandmarkModelRecord, options: FitOptions) -> ConstrainedLocalModel:
    pdm = PointDistributionModel(record.pdm)
    return ConstrainedLocalModel(pdm, tuple(CcnfPatchExperts(r) for r in record.patch_experts), options)


def oracle_fit(record: LandmarkModelRecord, gray, glob, local, windows, options: FitOptions):
    """Parameters and likelihood of the loop over scales, with parameters that do not depend on the scale."""
    model = shape_oracle.model(record.pdm)
    likelihood = None
    last = len(record.patch_experts) - 1
    for k, experts in enumerate(record.patch_experts):
        w = windows[k]
        if w == 0:
            continue
        view = oracle.nearest_view(glob[1:4], experts.view_centers)
        base, a = oracle.place_reference(model, glob, local, experts.scale)
        b = np.linalg.inv(a)[:, 0]
        responses = oracle.ccnf_responses(gray, base, b, experts, view, w, experts.sigma_components)
        visible = experts.visibility[view]
        weights = options.weight_factor * experts.confidences[view] if options.weight_factor else visible
        fixed = (
            base,
            a,
            responses,
            options.sigma,
            weights,
            visible,
            options.regularisation,
        )
        glob, local, _, _ = oracle.optimise(model, glob, local, *fixed, True, options.iterations)
        small = glob[0] < 0.3
        glob, local, _, positions = oracle.optimise(model, glob, local, *fixed, False, options.iterations)
        if k == last or windows[k + 1] == 0 or small:
            likelihood = oracle.log_likelihood(responses, positions, visible, options.sigma)
        if glob[0] < 0.25:
            break
    return glob, local, likelihood


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("weight_factor", [0.0, 2.5])
@pytest.mark.parametrize("windows", [(7, 5, 3), (0, 9, 0), (5, 0, 7)])
def test_fit_equals_its_definition(seed, weight_factor, windows):
    rng = np.random.default_rng(seed)
    record = random_model(seed)
    options = FitOptions(adapt_to_scale=False, weight_factor=weight_factor, iterations=3)
    gray = textured(rng)
    glob = np.array([1.2, *rng.uniform(-0.4, 0.4, 3), 160, 120], np.float32)
    local = rng.normal(0, 3, 4).astype(np.float32)
    fit = build(record, options).fit(gray, ShapeParameters(glob, local), windows)
    glob, local, likelihood = oracle_fit(record, gray, glob, local, windows, options)
    points = shape_oracle.project(shape_oracle.model(record.pdm), glob, local).T
    actual = PointDistributionModel(record.pdm).points(fit.params)
    # Flips on the grids of the warp and of the kernel move single landmarks.
    assert np.median(np.abs(actual - points)) < 0.01
    assert np.abs(actual - points).max() < 0.1
    assert fit.likelihood == pytest.approx(likelihood, abs=2e-3)
    assert fit.ok
    assert len(fit.iterations) == sum(w > 0 for w in windows)


def frontal(scale: float = 1.2) -> ShapeParameters:
    return ShapeParameters(np.array([scale, 0, 0, 0, 160, 120], np.float32), np.zeros(4, np.float32))


def test_start_is_not_changed():
    start = frontal()
    build(random_model(), FitOptions()).fit(textured(np.random.default_rng(1)), start, (11, 9, 7))
    np.testing.assert_array_equal(start.global_params, frontal().global_params)
    assert not start.local_params.any()


def test_fit_gives_the_same_result_again():
    """Buffers are kept between fits, results are not."""
    model = build(random_model(), FitOptions())
    gray = textured(np.random.default_rng(2))
    first = model.fit(gray, frontal(), (11, 9, 7))
    kept = first.params.global_params.copy()
    model.fit(gray[::-1].copy(), frontal(0.9), (0, 9, 7))
    np.testing.assert_array_equal(first.params.global_params, kept)
    np.testing.assert_array_equal(model.fit(gray, frontal(), (11, 9, 7)).params.global_params, kept)


def test_scales_without_a_window_are_skipped():
    gray = textured(np.random.default_rng(3))
    fit = build(random_model(), FitOptions()).fit(gray, frontal(), (0, 9, 7, 0))
    assert len(fit.iterations) == 2
    nothing = build(random_model(), FitOptions()).fit(gray, frontal(), (0, 0, 0, 0))
    assert nothing.iterations == ()
    assert nothing.likelihood is None
    np.testing.assert_array_equal(nothing.params.global_params, frontal().global_params)


def test_likelihood_is_that_of_the_last_fitted_scale():
    """The next window decides: a scale followed by a skipped one also gives a likelihood."""
    gray = textured(np.random.default_rng(4))
    model = build(random_model(), FitOptions())
    alone = model.fit(gray, frontal(), (11, 0, 0))
    assert alone.likelihood is not None
    both = model.fit(gray, frontal(), (11, 0, 7))
    continued = model.fit(gray, alone.params, (0, 0, 7))
    assert both.likelihood == continued.likelihood != alone.likelihood


def test_face_that_became_too_small_fails_at_once():
    fit = build(random_model(), FitOptions()).fit(textured(np.random.default_rng(5)), frontal(0.1), (7, 7, 7))
    assert not fit.ok
    assert len(fit.iterations) == 1
    assert fit.likelihood is not None


def test_view_is_that_of_the_last_fitted_scale():
    model = build(random_model(), FitOptions(iterations=0))
    gray = textured(np.random.default_rng(6))
    for yaw, view in ((0.0, 0), (-0.5, 1), (0.5, 2)):
        start = frontal()
        start.global_params[2] = yaw
        assert model.fit(gray, start, (11, 9, 7)).view == view


def test_kernel_keeps_the_sigma_of_the_windows_first_use():
    """A quirk of the original: one table per window size, whatever the scale."""
    record = random_model()
    gray = textured(np.random.default_rng(7))
    options = FitOptions()
    adapted = [scale_parameters(options, (0.25, 0.35, 0.5), k).sigma for k in range(3)]
    assert adapted[0] < adapted[2]
    fresh = build(record, options)
    used = build(record, options)
    used.fit(gray, frontal(), (7, 0, 0))
    with_own, with_first = (m.fit(gray, frontal(), (0, 0, 7)) for m in (fresh, used))
    assert not np.array_equal(with_own.params.global_params, with_first.params.global_params)


def test_experts_of_invisible_landmarks_are_not_asked():
    record = random_model(3)
    rng = np.random.default_rng(8)
    gray = textured(rng)
    start = frontal()
    start.global_params[2] = -0.6  # a view that misses the last landmark
    expected = build(record, FitOptions()).fit(gray, start, (0, 9, 0))
    assert expected.view == 1
    changed = record.patch_experts[1].weights.copy()
    changed[1, -1] = rng.normal(size=changed[1, -1].shape)
    experts = list(record.patch_experts)
    experts[1] = dataclasses.replace(experts[1], weights=changed)
    spoilt = build(dataclasses.replace(record, patch_experts=tuple(experts)), FitOptions())
    actual = spoilt.fit(gray, start, (0, 9, 0))
    np.testing.assert_array_equal(actual.params.global_params, expected.params.global_params)
    changed[1, 0] *= -1
    assert not np.array_equal(
        build(dataclasses.replace(record, patch_experts=tuple(experts)), FitOptions())
        .fit(gray, start, (0, 9, 0))
        .params.global_params,
        expected.params.global_params,
    )


@pytest.mark.parametrize("place", [-500.0, 1e6, np.nan])
def test_face_outside_the_image_does_not_crash(place):
    start = frontal()
    start.global_params[4] = place
    fit = build(random_model(), FitOptions()).fit(textured(np.random.default_rng(9)), start, (11, 9, 7))
    assert fit.iterations


def test_weights_come_from_the_confidence_of_the_view():
    record = random_model(4)
    experts = tuple(
        dataclasses.replace(r, confidences=np.ones_like(r.confidences) / 2.5) for r in record.patch_experts
    )
    gray = textured(np.random.default_rng(10))
    options = FitOptions(adapt_to_scale=False)
    plain = build(record, options).fit(gray, frontal(), (0, 9, 7))
    # A factor of 2.5 times a confidence of 1 / 2.5 is the weight of plain RLMS.
    weighted = build(
        dataclasses.replace(record, patch_experts=experts), dataclasses.replace(options, weight_factor=2.5)
    ).fit(gray, frontal(), (0, 9, 7))
    np.testing.assert_allclose(
        weighted.params.global_params, plain.params.global_params, rtol=1e-4, atol=1e-4
    )

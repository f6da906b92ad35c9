"""Every stage of fitting against the original, inputs injected (docs/algorithms/numerical-noise.md)."""

from __future__ import annotations

import numpy as np
import pytest

from helpers_dumps import PARTS, Scale, model_of, points_of, read_frames, scales
from helpers_kernels import (
    area_of_interest,
    kernel_table,
    log_likelihood,
    mean_shifts,
    optimise,
    place_reference,
    similarity_matrices,
    unpack_responses,
)
from mien.landmarks import kernels
from mien.landmarks.detector import LandmarkDetector
from mien.landmarks.hypotheses import ORIENTATIONS, landmarks_from_box
from mien.landmarks.options import PART_OPTIONS, FitOptions, scale_parameters
from mien.landmarks.validator import LandmarkValidator
from mien.models.readers import read_landmark_model
from mien.shape.model import ShapeParameters

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def record(openface_dir):
    return read_landmark_model(openface_dir / "LandmarkDetector/model/main_clnf_general.txt")


@pytest.fixture(scope="module")
def detector(record) -> LandmarkDetector:
    return LandmarkDetector(record, FitOptions(), LandmarkValidator(record.validator).certainty)


@pytest.fixture(scope="module")
def frames(reference_dir):
    return read_frames(reference_dir)


@pytest.fixture(scope="module")
def stages(frames) -> list[Scale]:
    found = list(scales(frames))
    assert len(found) == 342
    return found


def parameters_of(detector: LandmarkDetector, stage: Scale):
    model = model_of(detector, stage.model_name)
    return scale_parameters(model.options, tuple(e.scale for e in model.experts), stage.index)


def weights_of(detector: LandmarkDetector, stage: Scale) -> np.ndarray:
    """(n,) weights of docs/algorithms/fitting-nu-rlms.md#one-optimisation, 0 where invisible."""
    experts = model_of(detector, stage.model_name).experts[stage.index]
    factor = parameters_of(detector, stage).weight_factor
    weights = factor * experts.confidences[stage.view] if factor > 0 else np.ones(len(stage.visible))
    return (weights * stage.visible).astype(np.float32)


def run_call(
    detector: LandmarkDetector, stage: Scale, start: ShapeParameters, *, rigid: bool, iterations: int
):
    parameters = parameters_of(detector, stage)
    return optimise(
        model_of(detector, stage.model_name).pdm,
        start,
        stage.base,
        stage.similarity,
        stage["responses"],
        kernel_table(stage.window, parameters.sigma),
        weights_of(detector, stage),
        parameters.regularisation,
        rigid=rigid,
        iterations=iterations,
    )


# --- what is chosen: views, visibility, parameters --------------------------------------------------------


def test_views_visibility_and_parameters_are_the_originals(detector, stages):
    for stage in stages:
        experts = model_of(detector, stage.model_name).experts[stage.index]
        assert kernels.nearest_view(stage.start.global_params, experts.view_centers) == stage.view, stage
        np.testing.assert_array_equal(experts.visibility[stage.view], stage.visible)
        assert experts.scale == stage["patch_scaling"].item()
        parameters = parameters_of(detector, stage)
        assert parameters.sigma == pytest.approx(stage["sigma"].item(), abs=2e-7)
        assert parameters.regularisation == pytest.approx(stage["reg_factor"].item(), abs=2e-6)
        assert parameters.weight_factor == pytest.approx(stage["weight_factor"].item(), abs=2e-7)


def test_every_view_of_the_main_model_is_covered(stages):
    assert {s.view for s in stages if s.model_name == "main"} == set(range(7))


# --- shape ------------------------------------------------------------------------------------------------


def test_projection_agrees_to_a_rounding(detector, stages):
    for stage in stages:
        points = model_of(detector, stage.model_name).pdm.points(stage.start).T
        # 1e-4 px, or one unit in the last place where that is more (beyond 1024 px).
        allowed = np.maximum(1e-4, np.spacing(np.abs(stage.base)))
        assert (np.abs(points - stage.base) <= allowed).all(), stage


def test_similarity_agrees(detector, stages):
    for stage in stages:
        pdm = model_of(detector, stage.model_name).pdm
        scale = stage["patch_scaling"].item()
        _, packed = place_reference(pdm, stage.start.global_params, stage.start.local_params, scale)
        for ours, key in zip(similarity_matrices(packed), ("sim_img_to_ref", "sim_ref_to_img"), strict=True):
            np.testing.assert_allclose(ours, stage[key], atol=5e-6)


def test_starts_from_a_box_agree(detector, frames):
    for frame in frames:
        if frame.number > 1 and frame.kind == "track":
            continue
        boxes = frame["mtcnn_7_final_tight"][:, :4].astype(np.float32)
        box = boxes[np.argmax(boxes[:, 2])]
        for fit, orientation in zip(frame.fits, ORIENTATIONS, strict=False):
            start = detector.pdm.from_box(box, orientation)
            expected = frame.parameters(f"{fit}_main_init_")
            np.testing.assert_allclose(start.global_params, expected.global_params, rtol=3e-7, atol=1e-6)
            assert not start.local_params.any()


# --- areas and responses ----------------------------------------------------------------------------------


def test_areas_are_equal_bit_for_bit(stages):
    for stage in stages:
        areas = stage["areas"]
        b00, b10 = stage.similarity[2:]
        for i in np.flatnonzero(stage.visible):
            area = area_of_interest(stage.frame.gray, *stage.base[:, i], b00, b10, areas.shape[1])
            np.testing.assert_array_equal(area, areas[i], err_msg=f"{stage} {i}")


def test_areas_from_own_landmarks_flip_few_pixels(detector, stages):
    """Less than 1 % of a landmark set's pixels move by 1/32 px."""
    for stage in stages:
        pdm = model_of(detector, stage.model_name).pdm
        scale = stage["patch_scaling"].item()
        base, packed = place_reference(pdm, stage.start.global_params, stage.start.local_params, scale)
        expected = stage["areas"][stage.visible]
        areas = [
            area_of_interest(stage.frame.gray, *base[:, i], *packed[2:], expected.shape[1])
            for i in np.flatnonzero(stage.visible)
        ]
        assert (np.abs(np.array(areas) - expected) > 1e-3).mean() < 0.01, stage


def test_responses_agree(detector, stages):
    for stage in stages:
        experts = model_of(detector, stage.model_name).experts[stage.index]
        maps = np.full((stage.window**2, len(stage.visible)), np.nan, np.float32)
        experts.responses(stage.frame.gray, stage.view, stage.base, stage.similarity, stage.window, maps)
        actual, expected = unpack_responses(maps), stage["responses"]
        error = np.abs(actual - expected).max(axis=(1, 2))
        assert (error <= 1e-4 * expected.max(axis=(1, 2))).all(), stage


# --- NU-RLMS ----------------------------------------------------------------------------------------------


def all_iterations(stages):
    """(stage, rigid, state before, state after, mean shifts) of every iteration."""
    for stage in stages:
        for rigid in (True, False):
            states, shifts = stage.iterations(rigid)
            for before, after, shift in zip(states[:-1], states[1:], shifts, strict=True):
                yield stage, rigid, before, after, shift.reshape(2, -1)


def test_mean_shifts_agree(detector, stages):
    """In the image frame. A kernel that flips to its neighbour on the grid moves one landmark."""
    flips = count = 0
    for stage, rigid, before, _, expected in all_iterations(stages):
        _, _, position = run_call(detector, stage, before, rigid=rigid, iterations=1)
        table = kernel_table(stage.window, parameters_of(detector, stage).sigma)
        shifts = mean_shifts(stage["responses"], position, stage.visible, table)
        actual = similarity_matrices(stage.similarity)[1] @ shifts
        error = np.abs(actual - expected).max()
        assert error < 0.3, stage
        flips += error > 1e-3
        count += 1
    assert count > 3000
    assert flips <= 0.001 * count


def test_one_iteration_agrees(detector, stages):
    flips = count = 0
    for stage, rigid, before, after, _ in all_iterations(stages):
        pdm = model_of(detector, stage.model_name).pdm
        params, _, _ = run_call(detector, stage, before, rigid=rigid, iterations=1)
        error = np.abs(pdm.points(params) - pdm.points(after)).max()
        assert error < 0.02, (stage, rigid)
        flips += error > 1e-3
        count += 1
    assert flips <= 0.001 * count


@pytest.mark.parametrize("rigid", [True, False])
def test_whole_calls_agree_and_take_as_many_iterations(detector, stages, rigid):
    errors = []
    for stage in stages:
        model = model_of(detector, stage.model_name)
        states, _ = stage.iterations(rigid)
        params, count, _ = run_call(
            detector, stage, states[0], rigid=rigid, iterations=model.options.iterations
        )
        assert count == len(states) - 1, stage
        errors.append(np.abs(model.pdm.points(params) - model.pdm.points(states[-1])).max())
    assert np.median(errors) < 1e-4
    assert np.mean(np.array(errors) > 1e-3) < 0.05
    assert np.max(errors) < 0.05


def test_likelihood_agrees(detector, stages):
    for stage in stages:
        if stage.has_likelihood:
            before = stage.iterations(rigid=False)[0][-2]
            _, _, position = run_call(detector, stage, before, rigid=False, iterations=1)
            sigma = parameters_of(detector, stage).sigma
            value = log_likelihood(stage["responses"], position, stage.visible, sigma)
            assert value == pytest.approx(stage.likelihood, abs=1e-5), stage


def test_landmarks_after_a_fit_are_those_of_its_parameters(detector, frames):
    for frame in frames:
        for fit in frame.fits:
            for name in ("main", *PARTS):
                points = model_of(detector, name).pdm.points(frame.parameters(f"{fit}_{name}_afterfit_"))
                expected = frame.points(f"{fit}_{name}_afterfit_landmarks")
                assert (np.abs(points - expected) <= np.maximum(1e-4, np.spacing(expected))).all()


# --- parts, merge, refit ----------------------------------------------------------------------------------


def test_inputs_of_the_parts_are_equal(detector, frames):
    for frame in frames:
        for fit in frame.fits:
            main = frame.points(f"{fit}_main_afterfit_landmarks")
            for part in detector.parts:
                mapped = np.zeros((part.model.pdm.n_points, 2), np.float32)
                mapped[part.part_index] = main[part.main_index]
                np.testing.assert_array_equal(mapped, frame.points(f"{fit}_{part.name}_input_locs"))


def test_first_fit_of_the_parts_agrees(detector, frames):
    for frame in frames:
        for fit in frame.fits:
            # Hypotheses at a yaw of 90° hand absurd landmarks to the parts.
            tolerance = 5e-3 if abs(frame[f"{fit}_main_init_global"].ravel()[2]) > 1.5 else 1e-3
            for part in detector.parts:
                params = ShapeParameters(
                    *part.model.pdm.fit_to_points(frame.points(f"{fit}_{part.name}_input_locs"))
                )
                expected = frame.parameters(f"{fit}_{part.name}_init_")
                points, wanted = part.model.pdm.points(params), part.model.pdm.points(expected)
                assert np.abs(points - wanted).max() < tolerance, (str(frame), fit, part.name)
                np.testing.assert_allclose(params.local_params, expected.local_params, atol=1e-3)


def test_refined_parts_agree(detector, frames):
    """The part's whole fit, own areas and responses: flips on the grids move single landmarks."""
    errors = []
    for frame in frames:
        for fit in frame.fits:
            for part in detector.parts:
                start = frame.parameters(f"{fit}_{part.name}_init_")
                result = part.model.fit(frame.gray, start, PART_OPTIONS[part.name].windows_initial)
                expected = frame.points(f"{fit}_{part.name}_out_landmarks")
                errors.append(np.abs(part.model.pdm.points(result.params) - expected).max())
    assert np.median(errors) < 1e-3
    assert np.quantile(errors, 0.95) < 0.05
    assert np.max(errors) < 0.3


def test_merge_is_exact_and_the_final_fit_agrees(detector, frames):
    for frame in frames:
        for fit in frame.fits:
            merged = frame.points(f"{fit}_main_afterfit_landmarks")
            for part in detector.parts:
                out = frame.points(f"{fit}_{part.name}_out_landmarks")
                merged[part.main_index] = out[part.part_index]
            np.testing.assert_array_equal(merged, frame.points(f"{fit}_main_merged_landmarks"))
            params = ShapeParameters(*detector.pdm.fit_to_points(merged))
            expected = frame.parameters(f"{fit}_main_refined_")
            wanted = frame.points(f"{fit}_main_refined_landmarks")
            absurd = abs(frame[f"{fit}_main_init_global"].ravel()[2]) > 1.5
            assert np.abs(detector.pdm.points(params) - wanted).max() < (5e-3 if absurd else 1e-3)
            np.testing.assert_allclose(params.local_params, expected.local_params, atol=1e-3)


def test_certainty_of_the_final_landmarks_is_equal(detector, record, frames):
    validator = LandmarkValidator(record.validator)
    for frame in frames:
        for fit in frame.fits:
            refined = frame.parameters(f"{fit}_main_refined_")
            points = frame.points(f"{fit}_main_refined_landmarks")
            certainty = validator.certainty(refined.orientation, frame.gray, points)
            assert certainty == pytest.approx(frame[f"{fit}_main_certainty"].item(), abs=1e-6)


# --- complete detections ----------------------------------------------------------------------------------


def frame_error(detector: LandmarkDetector, result, frame) -> tuple[float, float]:
    """Mean and largest distance to the reported landmarks, in units of the face's scale."""
    distance = np.linalg.norm(result.points - frame.points("landmarks"), axis=1)
    return distance.mean() / result.params.scale, distance.max() / result.params.scale


def test_tracked_frames_agree_from_the_state_before(detector, frames):
    tracked = [f for f in frames if f.kind == "track" and f["prev_tracking_initialised"].item()]
    assert len(tracked) == 10
    errors = []
    for frame in tracked:
        windows = detector.options.windows_tracking
        result = detector.detect(frame.gray, frame.parameters("prev_"), windows)
        errors.append(frame_error(detector, result, frame))
        assert result.certainty == pytest.approx(frame["certainty"].item(), abs=1e-6)
        assert result.success == bool(frame["success"].item())
        assert result.likelihood == pytest.approx(frame["fit00_main_likelihood"].item(), abs=2e-3)
        for part in result.parts:
            expected = frame.points(f"fit00_{part.name}_out_landmarks")
            assert np.abs(part.points - expected).max() < 0.3 * result.params.scale
    means, largest = np.array(errors).T
    assert np.median(means) < 0.005
    assert means.max() < 0.03
    assert largest.max() < 0.3


def test_single_images_agree(detector, frames):
    """One hypothesis from the box of the original."""
    errors = []
    for frame in frames:
        if frame.kind == "image":
            box = frame["bbox_used"].astype(np.float32).ravel()[:4]
            result, success = landmarks_from_box(detector, frame.gray, box, multi_view=False)
            errors.append(frame_error(detector, result, frame))
            assert result.certainty == pytest.approx(frame["certainty"].item(), abs=1e-6)
            assert success == bool(frame["fit00_main_success"].item())
    means, largest = np.array(errors).T
    assert np.median(means) < 0.005
    assert means.max() < 0.03
    assert largest.max() < 0.3


def test_first_frames_choose_the_hypothesis_of_the_original(detector, frames):
    first = [f for f in frames if f.kind == "track" and f.number == 1]
    assert len(first) == 2
    for frame in first:
        boxes = frame["mtcnn_7_final_tight"][:, :4].astype(np.float32)
        box = boxes[np.argmax(boxes[:, 2])]
        expected = np.array([frame[f"{fit}_main_likelihood"].item() for fit in frame.fits])
        values = [
            detector.detect(
                frame.gray, detector.pdm.from_box(box, turn), detector.options.windows_initial, complete=False
            ).likelihood
            for turn in ORIENTATIONS
        ]
        assert np.argmax(values) == np.argmax(expected)
        winner = int(np.argmax(expected))
        assert values[winner] == pytest.approx(expected[winner], abs=2e-3)
        # Wrong hypotheses end in places where a flip on a grid decides more.
        assert np.median(np.abs(values - expected)) < 5e-3
        result, success = landmarks_from_box(detector, frame.gray, box, multi_view=True)
        assert success
        _, largest = frame_error(detector, result, frame)
        assert largest < 0.3
        assert result.certainty == pytest.approx(frame["certainty"].item(), abs=1e-6)


def test_points_helper_reads_columns_as_x_then_y():
    np.testing.assert_array_equal(points_of(np.arange(6).reshape(6, 1)), [[0, 3], [1, 4], [2, 5]])

"""CEN patch experts as ONNX graphs give what the kernels give; here the graphs run on the processor."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from helpers_cen import random_cen, random_cen_model, random_layers
from helpers_landmarks import textured
from mien.errors import ModelFileError, ProviderError
from mien.landmarks.cen import CenPatchExperts
from mien.landmarks.cen_onnx import CenOnnxPatchExperts
from mien.landmarks.detector import LandmarkDetector
from mien.landmarks.options import FitOptions
from mien.models.readers.cen import read_cen
from mien.models.records import CenRecord, DenseLayer
from mien.runtime.sessions import available_devices

pytestmark = pytest.mark.usefixtures("private_cache")
TOLERANCE = 1e-5  # of the largest response
MAP_TOLERANCE = 1e-4  # of each map's maximum
SIGMOID_TOLERANCE = 2e-7  # ONNX Runtime's sigmoid, even where it is nearly 0


def maps_of(experts, gray, view, points, window) -> np.ndarray:
    similarity = np.array([0.6, 0.1, 1.6, -0.3], np.float32)
    out = np.full((window**2, points.shape[1]), np.nan, np.float32)
    experts.responses(gray, view, np.ascontiguousarray(points, np.float32), similarity, window, out)
    return out


def assert_same_responses(
    record: CenRecord, seed: int, windows=(5, 7, 9, 11, 15), tolerance=TOLERANCE, **options
) -> None:
    rng = np.random.default_rng(seed)
    gray = textured(rng)
    kernels = CenPatchExperts(record, **options)
    graphs = CenOnnxPatchExperts(record, device="cpu", **options)
    np.testing.assert_array_equal(kernels.visibility, graphs.visibility)
    for view in range(len(record.visibility)):
        for window in windows:
            points = rng.uniform([[-20], [-20]], [[340], [260]], (2, record.visibility.shape[1]))
            expected = maps_of(kernels, gray, view, points, window)
            actual = maps_of(graphs, gray, view, points, window)
            error = np.abs(actual - expected).max(0)
            assert error.max() <= tolerance * np.abs(expected).max()
            assert (error <= MAP_TOLERANCE * np.abs(expected).max(0) + SIGMOID_TOLERANCE).all()


@pytest.mark.parametrize("activations", [(2, 0, 0), (0, 2, 1), (1, 1, 1), (2, 2, 2)])
@pytest.mark.parametrize("n", [1, 4, 7])
def test_graphs_equal_kernels(activations, n):
    rng = np.random.default_rng(n)
    record = random_cen(rng, n, activations=activations, widths=(19, 33, 1), hidden=((), (), (0,)))
    assert_same_responses(record, n)


def test_graphs_equal_kernels_without_the_grid():
    assert_same_responses(random_cen(np.random.default_rng(1)), 1, exact=True)


def test_networks_of_different_shapes_are_batched_apart():
    rng = np.random.default_rng(2)
    record = random_cen(rng, 6)
    frontal = list(record.experts[0])
    frontal[3] = random_layers(rng, (40, 7, 20, 1), (2, 1, 0, 1))
    assert_same_responses(dataclasses.replace(record, experts=(tuple(frontal), *record.experts[1:])), 3)


def test_a_view_and_its_mirror_share_their_networks():
    experts = CenOnnxPatchExperts(random_cen(np.random.default_rng(4)), device="cpu")
    gray, points = textured(np.random.default_rng(4)), np.full((2, 6), 100.0)
    for view in range(3):
        maps_of(experts, gray, view, points, 5)
    assert len(experts._accelerator._sessions) == 2


def test_experts_with_another_support_are_refused():
    layers = (DenseLayer(np.ones((1, 50), np.float32), np.ones(1, np.float32), 0),)
    record = dataclasses.replace(random_cen(np.random.default_rng(5), 1), experts=((layers,), ((),), ((),)))
    with pytest.raises(ModelFileError, match="got 50"):
        CenOnnxPatchExperts(record, device="cpu")


def test_device_that_is_not_there_is_an_error_at_once():
    absent = next(d for d in ("cuda", "openvino", "coreml") if d not in available_devices())
    with pytest.raises(ProviderError, match="install onnxruntime"):
        CenOnnxPatchExperts(random_cen(np.random.default_rng(6)), device=absent)
    with pytest.raises(ProviderError, match="install onnxruntime"):
        LandmarkDetector(random_cen_model(), FitOptions(), None, device=absent)


def test_the_processor_uses_the_kernels():
    detector = LandmarkDetector(random_cen_model(), FitOptions(), None, device="cpu")
    assert all(isinstance(experts, CenPatchExperts) for experts in detector.model.experts)


@pytest.mark.models
@pytest.mark.parametrize("scale", ["0.25", "0.35", "0.50", "1.00"])
def test_graphs_equal_kernels_for_the_stand_in_files(reference_dir, scale):
    record = read_cen(reference_dir / "ce_clm/models" / f"cen_patches_{scale}_of.dat")
    # Their sums cancel more than those of trained networks: both ways differ as much from the original.
    assert_same_responses(record, 7, windows=(9,), tolerance=5e-5)

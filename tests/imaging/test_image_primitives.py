"""Grey conversion, warp, remap and resize equal OpenCV 4 and their slow twins."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit
from PIL import Image

from mien.detection.kernels import network_inputs
from mien.imaging.kernels import bgr_to_gray, sample_zero_border
from oracle import image_primitives as oracle

seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 24)


@pytest.fixture(autouse=True)
def plain_opencv():
    """OpenCV's own code: Intel's primitives resize with other weights (up to 0.008 grey levels)."""
    used = cv2.ipp.useIPP()
    cv2.ipp.setUseIPP(False)
    yield
    cv2.ipp.setUseIPP(used)


def gray_of(bgr):
    out = np.empty(bgr.shape[:2], np.uint8)
    bgr_to_gray(bgr, out)
    return out


@njit
def sampled(image, x32, y32, out):
    for v in range(out.shape[0]):
        for u in range(out.shape[1]):
            out[v, u] = np.float32(np.int32(sample_zero_border(image, x32[v, u], y32[v, u]))) / 1024


def resized(image, width, height):
    """What the face detector's networks get to see, as grey levels again."""
    out = np.empty((1, 3, height, width), np.float32)
    network_inputs(image, np.array([[0, 0, image.shape[1], image.shape[0]]]), out)
    return (out[0, ::-1] * 128 + np.float32(127.5)).transpose(1, 2, 0)


def noise(rng, *shape):
    return rng.integers(0, 256, shape, dtype=np.uint8)


def test_grey_equals_opencv_for_every_colour_on_a_fine_grid():
    levels = np.r_[0:256:3, 254, 255].astype(np.uint8)
    bgr = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(len(levels), -1, 3)
    assert np.array_equal(gray_of(bgr), cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY))


@settings(deadline=None, max_examples=30)
@given(seeds, sizes, sizes)
def test_grey_equals_its_definition(seed, width, height):
    bgr = noise(np.random.default_rng(seed), height, width, 3)
    assert np.array_equal(gray_of(bgr), oracle.gray(bgr))


def test_the_definition_of_a_warp_is_opencvs_inside_and_across_every_border():
    rng = np.random.default_rng(0)
    gray = noise(rng, 90, 120)
    for trial in range(60):
        matrix = rng.normal(0, [[1, 1, 40]] * 2)
        matrix[:, 2] += [60, 45]
        if trial % 4 == 0:  # Entirely inside.
            matrix = np.array([[0.9, 0.1, 20], [-0.1, 1.0, 10]]) + rng.normal(0, 0.01, (2, 3))
        width, height = (int(side) for side in rng.integers(1, 20, 2))
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        expected = cv2.warpAffine(gray.astype(np.float32), matrix, (width, height), flags=flags)
        assert np.array_equal(oracle.warp_affine(gray, matrix, width, height), expected)


def test_the_definition_of_a_remap_is_opencvs_inside_and_outside():
    rng = np.random.default_rng(1)
    gray = noise(rng, 70, 50)
    map_x = rng.uniform(-4, 54, (40, 30)).astype(np.float32)
    map_y = rng.uniform(-4, 74, (40, 30)).astype(np.float32)
    map_x[:3], map_y[:2] = rng.choice([-40000.0, 40000.0, -1.0, 49.0], (3, 30)), -1
    expected = cv2.remap(gray.astype(np.float32), map_x, map_y, cv2.INTER_LINEAR)
    assert np.array_equal(oracle.remap(gray, map_x, map_y), expected)


@settings(deadline=None, max_examples=40)
@given(seeds)
def test_samples_equal_their_definition_and_opencv(seed):
    rng = np.random.default_rng(seed)
    gray = noise(rng, *rng.integers(1, 20, 2))
    x32, y32 = rng.integers(-160, 800, (2, 6, 7))
    out = np.empty(x32.shape, np.float32)
    sampled(gray, x32, y32, out)
    maps = (x32 / 32).astype(np.float32), (y32 / 32).astype(np.float32)
    assert np.array_equal(out, oracle.remap(gray, *maps))
    assert np.array_equal(out, cv2.remap(gray.astype(np.float32), *maps, cv2.INTER_LINEAR))


def test_resize_equals_opencv_up_and_down():
    rng = np.random.default_rng(2)
    for _ in range(60):
        height, width, new_height, new_width = (int(n) for n in rng.integers(1, 150, 4))
        image = noise(rng, height, width, 3)
        expected = cv2.resize(
            image.astype(np.float32), (new_width, new_height), interpolation=cv2.INTER_LINEAR
        )
        assert np.abs(resized(image, new_width, new_height) - expected).max() <= 1e-3


@settings(deadline=None, max_examples=30)
@given(seeds, sizes, sizes)
def test_resize_equals_its_definition(seed, width, height):
    rng = np.random.default_rng(seed)
    image = noise(rng, *rng.integers(1, 40, 2), 3)
    expected = oracle.resize_linear(image, width, height)
    np.testing.assert_allclose(resized(image, width, height), expected, atol=1e-4)


@pytest.mark.models
def test_grey_equals_the_original_on_real_frames(reference_dir):
    folders = sorted(reference_dir.glob("stages/*/frame_*"))
    assert folders
    for folder in folders:
        bgr = np.ascontiguousarray(np.asarray(Image.open(folder / "frame.png").convert("RGB"))[..., ::-1])
        assert np.array_equal(gray_of(bgr), np.asarray(Image.open(folder / "gray.png")))
